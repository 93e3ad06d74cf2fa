"""What a device must do, whatever it is made of, over its port alone."""

import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import bluering
from bluering import audio, demo
from bluering.link import Connection, control, wire
from bluering.link.records import (
    Health,
    Hello,
    HelloRequest,
    Record,
    Ring,
    Scores,
    SettingsRequest,
    Telemetry,
    Wake,
    WiredHop,
    WiredStart,
    WiredStop,
    Word,
)
from bluering.models.packaged import packaged
from bluering.virtual.pipe import Pipe
from bluering.virtual.runner import VirtualBoard
from ear import ring
from ear.link import messages
from tests.watched import Watched

HOP = 160
MUTE = 7  # the virtual board's pin
CRASH = Path(__file__).parents[1] / "device" / "boot_crash.py"
_EARLIEST_S, _LATEST_S = -0.3, 0.5  # after the word's end


def scene(start: float, end: float) -> np.ndarray:
    """A part of the demo's scene, in whole hops."""
    return audio.read(demo.FLAC)[round(start * 100) * HOP : round(end * 100) * HOP]


def alexa() -> tuple[np.ndarray, float]:
    """The scene's first "Alexa" with a second and more around it; where its word ends."""
    call = next(call for call in demo.truth().calls if call.word == "alexa")
    start = round(call.start - 1.2, 2)
    return scene(start, call.end + 1), call.end - start


def hello_of(device: Watched) -> Hello:
    device.link.send(HelloRequest())
    device.until(lambda: device.all(Hello) and device.all(Ring))
    return device.all(Hello)[-1]


def scores(said: list[Record]) -> list[Record]:
    return [message for message in said if isinstance(message, Scores)]


@pytest.fixture
def listening(device: Watched) -> Watched:
    """The device once it listens for "Alexa"."""
    device.until(lambda: device.all(Hello) and "listening" in device.states())
    hello = device.all(Hello)[0]
    device.until(lambda: len({word.index for word in device.all(Word)}) >= hello.words)
    if "Alexa" not in [word.name for word in device.all(Word)]:
        pytest.skip("the device doesn't listen for 'Alexa'; 'bluering deploy --words alexa' helps")
    return device


def test_it_says_hello_and_its_versions(device: Watched) -> None:
    hello = hello_of(device)
    assert hello.protocol == messages.VERSION
    assert hello.firmware == bluering.__version__
    assert (hello.sample_rate, hello.hop) == (audio.RATE, HOP)
    assert hello.runtime.startswith("MicroPython 1.")
    device.until(lambda: len({word.index for word in device.all(Word)}) == hello.words)
    assert hello.words >= 1


def test_a_word_is_heard(listening: Watched) -> None:
    sound, word_end = alexa()
    said = list(wire.hear(listening.link, [sound]))
    wakes = [message for message in said if isinstance(message, Wake)]
    assert [wake.name for wake in wakes] == ["Alexa"]
    after = wakes[0].position * HOP / audio.RATE - word_end
    assert _EARLIEST_S < after <= _LATEST_S
    assert wakes[0].score > wakes[0].cutoff


