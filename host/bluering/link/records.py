"""The link's messages as typed records.

Made by ``python -m bluering.link.generate`` from ``ear/link/messages.py``: change that.
"""

from dataclasses import dataclass
from typing import ClassVar

from ear.link import messages


class Record:
    """A decoded message; what its fields are stands in its declaration."""

    __slots__ = ()
    declaration: ClassVar[messages.Message]


@dataclass(frozen=True, slots=True)
class Hello(Record):
    """The device presents itself: at its start, and when it is asked to. The words follow."""

    declaration: ClassVar[messages.Message] = messages.HELLO

    protocol: int
    """Version of the protocol; stays the first field for ever."""

    session: int
    """Random number drawn at the device's start."""

    sample_rate: int
    """Samples per second."""

    hop: int
    """Samples per hop."""

    words: int
    """Number of wake words listened for."""

    leds: int
    """Number of LEDs in the ring."""

    firmware: str
    """Version of the firmware."""

    board: str
    """Name of the board."""

    runtime: str
    """MicroPython's version and the machine it runs on."""

    kernels: str
    """The native kernels in use: of each part, how many of them."""


@dataclass(frozen=True, slots=True)
class Word(Record):
    """A wake word that is listened for, and what it takes to wake."""

    declaration: ClassVar[messages.Message] = messages.WORD

    index: int
    """The word's number, from 0."""

    cutoff: int
    """The sliding mean must exceed it, 0..255."""

    window: int
    """Outputs in the sliding mean."""

    stride: int
    """Hops per output."""

    model_sha256: bytes
    """SHA-256 of the model's source."""

    name: str
    """The wake word."""


@dataclass(frozen=True, slots=True)
class Scores(Record):
    """The newest scores of all words, and how loud it is."""

    declaration: ClassVar[messages.Message] = messages.SCORES

    position: int
    """The newest hop, in hops."""

    peak: int
    """Largest sample of the newest hop, 0..32767."""

    probabilities: bytes
    """For each word the newest output, 0..255."""

    means: bytes
    """For each word the sliding mean, 0..255."""


@dataclass(frozen=True, slots=True)
class Wake(Record):
    """A wake and its reasons."""

    declaration: ClassVar[messages.Message] = messages.WAKE

    position: int
    """The hop that woke the device, in hops."""

    word: int
    """The word's number."""

    score: int
    """The sliding mean that woke it, 0..255."""

    cutoff: int
    """The mean had to exceed it, 0..255."""

    model_sha256: bytes
    """SHA-256 of the model's source."""

    name: str
    """The wake word."""

    newest: bytes
    """The outputs in the sliding mean, oldest first, 0..255."""


@dataclass(frozen=True, slots=True)
class Ring(Record):
    """The ring shows something new."""

    declaration: ClassVar[messages.Message] = messages.RING

    position: int
    """The hop after which it changed, in hops."""

    state: int
    """Index into ear.ring.STATES."""

    colours: bytes
    """Red, green, blue for each LED as it was lit, 0..255."""


@dataclass(frozen=True, slots=True)
class Health(Record):
    """How the device is doing, every few seconds."""

    declaration: ClassVar[messages.Message] = messages.HEALTH

    position: int
    """The time, in hops since the start; lost sound counts too."""

    hops: int
    """Hops that were processed."""

    gaps: int
    """Gaps in the sound."""

    samples_lost: int
    """Samples lost in all gaps."""

    frames_dropped: int
    """Frames that found the device's outbox full."""

    slowest_us: int
    """Longest time a hop took since the last health message, in us."""

    free_heap: int
    """Free heap, in bytes."""

    scores_every: int
    """Scores are sent at every n-th output; 0: not at all."""


@dataclass(frozen=True, slots=True)
class Log(Record):
    """Something a person should know."""

    declaration: ClassVar[messages.Message] = messages.LOG

    severity: int
    """Index into SEVERITIES."""

    code: str
    """Short name that stays the same from version to version."""

    text: str
    """What happened, in words."""


@dataclass(frozen=True, slots=True)
class Bye(Record):
    """The application leaves; what follows on the stream is the REPL's."""

    declaration: ClassVar[messages.Message] = messages.BYE

    reason: str
    """Why it leaves."""


@dataclass(frozen=True, slots=True)
class RecordingStart(Record):
    """A recording begins. Told again while it lasts and at its end: nothing opens without it."""

    declaration: ClassVar[messages.Message] = messages.RECORDING_START

    device: bytes
    """The device's id."""

    boot: int
    """Number of the device's start, counted up in its flash."""

    number: int
    """Number of the recording since that start, from 1."""

    salt: bytes
    """Random, for the recording's keys."""

    codec: int
    """1: ADPCM, see ear.privacy.codecs."""

    consent: int
    """The owner's: 1 review by people, 2 pre-roll."""

    retention_days: int
    """Days after which it is to be deleted."""

    position: int
    """The hop that woke the device, in hops."""

    pre_roll: int
    """Samples before the wake, at the recording's beginning."""

    word: int
    """The word's number."""

    score: int
    """The sliding mean that woke it, 0..255."""

    cutoff: int
    """The mean had to exceed it, 0..255."""

    model_sha256: bytes
    """SHA-256 of the model's source."""

    tag: bytes
    """By the recording's key."""

    name: str
    """The wake word."""


