"""``bluering flash`` and ``bluering deploy``: a whole device, or a new application on one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bluering import boards
from bluering.cli import image as images
from bluering.cli.extras import extra
from bluering.cli.progress import shown
from bluering.errors import BlueRingError
from bluering.flash.esptool import BAUD
from bluering.link import ports

if TYPE_CHECKING:
    from bluering.flash.flasher import Owned
    from bluering.flash.identity import Identity as Device

Port = Annotated[
    str,
    typer.Option(
        "--port",
        envvar=["BLUERING_PORT", "ESPTOOL_PORT"],
        help="'auto', a path, 'id:SERIAL' or a pyserial URL.",
    ),
]
Baud = Annotated[
    int, typer.Option("--baud", envvar="ESPTOOLBAUD", help="Speed; native USB ignores it.")
]


def flash(
    image: Annotated[Path | None, typer.Argument(help="An image; else --board makes one.")] = None,
    board: images.Board = None,
    words: images.Words = "alexa",
    firmware: images.Stock = None,
    identity: images.Identity = None,
    port: Port = "auto",
    baud: Baud = BAUD,
) -> None:
    """Make a whole device of a board: write, verify, restart, wait for its hello.

    A device that was flashed before keeps its identity, unless the image brings another.
    """
    with extra("flash"):
        from bluering.flash import esptool, flasher
        from bluering.flash import image as image_file
    if image:
        data = _read(image)
        loader = esptool.Loader(_free(port), baud)
    elif board:
        target = boards.load(board)
        image_file.target(target)  # a board that can't work is refused before its port is opened
        loader = esptool.Loader(_free(port), baud)
        had = None if identity else _kept(flasher.owned(loader))
        data = images.build(target, words, firmware, identity, had)
    else:
        raise typer.BadParameter("give an image, or --board NAME to make one")
    with shown("writing") as progress:
        flasher.flash(loader, data, progress)
    _greet(port)


def deploy(
    board: images.Board = None,
    words: Annotated[str | None, typer.Option("--words", help="Other words than before.")] = None,
    port: Port = "auto",
    baud: Baud = BAUD,
) -> None:
    """Replace only the application; firmware, identity, words and settings stay."""
    with extra("flash"):
        from bluering.flash import esptool, flasher
    loader = esptool.Loader(_free(port), baud)
    new = None if words is None else images.compiled_words(words)
    with shown("writing") as progress:
        flasher.deploy(loader, lambda name: boards.load(board or name), new, progress)
    _greet(port)


def _kept(owned: "Owned | None") -> "Device | None":
    """The identity of a chip, kept on this computer too: whoever holds the chip has the key."""
    from bluering.flash import identity

    if owned is None:
        return None
    identity.save(owned.identity)
    typer.echo(f"device {owned.identity.id.hex()} keeps its identity", err=True)
    return owned.identity


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BlueRingError(f"can't read the image {path}: {error.strerror}") from error


def _free(selector: str) -> str:
    """The path or URL of the port, after making sure that it can be opened."""
    path = ports.resolve(selector)
    ports.open_port(path).close()
    return path


def _greet(selector: str) -> None:
    """Wait for the device's hello and print what runs."""
    from bluering.flash import hello

    typer.echo("written and verified; waiting for the device", err=True)
    device, words = hello.wait(selector)
    typer.echo(f"{device.board} runs bluering {device.firmware} on {device.runtime}")
    for word in words:
        typer.echo(f"  listens for {word.name!r} (cutoff {word.cutoff}, window {word.window})")
