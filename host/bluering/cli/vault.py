"""``bluering vault``: see, play, export and delete what was recorded."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from bluering.audio import sound_card
from bluering.cli.extras import extra
from bluering.cli.options import AsJson
from bluering.cli.vault_options import VaultFolder, ask_passphrase, folder, open_vault
from bluering.errors import BlueRingError, ExitCode
from bluering.files import write_private
from ear.audio.format import RATE

if TYPE_CHECKING:
    from bluering.samples import Samples
    from bluering.vault.models import Recording, Wake
    from bluering.vault.vault import Vault

_COMMAND = "command"
"""Why, on the log of a vault that is under review."""

app = typer.Typer(help="See, play, export and delete what was recorded.", no_args_is_help=True)

Name = Annotated[
    str, typer.Argument(metavar="RECORDING", help="The first characters of its id, or 'last'.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Don't ask.")]
Database = Annotated[
    str | None,
    typer.Option(help="URL of a PostgreSQL database instead of SQLite in the vault's folder."),
]


@app.command()
def create(
    vault: VaultFolder = None,
    passphrase: Annotated[
        bool, typer.Option("--passphrase", help="Ask for one instead of using the keyring.")
    ] = False,
    database: Database = None,
) -> None:
    """Make a vault."""
    with extra("vault"):
        from bluering.vault.vault import Vault
    phrase = ask_passphrase(confirm=True) if passphrase else None
    Vault.create(folder(vault), phrase, database).close()
    typer.echo(f"the vault is in {folder(vault)}")


@app.command("list")
def list_recordings(
    vault: VaultFolder = None,
    everything: Annotated[bool, typer.Option("--all", help="Deleted ones too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show every recording: when, which word, how long, until when it is kept."""
    opened = open_vault(vault)
    opened.note("list", why=_COMMAND)
    entries = opened.list(tombstones=everything)
    if as_json:
        for recording, wake in entries:
            typer.echo(json.dumps(_facts(recording, wake)))
        return
    table = Table("id", "when (UTC)", "word", "score", "seconds", "", "kept until")
    for recording, wake in entries:
        facts = _facts(recording, wake)
        state = "" if facts["complete"] else "incomplete"
        table.add_row(
            recording.id[:8],
            facts["received_at"] or "",
            facts["word"] or "",
            f"{facts['score']} of {facts['cutoff']}" if wake else "",
            f"{facts['seconds']:.1f}" if recording.samples else "",
            f"deleted: {facts['deleted_why']}" if recording.deleted_at else state,
            facts["delete_after"] or "",
        )
    Console().print(table)


@app.command()
def play(name: Name = "last", vault: VaultFolder = None) -> None:
    """Play a recording."""
    sounddevice = sound_card()
    opened = open_vault(vault)
    samples = _sound(opened, name, "hear")
    try:
        sounddevice.play(samples, RATE, blocking=True)
    except sounddevice.PortAudioError as error:
        raise BlueRingError(
            f"this computer can't play it ({error})", "'bluering vault export' writes a file"
        ) from error


@app.command()
def export(
    name: Name,
    output: Annotated[Path, typer.Option("--output", "-o", help="A .wav or .flac file.")],
    vault: VaultFolder = None,
) -> None:
    """Write a recording to a file, without any metadata. From then on it is yours to guard."""
    with extra("vault"):
        from bluering.vault import sound
    write = {".wav": sound.to_wav, ".flac": sound.to_flac}.get(output.suffix.lower())
    if write is None:
        raise BlueRingError(f"can't write {output}: its name must end with .wav or .flac")
    write_private(output, write(_sound(open_vault(vault), name, "export sound")))


