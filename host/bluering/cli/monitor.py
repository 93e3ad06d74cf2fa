"""``bluering monitor``: watch a device listen."""

from contextlib import suppress
from typing import Annotated

import typer
from rich.console import Console

from bluering import monitor as monitoring
from bluering.link import Connection, ports

PortOption = Annotated[
    str,
    typer.Option(
        envvar="BLUERING_PORT",
        help="A path, 'id:SERIAL', 'auto', any pyserial URL such as socket://HOST:PORT; "
        "'list' lists the ports.",
    ),
]


def monitor(
    port: PortOption = "auto",
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line on standard output.")
    ] = False,
    duration: Annotated[
        float | None, typer.Option(min=0, help="Seconds to watch; default: until Ctrl-C.")
    ] = None,
) -> None:
    """Show what a device hears, what it thinks of it, and what its ring shows."""
    if port == "list":
        for line in ports.describe(ports.find()):
            typer.echo(line)
        return
    console = Console()
    with Connection(port) as connection, suppress(KeyboardInterrupt):
        keep_going = monitoring.for_seconds(duration)
        typer.echo(f"connected to {connection.port}; Ctrl-C ends", err=True)
        if as_json:
            monitoring.show_json(connection, keep_going)
        else:
            state = monitoring.MonitorState(port=connection.port)
            monitoring.show(connection, console, keep_going, state)
