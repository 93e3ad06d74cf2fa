"""One recording put together again from its messages: verified, decrypted, gaps marked."""

import hashlib
import hmac
from dataclasses import dataclass, field

import numpy as np
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bluering.link import codec
from bluering.link.records import FalseWake, RecordingChunk, RecordingEnd, RecordingStart
from bluering.samples import Samples
from bluering.vault.vault import Gap, NewRecording, NewWake
from ear.audio.format import RATE
from ear.privacy import codecs, gate, keys
from ear.privacy.recording import CONSENT_REVIEW

_LONGEST = 65 * RATE  # samples: more than any device records
_UNKNOWN_END = "connection lost"

Tagged = RecordingStart | RecordingChunk | RecordingEnd | FalseWake


class ForgeryError(Exception):
    """A message's tag doesn't fit: it was altered, or made without the device's key."""


@dataclass(frozen=True)
class RecordingKeys:
    """What opens one recording."""

    encryption: bytes
    authentication: bytes


def recording_keys(device_key: bytes, start: RecordingStart) -> RecordingKeys:
    """The keys of the recording that ``start`` begins."""
    info = keys.RECORDING + start.boot.to_bytes(4, "little")
    info += start.number.to_bytes(4, "little")
    both = HKDF(hashes.SHA256(), 2 * keys.KEY_SIZE, start.salt, info).derive(device_key)
    return RecordingKeys(both[: keys.KEY_SIZE], both[keys.KEY_SIZE :])


def check_tag(key: bytes, message: Tagged) -> None:
    """Raises ForgeryError unless the message's tag was made with this key."""
    declaration = message.declaration
    payload = codec.pack(message)
    parts = keys.sealed_parts(declaration, payload, declaration.size - keys.TAG_SIZE)
    tag = hmac.new(key, b"".join(parts), hashlib.sha256).digest()
    if not hmac.compare_digest(tag, message.tag):
        raise ForgeryError(declaration.name)


@dataclass
class Assembly:
    """A recording that is being received; ``start`` has been verified with ``keys``."""

    start: RecordingStart
    keys: RecordingKeys
    end: RecordingEnd | None = None
    _pieces: dict[int, tuple[int, Samples]] = field(default_factory=dict)

    def add(self, chunk: RecordingChunk) -> None:
        """Take a chunk, in any order; one that is there already changes nothing.

        Raises ForgeryError.
        """
        check_tag(self.keys.authentication, chunk)
        if chunk.sequence in self._pieces:
            return
        samples = self._open(chunk)
        if len(samples) != chunk.samples or chunk.first + chunk.samples > _LONGEST:
            raise ForgeryError("a chunk that no device makes")
        self._pieces[chunk.sequence] = (chunk.first, samples)

    def finish(self, end: RecordingEnd) -> None:
        """Take the end. Raises ForgeryError."""
        check_tag(self.keys.authentication, end)
        if end.samples > _LONGEST:
            raise ForgeryError("an end that no device makes")
        self.end = end

    @property
    def whole(self) -> bool:
        """Whether the end and every chunk before it are here."""
        return self.end is not None and len(self._pieces) >= self.end.chunks

    @property
    def length(self) -> int:
        """Samples up to the newest one received, or to the end where that is known."""
        received = max((first + len(piece) for first, piece in self._pieces.values()), default=0)
        return max(received, self.end.samples if self.end else 0)

    def has(self, count: int) -> bool:
        """Whether the first ``count`` samples are here without a gap."""
        here = 0
        for first, piece in sorted(self._pieces.values(), key=lambda entry: entry[0]):
            if first > here or here >= count:
                break
            here = max(here, first + len(piece))
        return here >= count

    def samples(self) -> Samples:
        """What there is of the sound, silence in its gaps."""
        samples = np.zeros(self.length, np.int16)
        for first, piece in self._pieces.values():
            samples[first : first + len(piece)] = piece
        return samples

    def gaps(self) -> tuple[Gap, ...]:
        """What is missing of it; where the end never came, that counts as a gap of length 0."""
        found: list[Gap] = []
        here = 0
        for first, piece in sorted(self._pieces.values(), key=lambda entry: entry[0]):
            if first > here:
                found.append((here, first - here))
            here = max(here, first + len(piece))
        if self.length > here or self.end is None:
            found.append((here, self.length - here))
        return tuple(found)

    def wake(self, session: str) -> NewWake:
        """The wake that caused it."""
        start = self.start
        return NewWake(
            session,
            start.position * codecs.HOP,
            start.name,
            start.score,
            start.cutoff,
            start.model_sha256.hex(),
        )

    def recording(self, session: str) -> NewRecording:
        """The recording as the vault takes it, whole or with its gaps."""
        start, gaps = self.start, self.gaps()
        return NewRecording(
            device=start.device.hex(),
            boot=start.boot,
            number=start.number,
            salt=start.salt.hex(),
            wake=self.wake(session),
            samples=self.samples(),
            pre_roll=start.pre_roll,
            codec=codecs.NAME,
            complete=self.whole and not gaps,
            reason=_reason(self.end),
            gaps=gaps,
            review=bool(start.consent & CONSENT_REVIEW) and self.length > 0,
            retention_days=start.retention_days,
        )

    def _open(self, chunk: RecordingChunk) -> Samples:
        counter = chunk.sequence.to_bytes(12, "big") + bytes(4)
        decryptor = Cipher(algorithms.AES(self.keys.encryption), modes.CTR(counter)).decryptor()
        try:
            body = codecs.decode(decryptor.update(chunk.data))
        except ValueError as error:
            raise ForgeryError(str(error)) from None
        return np.frombuffer(body, "<i2")


def nothing_of(number: int, newer: RecordingStart) -> NewRecording:
    """A recording of which nothing can be opened, not even its beginning.

    That it was is known from ``newer``, a verified one of the same start: numbers are counted up.
    How long it was, and what the owner allowed for it, isn't known: nobody is to review it.
    """
    return NewRecording(
        device=newer.device.hex(),
        boot=newer.boot,
        number=number,
        salt="",
        wake=None,
        samples=np.zeros(0, np.int16),
        pre_roll=0,
        codec=codecs.NAME,
        complete=False,
        reason=_UNKNOWN_END,
        gaps=((0, 0),),
        review=False,
        retention_days=newer.retention_days,
    )


def _reason(end: RecordingEnd | None) -> str:
    if end is None:
        return _UNKNOWN_END
    return gate.EVENTS[end.reason] if end.reason < len(gate.EVENTS) else "unknown"
