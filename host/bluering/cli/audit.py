"""``bluering audit``: is the log of review whole?"""

from pathlib import Path
from typing import Annotated

import typer

from bluering.cli.extras import extra
from bluering.cli.vault_options import VaultFolder, ask_passphrase, folder
from bluering.errors import ExitCode

app = typer.Typer(help="Check that the log of review was not tampered with.", no_args_is_help=True)


@app.command("checkpoint")
def write_checkpoint(
    output: Annotated[
        Path, typer.Argument(metavar="FILE", help="A new file, on another computer's disk.")
    ],
    vault: VaultFolder = None,
) -> None:
    """Write the log's size and head, signed; keep it where the vault's keeper can't reach it."""
    with extra("review"):
        from bluering.review.audit import checkpoint
        from bluering.review.desk import Desk
        from bluering.vault.vault import Vault
    desk = Desk(Vault.open(folder(vault), ask_passphrase))
    with desk.reading() as session:
        made = checkpoint.sign(session, desk.seal, desk.clock())
    checkpoint.write(made, output)
    typer.echo(f"{made.size} entries, signed by {made.public_key}")


@app.command()
def verify(
    checkpoints: Annotated[
        list[Path] | None,
        typer.Option("--checkpoint", metavar="FILE", help="Written earlier; may be repeated."),
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="The signing key, as 'checkpoint' printed it.")
    ] = None,
    vault: VaultFolder = None,
) -> None:
    """Find an edit, a deletion, a reordering or a cut-off end. Exit code 4 if there is one.

    Needs no passphrase: whoever can read the database can check it.
    """
    with extra("review"):
        from sqlalchemy.orm import Session

        from bluering.review import database
        from bluering.review.audit import checkpoint
        from bluering.review.audit.verify import verify as find_problems
    signed = [checkpoint.read(path) for path in checkpoints or []]
    with Session(database.open_folder(folder(vault))) as session:
        found = find_problems(session, signed, key)
    for problem in found.problems:
        typer.echo(problem)
    typer.echo(
        f"{found.entries} entries, {len(signed)} checkpoints, {len(found.problems)} problems"
    )
    if not signed:
        typer.echo("without --checkpoint a rewritten log isn't found", err=True)
    if found.problems:
        raise typer.Exit(ExitCode.TAMPERED)
