"""``bluering demo`` and ``bluering try``: watch a virtual board listen."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Annotated

import typer
from rich.console import Console

from bluering import audio, demo, monitor
from bluering.cli.virtual import Roomy, Words
from bluering.demo import outcome
from bluering.link import Connection
from bluering.models.packaged import CompiledWord, chosen, packaged
from bluering.monitor import MonitorState
from bluering.virtual.hub import Hub
from bluering.virtual.runner import VirtualBoard


def demo_scene(roomy: Roomy = False) -> None:
    """Play a minute of television, calls and television to a virtual board, and watch it."""
    truth = demo.truth()
    words = [packaged(name) for name in dict.fromkeys(call.word for call in truth.calls) if name]
    console = Console()
    state = _watch(words, audio.as_bytes(audio.file_blocks(demo.FLAC)), console, roomy)
    names = {word.name: word.manifest.wake_word for word in words}
    result = outcome.compare(truth, state.wakes, names)
    console.print(outcome.table(result))
    heard = sum(call.wake is not None for call in result.calls)
    console.print(
        f"{heard} of {len(result.calls)} calls heard, {len(result.uncalled)} false wakes "
        f"in {truth.seconds:.0f} s."
    )
    if not result.perfect:
        raise typer.Exit(1)


def try_microphone(
    word: Words = ["alexa"],  # noqa: B006 - typer copies it
    device: Annotated[
        str | None, typer.Option(help="The microphone, by a part of its name.")
    ] = None,
    roomy: Roomy = False,
) -> None:
    """Let a virtual board listen to this computer's microphone; say the word. Ctrl-C ends."""
    words = [chosen(text) for text in word]
    console = Console()
    blocks = audio.microphone_blocks(device)
    state = _watch(words, audio.as_bytes(blocks), console, roomy)
    for wake in state.wakes:
        console.print(f'{outcome.seconds(wake):8.2f} s  "{wake.name}"  {wake.score / 255:.2f}')
    console.print(f"{len(state.wakes)} wakes.")


def _watch(
    words: list[CompiledWord], sound: Iterable[bytes], console: Console, roomy: bool
) -> MonitorState:
    """Run a virtual board in real time and show its monitor until the sound ends."""
    with (
        VirtualBoard(words, sound, pace="real", settings=demo.SETTINGS, roomy=roomy) as board,
        Hub(board.from_device, board.to_device) as hub,
        Connection(hub.path) as connection,
    ):
        state = MonitorState(port=connection.port)
        with suppress(KeyboardInterrupt):
            monitor.show(connection, console, lambda: board.running, state)
        if not board.running:
            board.wait()
    return state
