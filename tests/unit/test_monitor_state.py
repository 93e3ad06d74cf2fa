"""What the monitor knows and says of each event."""

from dataclasses import replace

import pytest

from bluering.link import Disconnected, Event, Garbage, Lost, Received, Reconnected, Undecodable
from bluering.link.records import Bye, Health, Log, Record, Ring, Scores, Wake
from bluering.monitor.state import MonitorState
from bluering.monitor.wording import duration, state_name
from ear.ring import BLUE, LISTENING, STATES
from tests.unit.pretend_device import ALEXA, HELLO

_WAKE = Wake(150, 0, 240, 214, bytes(range(32)), "alexa", bytes([204, 255]))


def health(gaps: int = 0, samples_lost: int = 0, frames_dropped: int = 0) -> Health:
    return Health(100, 100, gaps, samples_lost, frames_dropped, 3000, 90_000, 1)


def notes(state: MonitorState, *events: Event | Record) -> list[tuple[str, str]]:
    """What is said of events; a bare record is received at second 1."""
    said = []
    for event in events:
        event = Received(1.0, event) if isinstance(event, Record) else event
        said += [(note.level, note.text) for note in state.apply(event)]
    return said


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (HELLO, ("info", "pretend, firmware 0.1.0, MicroPython 1.27.0 on a test")),
        (
            replace(HELLO, kernels="adpcm, mic"),
            ("info", "pretend, firmware 0.1.0, MicroPython 1.27.0 on a test, native: adpcm, mic"),
        ),
        (ALEXA, ("info", "listens for alexa: cutoff 0.84, model 00010203")),
        (
            _WAKE,
            (
                "wake",
                "alexa: 0.94 over the cutoff 0.84 at hop 150, model 00010203, outputs 0.80 1.00",
            ),
        ),
        (Ring(1, BLUE, bytes(36)), ("info", "ring: blue")),
        (Ring(1, len(STATES), b""), ("info", f"ring: state {len(STATES)}")),
        (health(gaps=1, samples_lost=320), ("warning", "1 gap in the sound: 320 samples lost")),
        (
            health(frames_dropped=2),
            ("warning", "the device dropped 2 messages: the link is too slow"),
        ),
        (Log(0, "a", "all is well"), ("info", "all is well (a)")),
        (Log(2, "model", "it is broken"), ("error", "it is broken (model)")),
        (Log(9, "new", "of a later version"), ("error", "of a later version (new)")),
        (Bye("the sound ended"), ("info", "the application has left: the sound ended")),
        (Lost(1.0, 3), ("warning", "lost on the way: 3 messages")),
        (
            Garbage(1.0, b"Oops\r\nat line 1\r\n"),
            ("warning", "text between messages:\nOops\nat line 1"),
        ),
        (Undecodable(1.0, 63, "unknown"), ("error", "a message can't be read: unknown")),
        (Disconnected(1.0, "gone"), ("error", "disconnected: gone")),
        (Reconnected(1.0, "/dev/x"), ("info", "reconnected: /dev/x")),
    ],
)
def test_what_is_said(event: Event | Record, said: tuple[str, str]) -> None:
    assert notes(MonitorState(), event) == [said]


@pytest.mark.parametrize(
    "event",
    [
        Scores(3, 100, b"\1", b"\1"),
        health(),
        Garbage(1.0, b"\xff\xfe"),
    ],
)
def test_what_is_not_worth_a_line(event: Event | Record) -> None:
    assert notes(MonitorState(), event) == []


def test_only_news_is_told() -> None:
    state = MonitorState()
    undecodable = Undecodable(1.0, 63, "unknown")
    ring = Ring(1, LISTENING, bytes(36))
    bad = health(gaps=1, samples_lost=320, frames_dropped=5)
    news = [HELLO, ALEXA, ring, bad, undecodable]
    assert len(notes(state, *news)) == 6
    assert notes(state, *news) == []
    worse = health(gaps=2, samples_lost=480, frames_dropped=6)
    assert notes(state, worse) == [
        ("warning", "1 gap in the sound: 160 samples lost"),
        ("warning", "the device dropped 1 message: the link is too slow"),
    ]


def test_scores_and_wakes_of_each_word() -> None:
    state = MonitorState()
    notes(state, HELLO, ALEXA, Scores(3, 100, bytes([10, 20]), bytes([30, 40])), _WAKE, _WAKE)
    alexa, other = state.words.values()
    assert (alexa.name, alexa.probability, alexa.mean, alexa.wakes) == ("alexa", 10, 30, 2)
    assert (other.name, other.probability, other.mean, other.wakes) == ("word 1", 20, 40, 0)


def test_the_highest_mean_is_held_for_three_seconds() -> None:
    state = MonitorState()
    held = []
    for at, mean in [(0.0, 10), (1.0, 200), (2.0, 50), (3.9, 60), (4.1, 5), (4.2, 6)]:
        state.apply(Received(at, Scores(0, 0, bytes([mean]), bytes([mean]))))
        held.append(state.words[0].held)
    assert held == [10, 200, 200, 200, 5, 6]


def test_a_restart_forgets_what_was() -> None:
    state = MonitorState()
    notes(state, HELLO, ALEXA, Ring(1, BLUE, bytes(36)), health(gaps=3, samples_lost=1))
    again = replace(HELLO, session=HELLO.session + 1, firmware="0.2.0", runtime="MicroPython")
    assert notes(state, again) == [
        ("warning", "the device has restarted"),
        ("info", "pretend, firmware 0.2.0, MicroPython"),
    ]
    assert not state.words
    assert state.ring is None
    assert notes(state, health(gaps=1, samples_lost=160)) == [
        ("warning", "1 gap in the sound: 160 samples lost")
    ]


def test_unplugged_nothing_is_known_of_now() -> None:
    state = MonitorState(port="/dev/x")
    notes(state, HELLO, ALEXA, Ring(1, BLUE, bytes(36)), Scores(3, 100, b"\xff", b"\xff"))
    notes(state, Disconnected(1.0, "gone"))
    assert state.port is None
    assert state.ring is None
    assert state.words[0].mean == state.words[0].held == 0
    notes(state, Reconnected(2.0, "/dev/y"))
    assert state.port == "/dev/y"


def test_a_device_can_not_steer_the_terminal() -> None:
    state = MonitorState()
    said = notes(state, Log(0, "x", "\x1b[2Jgone"), Bye("a\x07b"))
    assert [text for _, text in said] == ["�[2Jgone (x)", "the application has left: a�b"]


@pytest.mark.parametrize(
    ("hops", "text"),
    [(0, "0:00:00.00"), (150, "0:00:01.50"), (6_000, "0:01:00.00"), (360_123, "1:00:01.23")],
)
def test_duration(hops: int, text: str) -> None:
    assert duration(hops, HELLO) == text


def test_state_names_are_readable() -> None:
    assert state_name(BLUE) == "blue"
    assert all("_" not in state_name(state) for state in range(len(STATES)))
