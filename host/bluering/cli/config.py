"""``bluering config``: read and change a device's settings, without flashing it."""

import json
from typing import Annotated

import typer

from bluering.cli.monitor import PortOption
from bluering.cli.options import AsJson
from bluering.link import Connection, control
from bluering.link.values import ValueTextError, parse

app = typer.Typer(
    help="Read and change a device's settings: words, cutoffs, light, policy.",
    no_args_is_help=True,
)


@app.command()
def get(
    name: Annotated[str | None, typer.Argument(help="One setting; default: all.")] = None,
    port: PortOption = "auto",
    as_json: AsJson = False,
) -> None:
    """Show the settings, or one of them."""
    with Connection(port) as connection:
        control.tell_time(connection)
        found = control.settings(connection)
    if name is not None and name not in found:
        raise ValueTextError(f"the device has no setting {name!r}; it has {', '.join(found)}")
    shown = found if name is None else {name: found[name]}
    if as_json:
        typer.echo(json.dumps(shown, indent=2))
    elif name is not None:
        typer.echo(json.dumps(found[name]))
    else:
        width = max(map(len, shown))
        for key, value in shown.items():
            typer.echo(f"{key:{width}}  {json.dumps(value)}")


@app.command("set")
def set_value(
    name: Annotated[str, typer.Argument(help="The setting, such as words or cutoff.alexa.")],
    value: Annotated[
        str,
        typer.Argument(
            help="JSON, or plainly: alexa,computer; on; 22:30; never; 0.97 or 0..255; default."
        ),
    ],
    port: PortOption = "auto",
) -> None:
    """Change a setting; it takes effect at once and survives a power cut."""
    wanted = parse(name, value)
    with Connection(port) as connection:
        control.tell_time(connection)
        typer.echo(f"{name}  {json.dumps(control.change(connection, name, wanted))}")
