"""``bluering model``: compile a model for the device, and tell what is in one."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from bluering import files
from bluering.cli.extras import extra
from bluering.cli.options import AsJson
from bluering.models.compiled import describe, parse_compiled
from bluering.models.compiler import compile_model
from bluering.models.errors import ModelError
from bluering.models.tflite_reader import parse_tflite
from ear.spotter.format import MAGIC

app = typer.Typer(help="Compile wake-word models, and look into them.", no_args_is_help=True)


@app.command("compile")
def compile_(
    source: Annotated[Path, typer.Argument(help="A streaming int8 .tflite.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The compiled model (.ear).")],
) -> None:
    """Compile a standard streaming .tflite into the device's format."""
    try:
        blob = compile_model(parse_tflite(_read(source)))
    except ModelError as error:
        raise ModelError(f"{source} can't be compiled: {error}") from error
    files.write(output, blob)
    typer.echo(f"{output}: {len(blob)} bytes", err=True)


@app.command()
def info(
    file: Annotated[Path, typer.Argument(help="A .tflite or a compiled model.")],
    as_json: AsJson = False,
) -> None:
    """Tell what a model is made of, and whether the device can run it."""
    data = _read(file)
    try:
        facts = _facts(data)
    except ModelError as error:
        raise ModelError(f"{file}: {error}") from error
    if as_json:
        typer.echo(json.dumps(facts, indent=2))
        return
    _print(file, facts)


@app.command("second-look")
def second_look(
    model: Annotated[str, typer.Argument(help="A packaged model's name, or a manifest.")],
    clips: Annotated[list[Path], typer.Argument(help="Recordings of the word, one in each.")],
    call: Annotated[Path, typer.Option(help="A clear call: its beginning leads the model in.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="NAME.look.json")],
    confirm: Annotated[
        float, typer.Option(min=0.5, max=1, help="Share of the wakes that it must confirm.")
    ] = 0.95,
) -> None:
    """Choose what a second look at this model's wakes takes ('bluering listen --second-look')."""
    with extra("validate"):
        from bluering import audio
        from bluering.models import look
        from bluering.models.packaged import chosen
    made = look.make(chosen(model), audio.read(call), map(audio.read, clips), confirm)
    files.write(output, look.dump(made))
    typer.echo(f"{output}: cutoff {made.cutoff} of 255 confirms {made.confirmed}", err=True)


def _facts(data: bytes) -> dict[str, Any]:
    blob = data if data.startswith(MAGIC) else compile_model(parse_tflite(data))
    return {"file_bytes": len(data), "compiled": describe(parse_compiled(blob))}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} can't be read: {error.strerror}") from error


def _print(file: Path, facts: dict[str, Any]) -> None:
    compiled = facts["compiled"]
    console = Console()
    console.print(f"{file}, {facts['file_bytes']} bytes")
    grid = Table.grid(padding=(0, 2))
    rows = {
        "source SHA-256": compiled["source_sha256"],
        "compiled": f"{compiled['bytes']} bytes, format version {compiled['format_version']}",
        "runs": f"every {compiled['stride']} rows of {compiled['features']} features",
        "input": f"scale {compiled['input_scale']:.6g}, zero point {compiled['input_zero_point']}",
        "memory": f"{compiled['arena_bytes']} bytes, of them "
        f"{sum(compiled['state_bytes'])} in {len(compiled['state_bytes'])} states",
        "work": f"{compiled['multiply_accumulates']} multiply-accumulates a step",
    }
    for name, value in rows.items():
        grid.add_row(name, value)
    console.print(grid)
    table = Table("operator", "layer", "inputs or taps", "outputs", box=None)
    for layer in compiled["layers"]:
        cells = layer["operator"], layer["kind"], layer["inputs"], layer["outputs"]
        table.add_row(*map(str, cells))
    console.print(table)
