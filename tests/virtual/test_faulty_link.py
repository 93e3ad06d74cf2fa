"""A thousand recordings through the whole virtual board, over a link on which everything fails.

The firmware runs as it is; between it and ``bluering listen`` frames are dropped, doubled, swapped,
spoilt, cut, held up, forged and replayed, the cable comes off, the ring fails, somebody mutes the
device, presses its button or changes its settings. Whatever happens: each recording is stored whole
and equal sample for sample, or says where it isn't; and the trace of link and ring shows no byte of
sound without a blue ring. Only a recording of which no word arrives, nor of any after it (or, on
a connection's first, of any before it), nobody can know of.

``make test`` runs 60; all 1,000 with: python -m pytest tests/virtual/test_faulty_link.py -m soak -s
"""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest

from bluering import audio
from bluering.link.records import (
    FalseWake,
    Record,
    RecordingChunk,
    RecordingEnd,
    RecordingStart,
)
from bluering.models.packaged import packaged
from bluering.vault import listening, receiver, upkeep
from bluering.vault.notices import Notice, Stored
from bluering.vault.vault import NewRecording, Vault
from bluering.virtual.runner import VirtualBoard
from bluering.virtual.runtime import RuntimeMissingError, find_micropython
from ear.privacy import adpcm, gate
from ear.privacy.recording import CONSENT_REVIEW
from tests.unit import vault_world
from tests.virtual import trace
from tests.virtual.faulty_link import FaultyLink

HOP = 160
CALLS = Path(__file__).parents[1] / "gate" / "corpus" / "positives" / "alexa"
_LONG = (pytest.mark.soak, pytest.mark.timeout(4 * 3600))
UNWANTED = (gate.FALSE_MARK, gate.CANCEL)
_STALLED_S, _LATE_S = 0.6, 0.2  # of the receiver, in place of its 10 s and 1 s


class Scene:
    """Calls without end, each followed by noise that is nowhere the same; keeps what it played."""

    def __init__(self, seed: int, is_enough) -> None:
        self._rng = np.random.default_rng(seed)
        self._calls = [audio.read(path) for path in sorted(CALLS.glob("*.flac"))]
        self._is_enough = is_enough
        self._played: list[np.ndarray] = []

    def __iter__(self) -> Iterator[bytes]:
        while not self._is_enough():
            call = self._calls[self._rng.integers(len(self._calls))]
            length = int(16000 * self._rng.uniform(1.2, 2.4))
            noise = self._rng.normal(0, self._rng.uniform(20, 300), length)
            yield self._play(call)
            yield self._play(noise)
        yield self._play(np.zeros(16000 * 5))  # time for what was begun

    def _play(self, samples: np.ndarray) -> bytes:
        block = samples.astype("<i2")
        self._played.append(block)
        return block.tobytes()

    @cached_property
    def samples(self) -> np.ndarray:
        """All that was played."""
        return np.concatenate(self._played)


@dataclass
class Outcome:
    """What became of the recordings of one run, or of several."""

    recordings: int = 0
    complete: int = 0
    incomplete: int = 0
    empty: int = 0  # of these: that it was is all that is known
    unwanted: int = 0
    unsent: int = 0  # ended before their first byte was out
    lost: int = 0  # nobody can know of it
    audio_bytes: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Outcome") -> None:
        """Take another run's."""
        for name in vars(self).keys() - {"counts"}:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.counts += other.counts


@dataclass
class Run:
    """All that is known of one run."""

    scene: Scene
    traced: trace.Trace
    delivered: list[Record]
    notices: list[Notice]
    kept: set[int]

    @cached_property
    def said(self) -> list[Record]:
        """The messages that left the board, whole."""
        return [message for _, message in self.traced.messages]

    def is_knowable(self, number: int) -> bool:
        """Whether the host can know of it: numbers are counted up, so a later one proves it.

        Before the first one that it can open it answers for those alone of which a piece came:
        it may have begun to listen in between.
        """
        begun = [m.number for m in self.delivered if isinstance(m, RecordingStart)]
        pieces = {m.number for m in self.delivered if isinstance(m, RecordingChunk | RecordingEnd)}
        if not begun or number > max(begun):
            return False
        return number >= min(begun) or number in pieces


def _play(word_size: int, count: int, seed: int, ring_fails: int) -> tuple[Run, Outcome]:
    """So many recordings, from the microphone to the vault."""
    begun: set[int] = set()
    scene = Scene(seed, lambda: len(begun) >= count)
    settings = {"record": True, "longest_s": 1 + seed % 3, "pre_roll": True, "retention_days": 5}
    notices: list[Notice] = []
    os.environ["BLUERING_RING_FAILS"] = str(ring_fails)
    board = VirtualBoard(
        [packaged("alexa")], scene, word_size=word_size, settings=settings, program=trace.PROGRAM
    )
    try:
        with vault_world.memory_folder() as folder, board:
            vault = Vault.create(folder / "vault", vault_world.PASSPHRASE)
            with FaultyLink(board, seed, begun, stall_s=1.5 * _STALLED_S) as link:
                unplugged = _count_unplugged(notices)
                listening.listen(
                    vault,
                    [link.url],
                    {board.identity.id: board.identity.key},
                    lambda _, notice: notices.append(notice),
                    pre_roll=bool(seed % 2),
                    keep_going=lambda: not link.done or unplugged() < link.hangups,
                )
                traced = trace.read(board, bytes(link.stream))
            assert upkeep.verify(vault).ok
            numbers = [row.number for row, _ in vault.list()]
            assert len(numbers) == len(set(numbers))
            vault.close()
    finally:
        del os.environ["BLUERING_RING_FAILS"]
    run = Run(scene, traced, link.delivered, notices, set(numbers))
    return run, Outcome(counts=link.counts)