def test_television_is_not_heard(listening: Watched) -> None:
    first = min(call.start for call in demo.truth().calls)
    sound = scene(max(0, first - 12), first - 1)
    said = list(wire.hear(listening.link, [sound]))
    stride = next(word.stride for word in listening.all(Word) if word.name == "Alexa")
    steps = set(range(2 + stride, len(sound) // HOP + 1, stride))
    assert steps <= {message.position for message in said if isinstance(message, Scores)}
    assert not [message for message in said if isinstance(message, Wake)]


def test_the_same_sound_gives_the_same_scores(listening: Watched) -> None:
    sound, _ = alexa()
    first, second = (scores(list(wire.hear(listening.link, [sound]))) for _ in range(2))
    assert len(first) > 50
    assert first == second


def test_the_ring_tells_what_it_does(listening: Watched) -> None:
    leds = listening.all(Hello)[0].leds
    said = list(wire.hear(listening.link, [scene(0, 1)]))
    lights = [message for message in said if isinstance(message, Ring)]
    assert [ring.STATES[light.state] for light in lights[-2:]] == ["bench", "listening"]
    assert {len(light.colours) for light in lights} == {3 * leds}
    # No light is blue while nothing can be recorded.
    for light in lights:
        pixels = zip(*[iter(light.colours)] * 3, strict=True)
        assert not any(blue and not red and not green for red, green, blue in pixels)


def test_the_switch_mutes_it_and_nothing_else_unmutes_it(
    listening: Watched, board: VirtualBoard
) -> None:
    board.switch(MUTE, 0)
    try:
        listening.until(lambda: listening.states()[-1] == "muted")
        listening.forget()
        listening.link.send(WiredStart())
        listening.link.send(WiredHop(bytes(2 * HOP)))
        listening.link.send(WiredStop())
        control.change(listening.link, "brightness", 100)
        control.change(listening.link, "brightness", 255)
        control.change(listening.link, "words", ["alexa"])
        control.change(listening.link, "words", [])
        listening.listen(2)
        # Other words take a new start, which shows its own light.
        assert set(listening.states()) <= {"starting", "muted"}
        assert listening.states()[-1] == "muted"
        assert not listening.all(Scores)
    finally:
        board.switch(MUTE, 1)
    listening.until(lambda: listening.all(Scores))
    assert listening.states()[-1] == "listening"


def test_settings_are_kept(listening: Watched) -> None:
    before = control.settings(listening.link)
    listening.forget()
    try:
        assert control.change(listening.link, "cutoff.alexa", 255) == 255
        listening.link.send(HelloRequest())
        listening.until(lambda: 255 in [word.cutoff for word in listening.all(Word)])
        with pytest.raises(control.ControlError, match="the board has no word"):
            control.change(listening.link, "words", ["nonsense"])
        assert control.settings(listening.link) == {**before, "cutoff.alexa": 255}
        # No score exceeds it.
        sound, _ = alexa()
        assert not [m for m in wire.hear(listening.link, [sound]) if isinstance(m, Wake)]
    finally:
        control.change(listening.link, "cutoff.alexa", before.get("cutoff.alexa", -1))
    assert control.settings(listening.link) == before


def test_plugging_in_again_finds_it_as_it_was(listening: Watched, port: str) -> None:
    before = listening.all(Hello)[0]
    assert isinstance(listening.link, Connection)
    listening.link.close()
    time.sleep(1)
    with Connection(port) as connection:
        after = Watched(connection)
        assert hello_of(after) == before
        after.until(lambda: after.all(Scores))


def test_a_reset_in_mid_hop(listening: Watched) -> None:
    """Half a recording is in the device, half a hop in its ear, when it starts again."""
    sound, _ = alexa()
    expected = scores(list(wire.hear(listening.link, [sound])))
    session = listening.all(Hello)[0].session
    playing = wire.hear(listening.link, itertools.repeat(sound))
    for _ in range(5):
        next(playing)
    _write(listening, b"\0\x07half a hop")
    assert control.leave(listening.link)
    _write(listening, b"\r\x03\x03\x02\rimport machine; machine.reset()\r")
    listening.until(lambda: session not in (hello_of(listening).session, 0))
    assert scores(list(wire.hear(listening.link, [sound]))) == expected


def _write(device: Watched, data: bytes) -> None:
    port = getattr(device.link, "_port", None)
    assert port is not None
    port.write(data)


def test_a_reset_button_in_mid_hop(listening: Watched, board: VirtualBoard) -> None:
    sound, _ = alexa()
    playing = wire.hear(listening.link, itertools.repeat(sound))
    for _ in range(5):
        next(playing)
    board.restart("reset")
    with pytest.raises(wire.WireError, match=r"restarted|left the bench|lost|are none"):
        list(playing)
    said = list(wire.hear(listening.link, [sound]))
    assert [m.name for m in said if isinstance(m, Wake)] == ["Alexa"]


@pytest.mark.usefixtures("board")
def test_three_crashes_lead_to_safe_mode() -> None:
    """On a virtual board of its own, whose program crashes."""
    room = itertools.repeat(bytes(32000))
    with VirtualBoard([packaged("alexa")], room, pace="real", program=CRASH) as crashing:
        device = Watched(Pipe(crashing))
        device.until(lambda: device.logs("safe_mode"))
        assert device.states()[-1] == "safe_mode"


def test_what_is_lost_is_counted(listening: Watched) -> None:
    """More questions than its link carries answers: the device's count is the host's."""
    listening.link.send(Telemetry(scores_every=1, health_every=100))
    listening.forget()
    listening.until(lambda: listening.all(Health))
    before = listening.all(Health)[-1].frames_dropped
    listening.lost = 0
    # Waiting for sound by wire, it answers as fast as it can be asked.
    listening.link.send(WiredStart())
    for _ in range(60):
        listening.link.send(SettingsRequest())
    listening.link.send(WiredStop())
    listening.forget()
    listening.until(lambda: any(h.frames_dropped > before for h in listening.all(Health)))
    assert listening.all(Health)[-1].frames_dropped - before == listening.lost > 0


@pytest.fixture
def calm(listening: Watched) -> Iterator[Watched]:
    """The device with few scores, so that an hour of them can be kept."""
    yield listening
    listening.link.send(Telemetry(scores_every=1, health_every=100))


@pytest.mark.soak
def test_an_hour(calm: Watched) -> None:
    """The same scene for an hour: the same scores each time, no gap, no loss, no leak."""
    sound = audio.read(demo.FLAC)
    end = time.monotonic() + 3600
    first = None
    heaps = []
    while time.monotonic() < end:
        said = list(wire.hear(calm.link, [sound]))
        results = [message for message in said if isinstance(message, Scores | Wake)]
        first = first or results
        assert results == first
        calm.forget()
        calm.listen(10)
        health = calm.all(Health)[-1]
        assert (health.gaps, health.frames_dropped, calm.lost) == (0, 0, 0)
        heaps.append(health.free_heap)
    assert len(heaps) > 10
    assert min(heaps[-5:]) > 0.9 * min(heaps[:5])
