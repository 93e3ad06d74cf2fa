"""No wait in the firmware is so short that the chip's core never rests.

``sleep_ms`` waits for the last tick of the system's clock, 10 ms, in a busy loop.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from bluering import firmware

TICK_MS = 10
WAITS = ("sleep_ms", "wait")
TOO_SHORT = ("sleep_us", "sleep")


def waits(source: str) -> Iterator[tuple[int, object]]:
    """Line and milliseconds of each wait in a module; a parameter's name where it is handed on
    by a function that is itself called ``wait``."""
    tree = ast.parse(source)
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    handed_on = {
        id(call)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef) and function.name in WAITS
        for call in ast.walk(function)
    }
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ast.unparse(call.func)
        if name in TOO_SHORT:
            yield call.lineno, 0
        elif name in WAITS and id(call) not in handed_on:
            argument = call.args[0] if call.args else None
            if isinstance(argument, ast.Constant):
                yield call.lineno, argument.value
            else:
                said = ast.unparse(argument) if argument else ""
                yield call.lineno, constants.get(said, said)


def too_short(source: str) -> list[int]:
    """The lines whose wait is a tick or less, or of a length that can't be told."""
    return [
        line for line, length in waits(source) if not isinstance(length, int) or length <= TICK_MS
    ]


def sources() -> list[Path]:
    return sorted(firmware.PACKAGE.rglob("*.py"))


def test_no_wait_of_a_tick_or_less() -> None:
    found = {str(path): lines for path in sources() if (lines := too_short(path.read_text()))}
    assert not found
    assert sum(len(list(waits(path.read_text()))) for path in sources()) >= 2


def test_short_waits_are_found() -> None:
    source = "_A = 10\n_B = 11\nsleep_ms(_A)\ntime.sleep_ms(_B)\ninbox.wait(5)\ntime.sleep_ms(x)\n"
    assert too_short(source) == [3, 5, 6]
    assert too_short("time.sleep_us(20000)\n") == [1]
    assert too_short("def wait(ms):\n    time.sleep_ms(ms)\n") == []
