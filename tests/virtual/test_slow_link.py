"""A link that can't carry everything gets fewer scores, is told so, and hears the rest."""

import os
from pathlib import Path

import pytest

from bluering.link import Lost, Received
from bluering.link.reader import Reader
from bluering.link.records import Health, Record, Ring
from bluering.models.packaged import packaged
from bluering.monitor.state import MonitorState
from bluering.virtual.runner import VirtualBoard

BOARD = Path(__file__).parents[2] / "boards" / "virtual.toml"
_SECONDS = 90


@pytest.fixture
def slow(tmp_path: Path) -> VirtualBoard:
    """A board whose link carries 4 bytes in a hop: three words say more."""
    text = BOARD.read_text()
    assert "link_rate = 10000" in text
    file = tmp_path / "virtual.toml"
    file.write_text(text.replace("link_rate = 10000", "link_rate = 400"))
    words = [packaged(name) for name in ("alexa", "hey_echo", "computer")]
    return VirtualBoard(words, [bytes(32000)] * _SECONDS, board=str(file))


def test_scores_come_less_often_until_nothing_is_dropped(slow: VirtualBoard) -> None:
    reader, state = Reader(), MonitorState()
    said: list[Record] = []
    notes: list[str] = []
    lost = 0
    with slow as board:
        while data := os.read(board.from_device.fileno(), 65536):
            for event in reader.feed(data, 0.0):
                notes += [note.text for note in state.apply(event)]
                if isinstance(event, Received):
                    said.append(event.message)
                elif isinstance(event, Lost):
                    lost += event.frames
    health = [message for message in said if isinstance(message, Health)]
    every = [message.scores_every for message in health]
    assert every[0] == 1
    assert every == sorted(every)
    assert 1 < every[-1] <= 16
    # It has found its pace: no more is dropped, and all that was is known.
    assert health[-1].frames_dropped == health[-5].frames_dropped == lost > 0
    assert [message.hops for message in health][-1] == 100 * _SECONDS
    assert any("the link is too slow: scores come at every" in note for note in notes)
    assert [message for message in said if isinstance(message, Ring)]
