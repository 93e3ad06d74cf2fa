"""``bluering listen``: receive recordings into the vault."""

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bluering.cli.extras import extra
from bluering.cli.vault_options import VaultFolder, open_vault
from bluering.errors import BlueRingError

if TYPE_CHECKING:
    from bluering.vault.notices import Notice
    from bluering.vault.receiver import Judge


def listen(
    port: Annotated[
        list[str] | None,
        typer.Option(
            envvar="BLUERING_PORT",
            help="A path, 'id:SERIAL', 'auto', any pyserial URL; repeatable, one for each board.",
        ),
    ] = None,
    vault: VaultFolder = None,
    identity: Annotated[
        list[Path] | None,
        typer.Option(help="A device's identity file; default: all kept on this computer."),
    ] = None,
    execute: Annotated[
        str | None,
        typer.Option(
            "--exec",
            metavar="CMD",
            help="Run for each recording: the event as JSON on its input, a WAV file as its last "
            "argument, removed afterwards.",
        ),
    ] = None,
    webhook: Annotated[
        str | None, typer.Option(metavar="URL", help="POST the event as JSON for each recording.")
    ] = None,
    pre_roll: Annotated[
        bool,
        typer.Option(
            "--pre-roll",
            help="Consent, from this side, to half a second before the wake; the device's "
            "setting 'pre_roll' must be on too.",
        ),
    ] = False,
    second_look: Annotated[
        str | None,
        typer.Option(
            "--second-look",
            metavar="own|MANIFEST",
            help="Hear each wake again, with the model that woke ('own') or with a larger or "
            "stricter one, and cancel what wasn't the word before anything is kept. Needs "
            "--pre-roll.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    duration: Annotated[
        float | None, typer.Option(min=0, help="Seconds to listen; default: until Ctrl-C.")
    ] = None,
) -> None:
    """Receive what one or several boards record, and keep it in the vault."""
    with extra("vault"):
        from bluering.vault import handover, listening
    judge = _judge(second_look, pre_roll)
    gives = [handover.command(execute)] if execute else []
    gives += [handover.web_hook(webhook)] if webhook else []
    end = None if duration is None else time.monotonic() + duration

    def show(source: str, notice: "Notice") -> None:
        if as_json:
            typer.echo(json.dumps({"port": source, "text": notice.text, "failed": notice.failed}))
        else:
            typer.echo(f"{source}: {notice.text}", err=notice.failed)

    with suppress(KeyboardInterrupt):
        listening.listen(
            open_vault(vault),
            port or ["auto"],
            _identities(identity),
            show,
            gives,
            pre_roll,
            judge,
            keep_going=lambda: end is None or time.monotonic() < end,
        )


def _judge(second_look: str | None, pre_roll: bool) -> "Judge | None":
    """The second look, if one is asked for."""
    if second_look is None:
        return None
    if not pre_roll:
        raise BlueRingError(
            "a second look needs the half second before the wake",
            "give --pre-roll too, and allow it on the device with 'bluering config set "
            "pre_roll on'",
        )
    with extra("validate"):
        from bluering.models.packaged import compiled_word
        from bluering.vault.second_look import SecondLook, by_model, by_the_same_model
    own = second_look == "own"
    return SecondLook(by_the_same_model() if own else by_model(compiled_word(Path(second_look))))


def _identities(files: list[Path] | None) -> dict[bytes, bytes]:
    """Device ids and keys: of the files named, else of all devices flashed from here."""
    with extra("flash"):
        from bluering.flash import identity
    known = [identity.load(path) for path in files] if files else identity.saved().values()
    return {one.id: one.key for one in known}
