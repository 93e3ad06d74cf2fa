"""``bluering board``: the known boards, what their files say, and a new one."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bluering import boards, files
from bluering.boards import interview, loader, pins, writer
from bluering.boards.schema import Board
from bluering.cli.options import AsJson

app = typer.Typer(help="List, show, check and describe boards.", no_args_is_help=True)
_Name = Annotated[str, typer.Argument(metavar="BOARD", help="A board's name, or its .toml file.")]


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the known boards, whether they work, their PSRAM and their stock image."""
    known = [boards.load(name) for name in boards.names()]
    if as_json:
        keys = {"name", "title", "supported", "reason", "chip", "firmware"}
        typer.echo(json.dumps([board.model_dump(include=keys) for board in known], indent=2))
        return
    table = Table("board", "supported", "what it is, and why not", box=None)
    for board in known:
        table.add_row(board.name, board.supported, _described(board))
    Console().print(table)


@app.command()
def show(board: _Name, as_json: AsJson = False) -> None:
    """Show what a board's file says."""
    found = boards.load(board)
    if as_json:
        typer.echo(found.model_dump_json(indent=2, exclude_none=True))
        return
    typer.echo(writer.dump(found), nl=False)


@app.command()
def check(files: Annotated[list[Path] | None, typer.Argument(help="Default: all.")] = None) -> None:
    """Check board files; every fault is named by file and key."""
    paths = files or [loader.folder() / f"{name}.toml" for name in boards.names()]
    faulty: list[str] = []
    for path in paths:
        try:
            board = loader.read(path)
        except boards.BoardError as error:
            faulty.append(str(error))
            continue
        for problem in pins.problems(board):
            typer.echo(f"{path}: {problem.key}: warning: {problem.text}", err=True)
    if faulty:
        raise boards.BoardError("\n".join(faulty))
    typer.echo(f"{len(paths)} board file{'s' if len(paths) != 1 else ''}: no fault")


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="The new board's name, lower case with hyphens.")],
    folder: Annotated[Path, typer.Option(help="Where to write NAME.toml.")] = Path(),
) -> None:
    """Ask about a board and write its file."""
    path = folder / f"{name}.toml"
    if path.exists():
        raise boards.BoardError(f"{path} exists already", "edit it, or choose another name")
    board = interview.ask(name, path, lambda question, default: typer.prompt(question, default))
    files.write(path, writer.dump(board))
    for problem in pins.problems(board):
        typer.echo(f"{path}: {problem.key}: warning: {problem.text}", err=True)
    typer.echo(f"wrote {path}; use it with --board {path}")


def _described(board: Board) -> str:
    lines = [board.title, board.reason]
    if board.firmware:
        psram = board.chip.psram
        memory = "no PSRAM" if psram == "none" else f"{psram or 'unverified'} PSRAM"
        lines.append(f"{memory}: {board.firmware.stock}")
    return "\n".join(line for line in lines if line)
