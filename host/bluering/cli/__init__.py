"""The command ``bluering``: one module per command, each thin: parse, call, print."""

import sys

import typer

from bluering import __version__
from bluering.cli import (
    audit,
    board,
    config,
    demo,
    doctor,
    failures,
    flash,
    image,
    listen,
    model,
    monitor,
    repl,
    review,
    train,
    validate,
    vault,
    virtual,
)

app = typer.Typer(
    name="bluering",
    help="A wake-word speaker that can be trusted: flash it, watch it, measure it.",
    epilog=(
        "Exit codes: 0 done, 1 failed, 2 a command that can't be understood, 3 measured but not "
        "everything, 4 what was verified was altered, 5 the computer refused (a file, a "
        "full disk), 130 interrupted."
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(audit.app, name="audit")
app.add_typer(board.app, name="board")
app.add_typer(config.app, name="config")
app.add_typer(image.app, name="image")
app.add_typer(model.app, name="model")
app.add_typer(review.app, name="review")
app.add_typer(vault.app, name="vault")
app.command("flash")(flash.flash)
app.command("deploy")(flash.deploy)
app.command("doctor")(doctor.doctor)
app.command("listen")(listen.listen)
app.command("monitor")(monitor.monitor)
app.command("repl")(repl.repl)
app.command("status")(doctor.status)
app.command("train")(train.train)
app.command("virtual")(virtual.virtual)
app.command("try")(demo.try_microphone)
app.command("demo")(demo.demo_scene)
app.add_typer(validate.app, name="validate")


@app.callback(invoke_without_command=True)
def _root(
    show_version: bool = typer.Option(False, "--version", help="Print the version and stop."),
) -> None:
    if show_version:
        typer.echo(f"bluering {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line and end the process."""
    sys.exit(failures.run(app))
