"""Starts, crashes, a hang, power cuts and the REPL, on the virtual board."""

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from bluering.link import control
from bluering.link.records import Bye, Hello, Log, Repl, Scores
from bluering.models.packaged import packaged
from bluering.virtual.pipe import Pipe
from bluering.virtual.runner import VirtualBoard
from tests.watched import Watched

DEVICE = Path(__file__).parents[1] / "device"
QUIET = bytes(32000)


@pytest.fixture
def start(word_size: int) -> Iterator[Callable[..., "Board"]]:
    """Starts a board that hears quiet, with a program of tests/device or the firmware."""
    boards: list[VirtualBoard] = []

    def start(program: str | None = None) -> Board:
        words, room = [packaged("alexa")], itertools.repeat(QUIET)
        make = partial(VirtualBoard, words, room, pace="real", word_size=word_size)
        board = make(program=DEVICE / program) if program else make()
        boards.append(board.__enter__())
        return Board(board)

    yield start
    for board in boards:
        board.__exit__()


class Board(Watched):
    """A watched virtual board."""

    def __init__(self, board: VirtualBoard) -> None:
        super().__init__(Pipe(board))
        self.board = board

    def starts(self) -> int:
        """Starts that count as failed, for now."""
        storage = json.loads((self.board.flash / "nvs.json").read_text())
        return storage["bluering_boot"]["starts"]


def test_three_crashes_lead_to_safe_mode(start: Callable[..., Board]) -> None:
    watched = start("boot_crash.py")
    watched.until(lambda: watched.logs("safe_mode"))
    assert watched.states()[-1] == "safe_mode"
    assert len({hello.session for hello in watched.all(Hello)}) == 4
    # Told once by each start that followed a crash, and kept.
    told = watched.logs("crash")
    assert len(told) == 2
    assert all(text.endswith("ValueError: crashed on purpose\n") for text in told)
    assert "crashed on purpose" in watched.logs("safe_mode")[0]
    assert watched.logs("safe_mode")[0].startswith("3 starts in a row failed")
    assert (watched.board.flash / "crash.log").is_file()

    # Its link, its settings and the way to the REPL, nothing else: no sound is heard.
    watched.forget()
    assert control.change(watched.link, "retention_days", 7) == 7
    assert control.settings(watched.link)["retention_days"] == 7
    watched.forget()
    watched.link.send(Repl())
    watched.until(lambda: ">>> " in watched.text)
    assert not watched.all(Scores)


def test_other_words_help_when_a_model_is_broken(word_size: int) -> None:
    """The device says which model it is, stays reachable, fed, and listens once it may."""
    good, broken = packaged("alexa"), replace(packaged("computer"), blob=b"spoilt")
    board = VirtualBoard([good, broken], itertools.repeat(QUIET), pace="real", word_size=word_size)
    with board:
        watched = Board(board)
        watched.until(lambda: watched.logs("model"))
        assert "computer.ear" in watched.logs("model")[0]
        assert watched.states()[-1] == "error_model"
        watched.listen(9)  # longer than the watchdog waits
        assert len({hello.session for hello in watched.all(Hello)}) <= 1
        assert control.change(watched.link, "words", ["alexa"]) == ["alexa"]
        watched.until(lambda: watched.all(Scores))


def test_a_power_cut_is_no_crash_and_leaves_safe_mode(start: Callable[..., Board]) -> None:
    watched = start()
    for _ in range(4):
        watched.forget()
        watched.until(lambda: watched.all(Scores))
        watched.board.restart("power")
    watched.forget()
    watched.until(lambda: watched.all(Scores))
    assert watched.starts() == 1
    assert not watched.all(Log)
    # Resets of a device that never ran for a minute do count.
    watched.board.restart("reset")
    watched.forget()
    watched.until(lambda: watched.all(Scores))
    assert watched.starts() == 2


def test_kernels_that_are_refused_are_told_with_the_reason(start: Callable[..., Board]) -> None:
    watched = start("boot_native_refused.py")
    watched.until(lambda: watched.logs("native") and watched.all(Hello))
    assert watched.all(Hello)[0].kernels == "adpcm, frontend 0/11"
    reasons = "frontend.window gives wrong answers; there is no mic.mpy"
    assert watched.logs("native") == [reasons]


def test_the_watchdog_ends_a_hang(start: Callable[..., Board]) -> None:
    watched = start("boot_hang.py")
    watched.until(lambda: watched.logs("safe_mode"))
    assert len({hello.session for hello in watched.all(Hello)}) == 4
    assert len(watched.logs("watchdog")) == 2


def test_the_repl_and_back(start: Callable[..., Board]) -> None:
    watched = start()
    watched.until(lambda: watched.all(Scores))
    watched.link.send(Repl())
    watched.until(lambda: watched.all(Bye))
    assert watched.states()[-1] == "off"
    watched.until(lambda: ">>> " in watched.text)
    watched.board.to_device.write(b"print(6 * 7)\r")
    watched.until(lambda: "42" in watched.text)
    watched.forget()
    watched.board.to_device.write(b"import machine; machine.reset()\r")
    watched.until(lambda: watched.all(Scores))
    assert watched.starts() == 1
