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
    firmware_version: images.Version = None,
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
    # Whatever can be refused without the chip is refused while it runs what it ran.
    new = None
    if image:
        data = _read(image)
    elif board:
        made = images.device(identity)
        data = images.build(boards.load(board), words, firmware, firmware_version, made)
        new = None if identity else made
    else:
        raise typer.BadParameter("give an image, or --board NAME to make one")
    contents = image_file.read(data)
    with esptool.Loader(_free(port), baud) as loader:
        for sentence in flasher.check(loader, contents):
            typer.echo(sentence, err=True)
        if new:
            data = _with_identity(data, new, flasher.owned(loader))
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
    new = None if words is None else images.compiled_words(words)
    given = boards.load(board) if board else None
    with esptool.Loader(_free(port), baud) as loader, shown("writing") as progress:
        flasher.deploy(loader, lambda name: given or boards.load(name), new, progress)
    _greet(port)


def _with_identity(data: bytes, new: "Device", owned: "Owned | None") -> bytes:
    """The image with the identity that the chip has, or else with the ``new`` one, now kept."""
    from bluering.flash import identity
    from bluering.flash import image as image_file

    if owned is None:
        images.keep(new)
        return data
    identity.save(owned.identity)  # whoever holds the chip has the key
    typer.echo(f"device {owned.identity.id.hex()} keeps its identity", err=True)
    return image_file.with_identity(data, owned.identity)


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
