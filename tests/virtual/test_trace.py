"""The checker that reads link and ring at work: silent about the firmware, loud about faults."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bluering import audio
from bluering.link.reader import Reader, Received
from bluering.link.records import Health, Ring
from bluering.models.packaged import packaged
from bluering.virtual.runner import VirtualBoard
from bluering.virtual.runtime import RuntimeMissingError, find_micropython
from ear import ring
from tests.virtual import trace

CALL = Path(__file__).parents[1] / "gate/corpus/positives/alexa/en-us_m3_165_60.flac"
MUTE = 7


def _run(word_size: int = 64) -> trace.Trace:
    """Three calls; then the switch is pressed for at least a second, and there is a fourth."""
    call, quiet = audio.read(CALL).tobytes(), bytes(32000)

    def sound() -> Iterator[bytes]:
        for _ in range(3):
            yield from (call, quiet, quiet)
        board.switch(MUTE, 0)
        yield from (quiet, quiet, quiet, call, quiet, quiet, quiet)

    board = VirtualBoard(
        [packaged("alexa")],
        sound(),
        word_size=word_size,
        settings={"record": True, "longest_s": 1},
        program=trace.PROGRAM,
    )
    stream, reader, lights = b"", Reader(), []
    with board:
        while data := os.read(board.from_device.fileno(), 65536):
            stream += data
            for event in reader.feed(data, 0.0):
                message = event.message if isinstance(event, Received) else None
                if isinstance(message, Ring):
                    lights.append(ring.STATES[message.state])
                # While it is muted no sound is heard, and so none is played: lifted from here.
                elif isinstance(message, Health) and len(lights) > 3 and lights[-1] == "muted":
                    board.switch(MUTE, 1)
        board.wait()
        return trace.read(board, stream)


@pytest.fixture(scope="module")
def clean() -> trace.Trace:
    return _run()


@pytest.mark.parametrize("word_size", [64, 32])
def test_the_firmware_keeps_its_promises(word_size: int) -> None:
    try:
        find_micropython(word_size)
    except RuntimeMissingError as error:
        pytest.skip(str(error))
    found = trace.check(_run(word_size))
    assert found.violations == []
    assert found.recordings >= 3
    assert found.audio_bytes > 3 * 4000


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("leaves blue while it sends", "of sound at"),
        ("records under another light", "without a blue ring"),
        ("blue without a recording", "held no recording"),
        ("hears while muted", "heard while muted"),
        ("ends nothing", "had no end when the next one began"),
    ],
)
def test_a_fault_in_the_gate_is_seen(
    monkeypatch: pytest.MonkeyPatch, fault: str, words: str
) -> None:
    monkeypatch.setenv("BLUERING_GATE_FAULT", fault)
    violations = trace.check(_run()).violations
    assert any(words in violation for violation in violations), violations


def test_a_ring_that_is_late_by_one_byte_is_seen(clean: trace.Trace) -> None:
    """Each end of each blue stretch, moved until it cuts a byte of sound off."""
    sound = [at for at, body in clean.bodies() if body[1:2] == bytes([trace.AUDIO]) and body[0] > 1]
    for begun, ceased in clean.blue_runs():
        first = next(at for at in sound if at >= begun.at)
        last = max((at for at in sound if ceased is None or at < ceased.at), default=first)
        for place, moved in ((begun, first + 1), (ceased, last + 1)):
            if place is None:
                continue
            shown = [replace(one, at=moved) if one == place else one for one in clean.shown]
            assert trace.check(trace.Trace(clean.stream, shown)).violations


def test_sound_of_a_broken_frame_counts(clean: trace.Trace) -> None:
    at, body = next((at, body) for at, body in clean.bodies() if body[1] == trace.AUDIO)
    stray = clean.stream + b"\0" + body[:40]
    assert at
    assert trace.check(trace.Trace(stray, clean.shown)).violations == [
        f"40 bytes of sound at {len(clean.stream) + 1} without a blue ring"
    ]
