"""``bluering review``: people listen to a few recordings, on the record."""

from pathlib import Path
from typing import Annotated

import typer

from bluering.cli.extras import extra
from bluering.cli.vault_options import VaultFolder, ask_passphrase, folder

app = typer.Typer(
    help="Let people review a small random sample, on the record.", no_args_is_help=True
)

_LOCAL = "127.0.0.1"


@app.command()
def init(
    name: Annotated[str, typer.Option(help="The owner's name, to sign in with.")] = "owner",
    vault: VaultFolder = None,
) -> None:
    """Prepare a vault for review and invite its owner. Nothing is reviewed until they allow it."""
    with extra("review"):
        from bluering.review.auth import accounts
        from bluering.review.desk import Desk
        from bluering.review.models import OWNER
        from bluering.vault.vault import Vault
    desk = Desk.prepare(Vault.open(folder(vault), ask_passphrase))
    with desk.act() as act:
        invitation = accounts.invite(act, "system", name, OWNER)
    typer.echo(f"invitation for {name}, good for one day: {invitation}")
    typer.echo("next: bluering review serve, then open /enrol", err=True)


@app.command()
def reset(
    name: Annotated[str, typer.Argument(help="Whose account.")], vault: VaultFolder = None
) -> None:
    """Take an account's password and codes away and invite anew: for an owner who is locked out."""
    with extra("review"):
        from bluering.review.auth import accounts
        from bluering.review.desk import Desk
        from bluering.review.witness import CONSOLE
        from bluering.vault.vault import Vault
    desk = Desk(Vault.open(folder(vault), ask_passphrase))
    with desk.act() as act:
        invitation = accounts.reset_by_name(act, CONSOLE, name)
    typer.echo(f"invitation for {name}, good for one day: {invitation}")


@app.command()
def serve(
    vault: VaultFolder = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = _LOCAL,
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    origin: Annotated[
        str | None, typer.Option(help="How browsers reach it, as https://review.example.")
    ] = None,
    certificate: Annotated[Path | None, typer.Option(help="PEM file, for HTTPS.")] = None,
    key: Annotated[Path | None, typer.Option(help="The certificate's private key.")] = None,
    proxy: Annotated[
        str | None, typer.Option(help="Address of a trusted proxy that ends HTTPS.")
    ] = None,
) -> None:
    """Serve the pages until Ctrl-C; beyond this computer only with HTTPS."""
    with extra("review"):
        from bluering.review import server
        from bluering.review.desk import Desk
        from bluering.vault.vault import Vault
    place = server.Place(host, port, origin, certificate, key, proxy)
    place.check()
    desk = Desk(Vault.open(folder(vault), ask_passphrase))
    typer.echo(f"open {place.address} ; Ctrl-C ends")
    server.serve(desk, place)


@app.command("export-labels")
def export_labels(
    output: Annotated[Path, typer.Option("--output", "-o", help="A new folder.")],
    vault: VaultFolder = None,
) -> None:
    """Write wake labels, scores and the false wakes by cause.

    Sound and features only of clips for which the owner granted it.
    """
    with extra("review"):
        from bluering.review.desk import Desk
        from bluering.review.export import export
        from bluering.vault.vault import Vault
    done = export(Desk(Vault.open(folder(vault), ask_passphrase)), output)
    typer.echo(
        f"{done.labels} labels, {done.false_wakes} false wakes, {done.sounds} granted sounds "
        f"in {output}"
    )
