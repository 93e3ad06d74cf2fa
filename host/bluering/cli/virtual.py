"""``bluering virtual``: run a virtual board that any serial program can talk to."""

import time
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from bluering import audio
from bluering.flash import memory
from bluering.models.packaged import chosen
from bluering.virtual.hub import Hub, named
from bluering.virtual.runner import Identity, VirtualBoard

Words = Annotated[
    list[str],
    typer.Option("--word", "-w", help="A word to listen for, or a manifest (.json); repeatable."),
]

Roomy = Annotated[
    bool,
    typer.Option("--roomy", help="Lift a board's limits: heap, link, input, time of flash."),
]


def virtual(
    sound: Annotated[
        str,
        typer.Argument(help="A sound file, '-' for raw 16 kHz mono int16 on stdin, or 'mic'."),
    ] = "mic",
    word: Words = ["alexa"],  # noqa: B006 - typer copies it
    tcp: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Serve the link on TCP too.")
    ] = None,
    link: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="A name for the pseudo-terminal: a symbolic link."),
    ] = None,
    word_size: Annotated[
        int, typer.Option(help="Bits in a word of the MicroPython runtime: 64, or 32 as the S3.")
    ] = 64,
    record: Annotated[
        bool, typer.Option("--record", help="Record what follows a wake, ring blue.")
    ] = False,
    fast: Annotated[
        bool,
        typer.Option("--fast", help="As fast as it goes; only the heap is limited then."),
    ] = False,
    roomy: Roomy = False,
) -> None:
    """Run the firmware on this computer; its link is a pseudo-terminal (and a TCP port).

    Ends when the sound ends. Watch it with 'bluering monitor --port PATH'.
    """
    words = [chosen(text) for text in word]
    memory.check(memory.PSRAM, {one.name: len(one.blob) for one in words})
    pace = "fast" if fast else "real"
    with (
        VirtualBoard(
            words,
            blocks(sound),
            pace=pace,
            word_size=word_size,
            settings={"record": record},
            roomy=roomy,
            identity=_identity(),
            starts=int(time.time()),  # higher each time, as a board counts them in its flash
        ) as board,
        Hub(board.from_device, board.to_device, parse_address(tcp)) as hub,
        named(hub.path, link) if link else nullcontext(),
    ):
        typer.echo(f"port: {link or hub.path}")
        if hub.address:
            typer.echo(f"port: {hub.url}")
        board.wait()


def _identity() -> Identity | None:
    """The virtual board's, kept so that 'bluering listen' knows it; somebody new where nothing
    that receives is installed."""
    try:
        from bluering.flash import identity
    except ModuleNotFoundError:
        return None
    kept = identity.named("virtual")
    return Identity(kept.id, kept.key)


def blocks(sound: str):
    """The blocks of bytes that the argument ``sound`` names."""
    if sound == "mic":
        return audio.as_bytes(audio.microphone_blocks())
    if sound == "-":
        return audio.as_bytes(audio.pipe_blocks())
    return audio.as_bytes(audio.file_blocks(Path(sound)))


def parse_address(text: str | None) -> tuple[str, int] | None:
    """HOST:PORT as a pair. Raises typer.BadParameter."""
    if text is None:
        return None
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise typer.BadParameter(f"{text!r} is not HOST:PORT, such as 127.0.0.1:3333")
    return host, int(port)
