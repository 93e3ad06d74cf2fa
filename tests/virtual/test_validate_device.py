"""The firmware as an engine: its scores are the reference's, step by step."""

import queue
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from bluering.sound_files import HOP, RATE, read
from bluering.validate import device
from bluering.validate.acoustic import AcousticEngine
from bluering.validate.choose import choose_model, compiled
from bluering.validate.engines import EngineSpec, TargetError, engine_spec, open_engine
from bluering.validate.mix import placed
from bluering.virtual.hub import Hub
from bluering.virtual.pipe import Pipe
from bluering.virtual.runner import VirtualBoard
from bluering.virtual.runtime import RuntimeMissingError, find_micropython

CORPUS = Path(__file__).parents[1] / "gate" / "corpus"


@pytest.fixture(autouse=True)
def _close() -> Iterator[None]:
    yield
    open_engine.cache_clear()
    device.close_devices()


@pytest.fixture(params=["virtual", "virtual32"])
def target(request: pytest.FixtureRequest) -> str:
    try:
        find_micropython(32 if request.param == "virtual32" else 64)
    except RuntimeMissingError as error:
        pytest.skip(str(error))
    return request.param


def _spec(target: str, *names: str) -> EngineSpec:
    return engine_spec(target, tuple(choose_model(name) for name in names))


def _recordings() -> list[np.ndarray]:
    """Words and sentences; the last one is no whole number of hops."""
    paths = [*sorted(CORPUS.glob("positives/*/*"))[::6], *sorted(CORPUS.glob("negatives/*/1*"))]
    return [*(read(path) for path in paths), read(paths[0])[: 160 * 31 + 7]]


def test_its_scores_are_the_references(target: str) -> None:
    recordings = _recordings()
    engine, reference = (open_engine(_spec(t, "alexa", "hey_echo")) for t in (target, "reference"))
    assert engine.strides == reference.strides
    for recording in recordings:
        ours, theirs = engine.listen([recording]), reference.listen([recording])
        assert [o.tolist() for o in ours] == [t.tolist() for t in theirs]
    assert len(recordings) > 5


def test_a_board_behind_a_port_is_one_more() -> None:
    recording = _recordings()[0]
    words = [compiled(choose_model("alexa"))]
    quiet = iter(lambda: bytes(3200), b"")
    with (
        VirtualBoard(words, quiet, pace="real") as board,
        Hub(board.from_device, board.to_device, ("127.0.0.1", 0)) as hub,
    ):
        spec = _spec(hub.url, "alexa")
        assert spec.one_at_a_time
        (heard,) = open_engine(spec).listen([recording])
        open_engine.cache_clear()
        with pytest.raises(TargetError, match="hasn't got the model computer"):
            open_engine(_spec(hub.url, "computer"))
        device.close_devices()
    (expected,) = open_engine(_spec("reference", "alexa")).listen([recording])
    assert heard.tolist() == expected.tolist()


class _Loudspeaker:
    """What is played reaches the virtual board's microphone, in real time."""

    latency = 0.0

    def __init__(self) -> None:
        self._hops: queue.Queue[bytes] = queue.Queue(maxsize=10)
        self._start = time.monotonic()
        self.sounddevice = SimpleNamespace(OutputStream=lambda **_: self, PortAudioError=OSError)

    def __enter__(self) -> "_Loudspeaker":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    @property
    def time(self) -> float:
        return time.monotonic() - self._start

    def write(self, samples: np.ndarray) -> None:
        for at in range(0, len(samples), HOP):
            self._hops.put(samples[at : at + HOP].astype("<i2").tobytes().ljust(2 * HOP, b"\0"))

    def air(self) -> Iterator[bytes]:
        for number in range(60 * RATE // HOP):
            time.sleep(max(0.0, number * HOP / RATE - self.time))
            try:
                yield self._hops.get_nowait()
            except queue.Empty:
                yield bytes(2 * HOP)


def test_the_firmware_hears_a_loudspeaker() -> None:
    models = (choose_model("alexa"),)
    speaker = _Loudspeaker()
    played = placed(_recordings()[1]).astype(np.int16)
    with VirtualBoard([compiled(models[0])], speaker.air(), pace="real") as board:
        engine = AcousticEngine(Pipe(board), speaker.sounddevice, "", models)
        (heard,) = engine.listen([played])
    (expected,) = open_engine(_spec("reference", "alexa")).listen([played])
    assert len(heard) == len(expected)
    assert heard.max() > 229
    assert expected.max() > 229