@dataclass(frozen=True, slots=True)
class RecordingChunk(Record):
    """A piece of a recording."""

    declaration: ClassVar[messages.Message] = messages.RECORDING_CHUNK

    number: int
    """The recording's number."""

    sequence: int
    """The chunk's number, from 0."""

    first: int
    """Its first sample, from the recording's beginning."""

    samples: int
    """Its length in samples."""

    tag: bytes
    """By the recording's key."""

    data: bytes
    """The sound, encoded, then encrypted."""


@dataclass(frozen=True, slots=True)
class RecordingEnd(Record):
    """A recording has ended. Told twice."""

    declaration: ClassVar[messages.Message] = messages.RECORDING_END

    number: int
    """The recording's number."""

    reason: int
    """Why it ended: index into ear.privacy.gate.EVENTS."""

    chunks: int
    """Number of chunks that were made."""

    samples: int
    """Its length in samples, lost ones included."""

    overrun: int
    """Samples that were lost because the link was too slow."""

    tag: bytes
    """By the recording's key."""


@dataclass(frozen=True, slots=True)
class FalseWake(Record):
    """The owner marked the last wake as false: its recording, if any, is to go. Told thrice."""

    declaration: ClassVar[messages.Message] = messages.FALSE_WAKE

    device: bytes
    """The device's id."""

    boot: int
    """Number of the device's start."""

    number: int
    """The recording's number; 0: there was none."""

    position: int
    """The hop that woke the device, in hops."""

    tag: bytes
    """By the device's control key."""


@dataclass(frozen=True, slots=True)
class Setting(Record):
    """A setting's value: after it was asked for, or was changed."""

    declaration: ClassVar[messages.Message] = messages.SETTING

    name: str
    """As in ear.settings."""

    value: str
    """JSON."""


@dataclass(frozen=True, slots=True)
class WiredCredit(Record):
    """Sound by wire: so many more hops may be sent. The first one says that the wire is open."""

    declaration: ClassVar[messages.Message] = messages.WIRED_CREDIT

    hops: int
    """Hops that the host may send on top of those it was granted before."""


@dataclass(frozen=True, slots=True)
class HelloRequest(Record):
    """Asks the device for its hello and its words."""

    declaration: ClassVar[messages.Message] = messages.HELLO_REQUEST


@dataclass(frozen=True, slots=True)
class Repl(Record):
    """Asks the device to leave the application and give the REPL back."""

    declaration: ClassVar[messages.Message] = messages.REPL


@dataclass(frozen=True, slots=True)
class Telemetry(Record):
    """Chooses what the device tells unasked, and how often."""

    declaration: ClassVar[messages.Message] = messages.TELEMETRY

    scores_every: int
    """Send scores at every n-th output; 0: not at all."""

    health_every: int
    """Send health every n hops; 0: not at all."""


@dataclass(frozen=True, slots=True)
class RecordingAck(Record):
    """A recording, whole or with gaps, is stored for good; or it is refused."""

    declaration: ClassVar[messages.Message] = messages.RECORDING_ACK

    boot: int
    """As in its start."""

    number: int
    """As in its start."""

    stored: int
    """1: stored; 0: refused, nothing of it is kept."""


@dataclass(frozen=True, slots=True)
class RecordingCancel(Record):
    """The wake was found wrong: the recording is to end, nothing of it is kept."""

    declaration: ClassVar[messages.Message] = messages.RECORDING_CANCEL

    number: int
    """The recording's number."""


@dataclass(frozen=True, slots=True)
class PreRoll(Record):
    """The host's consent to pre-roll, until it says otherwise or the device starts again."""

    declaration: ClassVar[messages.Message] = messages.PRE_ROLL

    allowed: int
    """1: sound from before the wake may be recorded; 0: it may not."""


@dataclass(frozen=True, slots=True)
class SettingsRequest(Record):
    """Asks for all settings."""

    declaration: ClassVar[messages.Message] = messages.SETTINGS_REQUEST


@dataclass(frozen=True, slots=True)
class SettingChange(Record):
    """Changes a setting; the answer is the setting, or a log with the code "setting"."""

    declaration: ClassVar[messages.Message] = messages.SETTING_CHANGE

    name: str
    """As in ear.settings."""

    value: str
    """JSON."""


@dataclass(frozen=True, slots=True)
class Time(Record):
    """Tells the time of day, for what depends on it: the device has no clock of its own."""

    declaration: ClassVar[messages.Message] = messages.TIME

    minute: int
    """Of the day, in the owner's time zone."""


@dataclass(frozen=True, slots=True)
class WiredStart(Record):
    """Opens the wire: from now on the device hears what is sent, its microphone is off."""

    declaration: ClassVar[messages.Message] = messages.WIRED_START


@dataclass(frozen=True, slots=True)
class WiredHop(Record):
    """A hop of sound by wire."""

    declaration: ClassVar[messages.Message] = messages.WIRED_HOP

    samples: bytes
    """Int16, as many as a hop has."""


@dataclass(frozen=True, slots=True)
class WiredStop(Record):
    """Closes the wire: the device listens to its microphone again."""

    declaration: ClassVar[messages.Message] = messages.WIRED_STOP


RECORDS: dict[int, type[Record]] = {
    record.declaration.id: record
    for record in (
        Hello,
        Word,
        Scores,
        Wake,
        Ring,
        Health,
        Log,
        Bye,
        RecordingStart,
        RecordingChunk,
        RecordingEnd,
        FalseWake,
        Setting,
        WiredCredit,
        HelloRequest,
        Repl,
        Telemetry,
        RecordingAck,
        RecordingCancel,
        PreRoll,
        SettingsRequest,
        SettingChange,
        Time,
        WiredStart,
        WiredHop,
        WiredStop,
    )
}