@app.command()
def delete(
    name: Annotated[
        str | None, typer.Argument(metavar="RECORDING", help="Its id's beginning, or 'last'.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every recording.")] = False,
    yes: Yes = False,
    vault: VaultFolder = None,
) -> None:
    """Really delete: the recording's key is destroyed and its file removed."""
    if everything == (name is not None):
        raise BlueRingError("name a recording or 'last', or give --all")
    opened = open_vault(vault)
    ids = [row.id for row, _ in opened.list()] if name is None else [opened.find(name).id]
    if not yes:
        typer.confirm(f"delete {len(ids)} recordings for ever?", abort=True, err=True)
    typer.echo(f"{opened.delete(ids, 'owner')} recordings deleted")


@app.command()
def purge(
    older_than: Annotated[
        int | None, typer.Option(min=0, metavar="DAYS", help="Also what is older than this.")
    ] = None,
    vault: VaultFolder = None,
) -> None:
    """Delete what has outlived its retention."""
    typer.echo(f"{open_vault(vault).purge(older_than_days=older_than)} recordings deleted")


@app.command()
def verify(vault: VaultFolder = None) -> None:
    """Read everything; find altered, missing and surplus files. Exit code 4 if there are any."""
    with extra("vault"):
        from bluering.vault import upkeep
    opened = open_vault(vault)
    opened.note("verify", why=_COMMAND)
    report = upkeep.verify(opened)
    for problem in report.problems:
        typer.echo(problem)
    typer.echo(
        f"{report.recordings} recordings, {report.tombstones} deleted ones, "
        f"{len(report.problems)} problems"
    )
    if not report.ok:
        raise typer.Exit(ExitCode.TAMPERED)


@app.command()
def backup(
    output: Annotated[Path, typer.Argument(metavar="FILE")], vault: VaultFolder = None
) -> None:
    """Write everything, still encrypted, to one file that a passphrase opens anywhere."""
    with extra("vault"):
        from bluering.review.backup import REVIEW
        from bluering.vault.backup import backup as write
    count = write(open_vault(vault), output, ask_passphrase(confirm=True), [REVIEW])
    typer.echo(f"{count} recordings in {output}")


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(metavar="FILE")],
    vault: VaultFolder = None,
    database: Database = None,
) -> None:
    """Make a vault out of a backup."""
    with extra("vault"):
        from bluering.review.backup import REVIEW
        from bluering.vault.backup import restore as read
    count = len(read(source, folder(vault), ask_passphrase(), database, [REVIEW]).list())
    typer.echo(f"{count} recordings in {folder(vault)}")


@app.command()
def page(
    vault: VaultFolder = None,
    port: Annotated[int, typer.Option(help="TCP port on this computer; 0: any.")] = 0,
) -> None:
    """Show everything in the browser, on this computer alone, until Ctrl-C."""
    with extra("vault"):
        from bluering.vault.page import Page
    server = Page(open_vault(vault), port)
    typer.echo(f"open {server.url} ; Ctrl-C ends")
    try:
        server.serve()
    except KeyboardInterrupt:
        typer.echo("closed", err=True)


def _sound(opened: "Vault", name: str, action: str) -> "Samples":
    """A recording's sound; that it was taken is on record first."""
    recording = opened.find(name)
    opened.note(action, recording.id, _COMMAND)
    samples = opened.samples(recording)
    if not len(samples):
        raise BlueRingError(f"nothing of recording {recording.id[:8]} arrived: it has no sound")
    return samples


def _facts(recording: "Recording", wake: "Wake | None") -> dict:
    moments = {
        name: moment and f"{moment:%Y-%m-%d %H:%M:%S}"
        for name in ("received_at", "delete_after", "deleted_at")
        for moment in [getattr(recording, name)]
    }
    return {
        "id": recording.id,
        "device": recording.device,
        "word": wake and wake.word,
        "score": wake and wake.score,
        "cutoff": wake and wake.cutoff,
        "model_sha256": wake and wake.model_sha256,
        "false_by": wake and wake.false_by,
        "seconds": (recording.samples or 0) / RATE,
        "complete": recording.complete,
        "gaps": json.loads(recording.gaps) if recording.gaps else [],
        "ended_by": recording.reason,
        "review": recording.review,
        "deleted_why": recording.deleted_why,
        **moments,
    }
