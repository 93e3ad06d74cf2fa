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
Version = Annotated[
    str | None,
    typer.Option("--firmware-version", metavar="X.Y.Z", help="Another release to download."),
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
    firmware_version: Version = None,
    identity: Identity = None,
    output: Output = None,
) -> None:
    """Join stock MicroPython, application, models and a device's identity into one file."""
    if context.invoked_subcommand:
        return
    if board is None or output is None:
        raise typer.BadParameter("both --board NAME and -o FILE are needed")
    made = device(identity)
    data = build(boards.load(board), words, firmware, firmware_version, made)
    if identity is None:
        keep(made)
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
    version: str | None,
    device: "Device",
) -> bytes:
    """The image of ``device`` for ``board``. A warning goes to standard error when nobody has
    tried the board."""
    with extra("flash"):
        from bluering.flash import image as images
    target = images.target(board)
    if board.supported == "untested":
        typer.echo(f"warning: {board.title} is untested: {board.reason}", err=True)
    chosen = compiled_words(words)  # first: an unknown word costs no download
    stock = _stock_image(target.stock, firmware, version)
    return images.build(board, chosen, stock, device)


def device(given: Path | None) -> "Device":
    """The identity in a file, or a new one, which is kept nowhere yet."""
    with extra("flash"):
        from bluering.flash import identity

    return identity.load(given) if given else identity.new()


def keep(made: "Device") -> None:
    """Keep a new identity on this computer."""
    from bluering.flash import identity

    typer.echo(f"new device {made.id.hex()}: its key is in {identity.save(made)}", err=True)


def _stock_image(name: str, given: Path | None, version: str | None) -> "Firmware":
    """The image from a file, or called ``name``; what is known of it goes to standard error."""
    from bluering.flash import firmware, stock

    if given:
        if version:
            raise typer.BadParameter("--firmware and --firmware-version exclude each other")
        found = firmware.read(given)
        release = stock.known(found.data)
        told = f"{release}, by its SHA-256" if release else f"no image known here: {found.banner}"
        typer.echo(f"{given} is {told}", err=True)
        return found
    sentences: list[str] = []  # told when the progress bar is gone
    with shown(name) as progress:
        path = stock.fetch(name, version or stock.DEFAULT, progress, sentences.append)
    for sentence in sentences:
        typer.echo(sentence, err=True)
    return firmware.read(path)


def compiled_words(words: str) -> list:
    """The words, or their manifests, named in a list with commas, compiled for the device."""
    from bluering.models.packaged import chosen

    names = [name.strip() for name in words.split(",") if name.strip()]
    if not names:
        raise BlueRingError("--words names no word", "try --words alexa")
    return [chosen(name) for name in names]
