"""A thousand recordings over a link that loses, doubles, swaps, spoils, cuts and stalls.

The device's code runs on MicroPython and writes what would go over the wire; here the link is
harmed, and what the receiver stores is compared with what the microphone heard.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from bluering.link.reader import Reader, Received
from bluering.link.records import RecordingChunk, RecordingStart
from bluering.vault import upkeep
from bluering.vault.notices import Notice, Stored
from bluering.vault.receiver import Receiver
from bluering.vault.trust import Registry
from bluering.vault.vault import Vault
from ear.link import frames, messages
from ear.privacy import adpcm, gate
from tests.targets import device
from tests.unit import vault_world

DEVICE = bytes(range(1, 9))
KEY = bytes(range(32))
HOP = 160
SOUND = {messages.RECORDING_START.id, messages.RECORDING_CHUNK.id, messages.RECORDING_END.id}


@dataclass
class Made:
    """What a run on the device made: the bytes on the wire, and what was really heard."""

    stream: bytes
    lights: bytes
    pcm: np.ndarray
    truth: dict[int, dict] = field(default_factory=dict)


def _make(micropython: Path, folder: Path, count: int, speed: int) -> Made:
    rng = np.random.default_rng(3)
    time = np.arange(16000 * 6) / 16000
    tone = 8000 * np.sin(2 * np.pi * (200 + 300 * time) * time)
    pcm = (tone * rng.uniform(0.5, 1, len(tone)) + rng.normal(0, 300, len(tone))).astype("<i2")
    (folder / "pcm").write_bytes(pcm.tobytes())
    arguments = (folder / "settings.json", folder / "pcm", folder, count, speed)
    lines = device.run(micropython, "privacy_recordings.py", *arguments).splitlines()
    truth = {entry["number"]: entry for entry in map(json.loads, lines)}
    assert len(truth) == count
    stream, lights = (folder / "stream").read_bytes(), (folder / "lights").read_bytes()
    return Made(stream, lights, pcm, truth)


@pytest.fixture(scope="module")
def made(micropython: Path, tmp_path_factory) -> Made:
    """500 recordings on each runtime; the link is slow enough to lose some sound itself."""
    return _make(micropython, tmp_path_factory.mktemp("made"), 500, 180)


@pytest.fixture
def vault() -> Iterator[Vault]:
    with vault_world.memory_folder() as folder:
        vault = Vault.create(folder / "vault", vault_world.PASSPHRASE)
        yield vault
        vault.close()


def _expected(made: Made, number: int) -> dict[int, np.ndarray]:
    """The sound at each position (in samples) at which a hop was recorded."""
    taken = made.truth[number]["taken"]
    if not taken:
        return {}
    hops = [made.pcm[HOP * hop : HOP * (hop + 1)] for _, hop in taken]
    sound = np.concatenate(hops).astype("<i2").tobytes()
    packed, unpacked = bytearray(len(sound) // 4), bytearray(len(sound))
    adpcm.encode(sound, packed, adpcm.new_state(), len(sound) // 2)
    adpcm.decode(packed, unpacked, adpcm.new_state(), len(sound) // 2)
    hops = list(np.frombuffer(unpacked, "<i2").reshape(-1, HOP))
    return dict(zip((position for position, _ in taken), hops, strict=True))


def _check_sound(made: Made, stored: Stored) -> None:
    """Complete and equal sample for sample, or its gaps are exactly what is missing."""
    new = stored.recording
    assert new is not None
    expected = _expected(made, new.number)
    missing = np.zeros(len(new.samples), bool)
    for first, count in new.gaps:
        missing[first : first + count] = True
    covered = np.zeros(len(new.samples), bool)
    for position, hop in expected.items():
        piece = slice(position, position + HOP)
        if position + HOP > len(new.samples) or missing[piece].any():
            assert not new.complete
            continue
        np.testing.assert_array_equal(new.samples[piece], hop)
        covered[piece] = True
    assert (covered | missing).all()
    assert not new.samples[missing].any()
    if new.complete:
        assert not new.gaps
        assert len(new.samples) == HOP * len(expected)


def _receive(vault: Vault, pieces: list[bytes], rng: random.Random | None) -> list[Notice]:
    """Feed pieces of the stream; with ``rng``, the link stalls for a while now and then."""
    reader = Reader()
    receiver = Receiver(vault, {DEVICE: KEY}, Registry(), "port")
    now, notices = 0.0, []
    for piece in pieces:
        now += 30 if rng and rng.random() < 0.0005 else 0.01
        notices += receiver.tick(now)
        for event in reader.feed(piece, now):
            notices += receiver.handle(event)
    return notices + list(receiver.tick(now + 60))


def _frames(stream: bytes) -> list[bytes]:
    return [b"\0" + body + b"\0" for body in stream.split(b"\0") if body]


def _sent(stream: bytes, kind: type[RecordingStart] | type[RecordingChunk]) -> set[int]:
    """The numbers of the recordings of which a message of that kind was sent."""
    messages = [e.message for e in Reader().feed(stream, 0.0) if isinstance(e, Received)]
    return {message.number for message in messages if isinstance(message, kind)}


def _harm(pieces: list[bytes], rng: random.Random) -> list[bytes]:
    """Drop, double, swap, flip a bit, cut: about one frame in fifty."""
    harmed: list[bytes] = []
    for piece in pieces:
        kind = rng.randrange(250)
        if kind == 0:
            continue
        if kind == 1:
            piece = piece[:-1] + bytes([piece[-1]]) + piece
        elif kind == 2 and harmed:
            harmed.insert(len(harmed) - 1, piece)
            continue
        elif kind == 3:
            spoilt = bytearray(piece)
            spoilt[rng.randrange(1, len(piece) - 1)] ^= 1 << rng.randrange(8)
            piece = bytes(spoilt)
        elif kind == 4:
            piece = piece[: rng.randrange(1, len(piece))]
        harmed.append(piece)
    return harmed


def test_no_sound_leaves_while_the_ring_is_not_blue(made: Made):
    """Every byte of every frame of sound, also of those that were broken off, left under blue."""
    assert len(made.stream) == len(made.lights)
    at = sound_bytes = 0
    for body in made.stream.split(b"\0"):
        # COBS: a first code above 1 is followed by the kind, the frame's first byte.
        if len(body) > 1 and body[0] > 1 and body[1] == messages.RECORDING_CHUNK.id:
            assert set(made.lights[at : at + len(body)]) == {gate.SHOW_BLUE}
            sound_bytes += len(body)
        at += len(body) + 1
    assert sound_bytes > 500 * len(made.truth)


def test_every_recording_is_whole_or_says_what_is_missing(made: Made, vault: Vault):
    notices = _receive(vault, _frames(made.stream), None)
    stored = [notice for notice in notices if isinstance(notice, Stored)]
    for one in stored:
        _check_sound(made, one)
    kept = {one.recording.number for one in stored if one.recording}
    heard = {one.recording.number for one in stored if one.recording and one.has_sound}
    begun = _sent(made.stream, RecordingStart)  # a mute can come before the first byte is out
    sounded = _sent(made.stream, RecordingChunk)
    unwanted = (gate.FALSE_MARK, gate.CANCEL)
    for number, entry in made.truth.items():
        if entry["ending"] in unwanted:
            # It was over before the button was pressed: deleted afterwards.
            assert all(row.number != number or not row.samples for row, _ in vault.list())
        else:
            # Between two others it is known even if no byte of it came.
            known = number in begun or min(begun) < number < max(begun)
            assert (number in kept) == known
            assert (number in heard) == (number in sounded)
    assert sum(one.recording.complete for one in stored if one.recording) > len(kept) // 5


def test_a_bad_link_costs_sound_but_never_truth(made: Made, vault: Vault):
    rng = random.Random(11)
    notices = _receive(vault, _harm(_frames(made.stream), rng), rng)
    stored = [notice for notice in notices if isinstance(notice, Stored)]
    for one in stored:
        _check_sound(made, one)
    assert len(stored) > 0.5 * len(made.truth)
    assert upkeep.verify(vault).ok
    numbers = [one.recording.number for one in stored if one.recording]
    assert len(numbers) == len(set(numbers))


def _forge(body: bytes, rng: random.Random) -> bytes | None:
    """A frame of sound with a bit of its message flipped and its CRC made right again."""
    message = bytearray(len(body))
    size = frames.unseal(body, len(body), message)
    if size < 0 or message[0] not in SOUND:
        return None
    payload = bytearray(message[frames.HEADER : size])
    payload[rng.randrange(len(payload))] ^= 1 << rng.randrange(8)
    sequence = message[1] | message[2] << 8
    return frames.encode(message[0], sequence, bytes(payload))


def test_no_forgery_is_accepted(made: Made, vault: Vault):
    """One message in every ten is altered; nothing of it may reach the vault."""
    rng = random.Random(12)
    pieces, forged = [], 0
    for piece in _frames(made.stream):
        altered = _forge(piece[1:-1], rng) if rng.random() < 0.1 else None
        forged += altered is not None
        pieces.append(altered or piece)
    for one in _receive(vault, pieces, None):
        if isinstance(one, Stored):
            _check_sound(made, one)
    assert forged > len(made.truth) // 3


def test_a_replay_is_refused(made: Made, vault: Vault):
    pieces = _frames(made.stream)[:2000]
    first = _receive(vault, pieces, None)
    stored = [notice.recording for notice in first if isinstance(notice, Stored)]
    kept = sum(recording is not None and recording.wake is not None for recording in stored)
    assert kept  # the others' beginnings, which could be refused, never came
    again = _receive(vault, pieces, None)
    assert not any(isinstance(notice, Stored) for notice in again)
    assert sum("replay" in notice.text for notice in again) >= kept


def test_the_wrong_key_opens_nothing(made: Made, vault: Vault):
    reader = Reader()
    receiver = Receiver(vault, {DEVICE: bytes(32)}, Registry(), "port")
    notices = [
        notice
        for event in reader.feed(made.stream[:200_000], 0.0)
        for notice in receiver.handle(event)
    ]
    assert not any(isinstance(notice, Stored) for notice in notices)
    assert "the key kept here" in notices[0].text
    assert vault.list() == []
