"""``bluering image``: make the one file that is flashed, or list what is in one."""

import json
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bluering import boards, files
from bluering.cli.extras import extra
from bluering.cli.options import AsJson
from bluering.cli.progress import shown
from bluering.errors import BlueRingError

if TYPE_CHECKING:
    from bluering.flash.firmware import Firmware
    from bluering.flash.identity import Identity as Device

app = typer.Typer(help="Make the file that is flashed, or list what is in one.")

Board = Annotated[
    str | None,
    typer.Option("--board", envvar="BLUERING_BOARD", help="A board's name, or its .toml file."),
]
Words = Annotated[
    str, typer.Option("--words", help="Wake words or manifests, separated by commas.")
]
Stock = Annotated[
    Path | None,
    typer.Option("--firmware", metavar="STOCK.bin", help="Stock image, instead of a download."),
]
Identity = Annotated[
    Path | None,
    typer.Option("--identity", metavar="FILE", help="Id and key of the device; default: new."),
]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="The file to write.")]


@app.callback(invoke_without_command=True)
def image(
    context: typer.Context,
    board: Board = None,
    words: Words = "alexa",
    firmware: Stock = None,
    identity: Identity = None,
    output: Output = None,
) -> None:
    """Join stock MicroPython, application, models and a device's identity into one file."""
    if context.invoked_subcommand:
        return
    if board is None or output is None:
        raise typer.BadParameter("both --board NAME and -o FILE are needed")
    data = build(boards.load(board), words, firmware, identity)
    files.write_private(output, data)
    typer.echo(f"wrote {output}: {len(data)} bytes, sha256 {sha256(data).hexdigest()}", err=True)


@app.command()
def inspect(
    file: Annotated[Path, typer.Argument(help="An image.")],
    as_json: AsJson = False,
) -> None:
    """List what is in an image, with hashes; never a device's key."""
    with extra("flash"):
        from bluering.flash import report
    found = report.of(file)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    typer.echo("\n".join(report.lines(found)))


def build(
    board: boards.Board,
    words: str,
    firmware: Path | None,
    identity: Path | None,
    had: "Device | None" = None,
) -> bytes:
    """The image for ``board``, with the identity that the device ``had``, or one from a file.

    Without either the identity is new, and kept on this computer. A warning goes to standard
    error when nobody has tried the board.
    """
    with extra("flash"):
        from bluering.flash import image as images
    target = images.target(board)
    if board.supported == "untested":
        typer.echo(f"warning: {board.title} is untested: {board.reason}", err=True)
    stock = _stock_image(target.stock, firmware)
    return images.build(board, compiled_words(words), stock, had or _device(identity))


def _device(given: Path | None) -> "Device":
    from bluering.flash import identity

    if given:
        return identity.load(given)
    made = identity.new()
    typer.echo(f"new device {made.id.hex()}: its key is in {identity.save(made)}", err=True)
    return made


def _stock_image(name: str, given: Path | None) -> "Firmware":
    from bluering.flash import firmware, stock

    if given:
        return firmware.read(given)
    with shown(name) as progress:
        return firmware.read(stock.fetch(name, progress))


def compiled_words(words: str) -> list:
    """The words, or their manifests, named in a list with commas, compiled for the device."""
    from bluering.models.packaged import chosen

    names = [name.strip() for name in words.split(",") if name.strip()]
    if not names:
        raise BlueRingError("--words names no word", "try --words alexa")
    return [chosen(name) for name in names]
