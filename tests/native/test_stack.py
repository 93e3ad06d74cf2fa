"""What runs in every hop keeps its frame on the stack: MicroPython takes a longer one from the
heap, which costs a search for room each time and a collection in the end.

A frame is MicroPython's ``n_state`` words and 12 bytes for each level of exceptions, both in the
prelude of a function's bytecode (``MP_BC_PRELUDE_SIG_DECODE_INTO`` in its py/bc.h).
"""

import ast
from collections.abc import Iterator

import pytest

from bluering import boards, firmware
from bluering.flash import application
from bluering.native.mpy import Kind, RawCode, parse
from tests.targets.loop_flash import BOARD

_LONGEST = 44  # bytes, VM_MAX_STATE_ON_STACK: 11 words of 32 bits
_SCOPES = (ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.ListComp, ast.GeneratorExp)

HOT = {
    "app": """App.cycle App._next_hops App._arrived App._hear App._features App._find_end
        App._read_switches App._tick""",
    "audio/frontend": "FrontEnd.push",
    "audio/mic": "Microphone.read Microphone._narrow",
    "board": "Board.muted Board.pressed",
    "clock": "Clock.advance",
    "commands": "Requests.poll",
    "daytime": "DayTime.tick",
    "kernels": "Kernels.place",
    "leds": "Ws2812.write_again",
    "link/inbox": "Inbox.poll Inbox._can_read Inbox.wait",
    "link/outbox": "Outbox.send Outbox.send_kept Outbox.pump Outbox._can_write",
    "link/telemetry": "Scores.send",
    "privacy/cipher": "Cipher.apply",
    "privacy/codecs": "Encoder.push Encoder.finish Encoder._begin",
    "privacy/endpointer": "EndPointer.push",
    "privacy/false_wakes": "FalseWakes.tick",
    "privacy/preroll": "PreRoll.push",
    "privacy/queue": "Queue.free Queue.commit Queue.send_oldest",
    "privacy/recorder": """Recorder.push Recorder.pump Recorder.note_written Recorder._begin_chunk
        Recorder._finish_chunk Recorder._commit""",
    "privacy/shell": "Shell.push Shell.tick Shell.busy Shell._pre_roll_allowed",
    "reports": "Reports.scores Reports.hops",
    "ring": "Ring.tick Ring.write_frame",
    "spotter/detector": "Detector.step Detector._cool_off",
    "spotter/model": "Model.push Model.finish",
    "spotter/words": "Word.push",
}


@pytest.fixture(scope="module")
def compiled() -> dict[str, bytes]:
    return application.compiled(boards.load(BOARD))


@pytest.mark.parametrize("module", HOT)
def test_what_runs_in_every_hop_has_its_frame_on_the_stack(module, compiled):
    frames = dict(_frames(module, compiled))
    hot = HOT[module].split()
    assert set(hot) <= set(frames)
    too_long = {name: frames[name] for name in hot if frames[name] > _LONGEST}
    assert not too_long, f"bytes of frames, at most {_LONGEST}: {too_long}"


def test_a_long_frame_is_seen(compiled):
    # Once a second, and on purpose: it looks everything up before its rounds.
    assert dict(_frames("app", compiled))["App.listen"] > _LONGEST


def _frames(module: str, compiled: dict[str, bytes]) -> Iterator[tuple[str, int]]:
    """The functions of a module by name, and the bytes of each one's frame."""
    tree = ast.parse((firmware.PACKAGE / f"{module}.py").read_text())
    yield from _walk(parse(compiled[f"/ear/{module}.mpy"]).module, tree, "")


def _walk(raw: RawCode, node: ast.AST, path: str) -> Iterator[tuple[str, int]]:
    """Bytecode nests as the source's scopes do, in their order."""
    for child, scope in zip(raw.children, _scopes(node), strict=True):
        if not isinstance(scope, (ast.FunctionDef, ast.ClassDef)):
            continue
        name = path + scope.name
        if child.kind is Kind.BYTECODE and isinstance(scope, ast.FunctionDef):
            yield name, _frame(child.code)
        yield from _walk(child, scope, name + ".")


def _scopes(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _SCOPES):
            yield child
        elif not (isinstance(child, ast.If) and ast.unparse(child.test) == "__debug__"):
            yield from _scopes(child)


def _frame(code: bytes) -> int:
    """Bytes: read from the prelude's first numbers, whose bits lie scattered over some bytes."""
    first, more = code[0], 0
    states, exceptions = first >> 3 & 15, first >> 2 & 1
    while code[more] & 0x80:
        more += 1
        states |= (code[more] & 0x30) << 2 * (more - 1)
        exceptions |= (code[more] & 2) << more - 1
    return 4 * (states + 1) + 12 * exceptions
