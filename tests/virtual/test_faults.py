"""Whatever fails at start or later, the board can be reached, says what it is, and isn't stuck."""

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bluering.link import control
from bluering.link.records import Bye, Hello, Repl, Scores
from bluering.models.packaged import packaged
from bluering.virtual.pipe import Pipe
from bluering.virtual.runner import VirtualBoard
from bluering.virtual.runtime import installed
from tests.watched import Watched

PROGRAM = Path(__file__).parents[1] / "device" / "boot_faults.py"
HEAP = 8 << 20
QUIET = bytes(32000)
MUTE_PIN = 7
NO_MEMORY = "ESP_ERR_NO_MEM'); it wants 20000 bytes, 203728 are free, "
LONGER_THAN_THE_WATCHDOG_S = 9


class Board(Watched):
    """A watched virtual board."""

    def __init__(self, board: VirtualBoard) -> None:
        super().__init__(Pipe(board))
        self.board = board

    def sessions(self) -> int:
        """How many starts said hello."""
        return len({hello.session for hello in self.all(Hello)})


@pytest.fixture
def start(word_size: int) -> Iterator[Callable[[str], Board]]:
    """Starts a board on which something fails."""
    boards: list[VirtualBoard] = []

    def start(fault: str) -> Board:
        runtime = replace(installed(word_size, HEAP), environment={"BLUERING_FAULT": fault})
        board = VirtualBoard(
            [packaged("alexa")],
            itertools.repeat(QUIET),
            pace="real",
            program=PROGRAM,
            runtime=runtime,
        )
        boards.append(board.__enter__())
        return Board(board)

    yield start
    for board in boards:
        board.__exit__()


@pytest.mark.parametrize(
    ("fault", "code", "light", "said"),
    [
        ("i2s-start", "microphone", "error_microphone", NO_MEMORY),
        ("memory", "memory", "error_memory", "allocating 38516 bytes; "),
    ],
)
def test_a_start_that_fails_can_be_reached(
    start: Callable[[str], Board], fault: str, code: str, light: str, said: str
) -> None:
    watched = start(fault)
    watched.until(lambda: watched.logs(code))
    assert said in watched.logs(code)[0]
    assert watched.logs(code)[0].endswith("of them in one piece")
    assert watched.states()[-1] == light
    watched.listen(LONGER_THAN_THE_WATCHDOG_S)
    assert watched.sessions() == 1
    assert watched.all(Hello)[0].words == 0
    assert control.change(watched.link, "retention_days", 7) == 7
    leaves_for_the_prompt(watched)


def test_a_ring_that_can_not_be_written_is_told_once_and_nothing_is_heard(
    start: Callable[[str], Board],
) -> None:
    watched = start("ring")
    watched.until(lambda: watched.logs("ring"))
    watched.listen(LONGER_THAN_THE_WATCHDOG_S)
    assert len(watched.logs("ring")) == 1
    assert "ESP_ERR_NO_MEM" in watched.logs("ring")[0]
    assert watched.sessions() == 1
    assert not watched.all(Scores)
    assert control.change(watched.link, "retention_days", 7) == 7
    leaves_for_the_prompt(watched)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("i2s-later", NO_MEMORY),
        ("i2s-memory", "allocating 2048 bytes; "),
    ],
)
def test_a_microphone_that_does_not_come_back_is_told_once_and_tried_again(
    start: Callable[[str], Board], fault: str, said: str
) -> None:
    watched = start(fault)
    watched.until(lambda: watched.all(Scores))
    watched.board.switch(MUTE_PIN, 0)
    watched.until(lambda: watched.states()[-1] == "muted")
    watched.forget()
    watched.board.switch(MUTE_PIN, 1)
    began = time.monotonic()
    watched.until(lambda: watched.all(Scores))
    assert time.monotonic() - began > 2 * 4  # two tries failed, five seconds apart
    assert len(watched.logs("microphone")) == 1
    assert said in watched.logs("microphone")[0]
    assert watched.states().count("error_microphone") >= 2
    assert watched.states()[-1] == "listening"
    assert not watched.sessions()


def test_safe_mode_when_starting_is_broken(start: Callable[[str], Board]) -> None:
    watched = start("make")
    watched.until(lambda: watched.logs("safe_mode"))
    assert watched.states()[-1] == "safe_mode"
    assert "broken on purpose" in watched.logs("safe_mode")[0]
    assert control.change(watched.link, "retention_days", 7) == 7
    leaves_for_the_prompt(watched)


def test_the_prompt_is_left_when_not_even_light_and_link_can_be_made(
    start: Callable[[str], Board],
) -> None:
    watched = start("base")
    watched.until(lambda: watched.gone)
    assert "broken on purpose" in watched.text
    assert not watched.all(Hello)
    watched.board.wait(5)  # main.py has returned: on the chip the prompt follows
    assert not watched.board.running


def leaves_for_the_prompt(watched: Board) -> None:
    """It says goodbye, its ring is dark, and the prompt is there."""
    watched.forget()
    watched.link.send(Repl())
    watched.until(lambda: ">>> " in watched.text)
    assert watched.all(Bye)
    assert watched.states()[-1] == "off"
    lights = list(watched.board.lights())
    assert not lights or not any(any(pixel) for pixel in lights[-1].pixels)