def _count_unplugged(notices: list[Notice]):
    return lambda: sum(notice.text.startswith("unplugged") for notice in notices)


def _judge(run: Run, outcome: Outcome) -> Outcome:
    """Each recording must have come to one of the ends that are allowed; which ones?"""
    found = trace.check(run.traced)
    assert found.violations == []
    outcome.audio_bytes = found.audio_bytes
    runs = run.traced.blue_runs()
    stored = {
        one.recording.number: one.recording
        for one in run.notices
        if isinstance(one, Stored) and one.recording
    }
    starts = {m.number: m for m in run.said if isinstance(m, RecordingStart)}
    ends = {m.number: m for m in run.said if isinstance(m, RecordingEnd)}
    unwanted = {number for number, end in ends.items() if end.reason in UNWANTED}
    unwanted |= {m.number for m in run.said if isinstance(m, FalseWake)}
    assert stored.keys() <= set(range(1, len(runs) + 1))
    assert {number for number, new in stored.items() if len(new.samples)} <= starts.keys()
    assert len(runs) >= len(starts)
    _check_deleted(run)
    for number, (blue, _) in enumerate(runs, 1):
        outcome.recordings += 1
        new = stored.get(number)
        if new is not None and new.salt:
            _check_facts(new, starts[number])
        if new is not None and len(new.samples):
            _check_sound(run.scene.samples, new, blue.hops, starts[number], ends.get(number))
        elif new is not None:
            _check_empty(new, ends.get(number))
        if number not in starts:
            outcome.unsent += 1
        elif number in unwanted:
            outcome.unwanted += 1
        elif new is not None:
            assert number in run.kept
            outcome.complete += new.complete
            outcome.incomplete += not new.complete
            outcome.empty += not new.complete and not len(new.samples)
        else:
            assert not run.is_knowable(number), f"nothing is known of recording {number}"
            outcome.lost += 1
    return outcome


def _check_deleted(run: Run) -> None:
    """What the owner marked as false, or forbade, isn't kept once the host was told."""
    told = {m.number for m in run.delivered if isinstance(m, FalseWake)}
    assert not told & run.kept


def _check_facts(new: NewRecording, start: RecordingStart) -> None:
    """What the device said of it, and nothing that was altered on the way."""
    assert new.wake is not None
    kept = (new.device, new.boot, new.salt, new.pre_roll, new.retention_days, new.review)
    assert kept == (
        start.device.hex(),
        start.boot,
        start.salt.hex(),
        start.pre_roll,
        start.retention_days,
        bool(start.consent & CONSENT_REVIEW) and len(new.samples) > 0,
    )
    reasons = (new.wake.position, new.wake.word, new.wake.score, new.wake.cutoff)
    assert reasons == (start.position * HOP, start.name, start.score, start.cutoff)
    assert new.wake.model_sha256 == start.model_sha256.hex()


def _check_sound(
    played: np.ndarray,
    new: NewRecording,
    hops: int,
    start: RecordingStart,
    end: RecordingEnd | None,
) -> None:
    """Equal to what the microphone heard from the blue light on, but for the gaps it names."""
    first = hops * HOP - start.pre_roll
    count = -(-max(len(new.samples), end.samples if end else 0) // HOP) * HOP
    expected = _as_decoded(played[first : first + count])[: len(new.samples)]
    missing = np.zeros(len(new.samples), bool)
    for at, length in new.gaps:
        missing[at : at + length] = True
        assert length or at == len(new.samples)
    np.testing.assert_array_equal(new.samples[~missing], expected[~missing])
    assert not new.samples[missing].any()
    assert new.complete == (not new.gaps)
    if new.complete:
        assert end is not None
        assert len(new.samples) == end.samples


def _check_empty(new: NewRecording, end: RecordingEnd | None) -> None:
    """Marked as incomplete from its first sample on, unless it had none."""
    if new.complete:
        assert end is not None
        assert (end.samples, new.gaps) == (0, ())
    else:
        assert new.gaps == ((0, 0),)


def _as_decoded(samples: np.ndarray) -> np.ndarray:
    """What is left of sound after the link's codec."""
    sound = samples.astype("<i2").tobytes()
    packed, unpacked = bytearray(len(sound) // 4), bytearray(len(sound))
    adpcm.encode(sound, packed, adpcm.new_state(), len(sound) // 2)
    adpcm.decode(packed, unpacked, adpcm.new_state(), len(sound) // 2)
    return np.frombuffer(unpacked, "<i2")


def _run_all(total: int, each: int, seed: int, monkeypatch: pytest.MonkeyPatch) -> Outcome:
    monkeypatch.setattr(receiver, "_STALLED_S", _STALLED_S)
    monkeypatch.setattr(receiver, "_LATE_S", _LATE_S)
    both = Outcome()
    while both.recordings < total:
        try:
            word_size = 32 if seed % 2 else 64
            find_micropython(word_size)
        except RuntimeMissingError:
            word_size = 64
        ring_fails = 331 if seed % 3 == 2 else 0
        both.add(_judge(*_play(word_size, each, seed, ring_fails)))
        print(both, flush=True)
        seed += 1
    return both


@pytest.mark.parametrize(
    ("total", "each", "seed"),
    [
        (60, 20, 0),
        pytest.param(500, 50, 0, marks=_LONG),
        pytest.param(500, 50, 1000, marks=_LONG),
    ],
)
def test_every_recording_is_whole_or_says_what_is_missing(
    total: int, each: int, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = _run_all(total, each, seed, monkeypatch)
    assert outcome.recordings >= total
    assert outcome.audio_bytes > 2000 * total
    assert outcome.complete > total // 4
    assert outcome.incomplete > total // 20
    assert outcome.lost <= total // 50
