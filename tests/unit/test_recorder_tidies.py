"""When a recorder collects garbage on a small heap: in hops that do nothing else."""

from types import SimpleNamespace

from ear.audio.format import HOP_BYTES
from ear.privacy import codecs
from ear.privacy.recorder import Recorder
from ear.privacy.recording import Wake

SECONDS = 8
HOPS = 100 * SECONDS


class Outbox:
    """Takes everything at once."""

    pending = 0

    def __init__(self) -> None:
        self.payload = bytearray(512)

    def send(self, *_: int) -> bool:
        return True


def recording(collect) -> Recorder:
    identity = SimpleNamespace(id=bytes(8), key=bytes(32), boot=1, next_number=lambda: 1)
    cipher = SimpleNamespace(start=lambda _: None, stop=lambda: None, apply=lambda *_: None)
    recorder = Recorder(identity, codecs.Encoder(), cipher, Outbox(), 4, bytes, collect)
    recorder.begin(Wake(), 0, 30)
    return recorder


def test_every_2_5_seconds_and_never_when_a_chunk_ends() -> None:
    collected = []
    recorder = recording(lambda: collected.append(recorder.samples // 160))
    for _ in range(HOPS):
        recorder.push(bytes(HOP_BYTES), 0)
        while recorder._queue.waiting:
            recorder.pump()
    assert len(collected) == SECONDS * 2 // 5
    assert {hop % codecs.HOPS_PER_CHUNK for hop in collected} == {2}


def test_not_at_all_where_there_is_room() -> None:
    recorder = recording(None)
    for _ in range(HOPS):
        recorder.push(bytes(HOP_BYTES), 0)
        while recorder._queue.waiting:
            recorder.pump()
    assert recorder.overrun == 0
