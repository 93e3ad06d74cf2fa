"""The owner's word counts at once, also in the middle of a recording."""

import time
from pathlib import Path

from bluering import audio, demo
from bluering.link import Received
from bluering.link.records import (
    Record,
    RecordingChunk,
    RecordingEnd,
    RecordingStart,
    Ring,
    Setting,
    SettingChange,
)
from bluering.models.packaged import packaged
from bluering.virtual.pipe import Pipe
from bluering.virtual.runner import VirtualBoard
from ear import ring
from ear.privacy import gate

_PATIENCE_S = 60


def read_until(pipe: Pipe, wanted: type[Record]) -> list[Record]:
    """What came up to and with the first message of a kind."""
    said: list[Record] = []
    end = time.monotonic() + _PATIENCE_S
    while not any(isinstance(message, wanted) for message in said):
        assert time.monotonic() < end, f"no {wanted.__name__} came: {said[-5:]}"
        said += [event.message for event in pipe.poll(0.2) if isinstance(event, Received)]
    return said


def calls_from(path: Path) -> bytes:
    """The scene from the first call on."""
    first = demo.truth().calls[0]
    return audio.read(path)[round((first.start - 2) * audio.RATE) :].tobytes()


def test_no_more_sound_leaves_once_recording_is_forbidden() -> None:
    board = VirtualBoard(
        [packaged("alexa")], [calls_from(demo.FLAC)], pace="real", settings={"record": True}
    )
    with board:
        pipe = Pipe(board)
        said = read_until(pipe, RecordingChunk)
        pipe.send(SettingChange("record", "false"))
        said += read_until(pipe, Setting)
    privacy = RecordingStart | RecordingChunk | RecordingEnd | Ring | Setting
    told = [message for message in said if isinstance(message, privacy)]
    assert any(isinstance(message, RecordingStart) for message in told)
    end, light, setting = told[-3:]
    assert isinstance(end, RecordingEnd)
    assert gate.EVENTS[end.reason] == "cancel"
    assert isinstance(light, Ring)
    assert ring.STATES[light.state] == "listening"
    assert setting == Setting("record", "false")
