"""The messages of the link, each declared once: the device and the host both read this.

A message is its fields one after the other, little-endian, without padding. The comment
above a message says what it means, the comment behind a field what the field means: the
host makes its typed records and the protocol's description out of them, and on the device
they cost nothing.
"""

import struct

VERSION = 1  # counts up whenever a message changes in a way that the other side must know

# Field types of fixed size, as struct codes. A position is a time in hops since the start,
# as its low 16 and its high 32 bits: the device counts it in two small integers.
FIXED = {
    "u8": "B",
    "u16": "H",
    "u32": "I",
    "position": "HI",
    "bytes8": "8s",
    "bytes16": "16s",
    "bytes32": "32s",
}
# Field types that begin with their length in bytes, as struct codes of that length.
COUNTED = {"u8s": "B", "str": "B", "bytes": "H"}

# What a log message's severity stands for.
SEVERITIES = ("info", "warning", "error")


class Message:
    """One message's declaration.

    fields: (name, type) each, those of fixed size first. format: the struct format of the
    fixed ones, for ``struct.pack_into``; size: their length in bytes.
    """

    def __init__(self, id, name, from_device, *fields):  # noqa: A002
        self.id = id
        self.name = name
        self.from_device = from_device
        self.fields = fields
        self.format = "<" + "".join(FIXED[kind] for _, kind in fields if kind in FIXED)
        self.size = struct.calcsize(self.format)


# The device presents itself: at its start, and when it is asked to. The words follow.
HELLO = Message(
    1,
    "hello",
    True,
    ("protocol", "u8"),  # version of the protocol; stays the first field for ever
    ("session", "u32"),  # random number drawn at the device's start
    ("sample_rate", "u16"),  # samples per second
    ("hop", "u16"),  # samples per hop
    ("words", "u8"),  # number of wake words listened for
    ("leds", "u8"),  # number of LEDs in the ring
    ("firmware", "str"),  # version of the firmware
    ("board", "str"),  # name of the board
    ("runtime", "str"),  # MicroPython's version and the machine it runs on
    ("kernels", "str"),  # the native kernels in use: of each part, how many of them
)

# A wake word that is listened for, and what it takes to wake.
WORD = Message(
    2,
    "word",
    True,
    ("index", "u8"),  # the word's number, from 0
    ("cutoff", "u8"),  # the sliding mean must exceed it, 0..255
    ("window", "u8"),  # outputs in the sliding mean
    ("stride", "u8"),  # hops per output
    ("model_sha256", "bytes32"),  # SHA-256 of the model's source
    ("name", "str"),  # the wake word
)

# The newest scores of all words, and how loud it is.
SCORES = Message(
    3,
    "scores",
    True,
    ("position", "position"),  # the newest hop, in hops
    ("peak", "u16"),  # largest sample of the newest hop, 0..32767
    ("probabilities", "u8s"),  # for each word the newest output, 0..255
    ("means", "u8s"),  # for each word the sliding mean, 0..255
)

# A wake and its reasons.
WAKE = Message(
    4,
    "wake",
    True,
    ("position", "position"),  # the hop that woke the device, in hops
    ("word", "u8"),  # the word's number
    ("score", "u8"),  # the sliding mean that woke it, 0..255
    ("cutoff", "u8"),  # the mean had to exceed it, 0..255
    ("model_sha256", "bytes32"),  # SHA-256 of the model's source
    ("name", "str"),  # the wake word
    ("newest", "u8s"),  # the outputs in the sliding mean, oldest first, 0..255
)

# The ring shows something new.
RING = Message(
    5,
    "ring",
    True,
    ("position", "position"),  # the hop after which it changed, in hops
    ("state", "u8"),  # index into ear.ring.STATES
    ("colours", "bytes"),  # red, green, blue for each LED as it was lit, 0..255
)

# How the device is doing, every few seconds.
HEALTH = Message(
    6,
    "health",
    True,
    ("position", "position"),  # the time, in hops since the start; lost sound counts too
    ("hops", "position"),  # hops that were processed
    ("gaps", "u32"),  # gaps in the sound
    ("samples_lost", "u32"),  # samples lost in all gaps
    ("frames_dropped", "u32"),  # frames that found the device's outbox full
    ("slowest_us", "u32"),  # longest time a hop took since the last health message, in us
    ("free_heap", "u32"),  # free heap, in bytes
    ("scores_every", "u8"),  # scores are sent at every n-th output; 0: not at all
)

# Something a person should know.
LOG = Message(
    7,
    "log",
    True,
    ("severity", "u8"),  # index into SEVERITIES
    ("code", "str"),  # short name that stays the same from version to version
    ("text", "str"),  # what happened, in words
)

# The application leaves; what follows on the stream is the REPL's.
BYE = Message(
    8,
    "bye",
    True,
    ("reason", "str"),  # why it leaves
)

# A tag is the HMAC-SHA-256 of the message's number and of its payload without the tag; for the
# keys see ear.privacy.keys.

# A recording begins. Told again while it lasts and at its end: nothing opens without it.
RECORDING_START = Message(
    9,
    "recording_start",
    True,
    ("device", "bytes8"),  # the device's id
    ("boot", "u32"),  # number of the device's start, counted up in its flash
    ("number", "u32"),  # number of the recording since that start, from 1
    ("salt", "bytes16"),  # random, for the recording's keys
    ("codec", "u8"),  # 1: ADPCM, see ear.privacy.codecs
    ("consent", "u8"),  # the owner's: 1 review by people, 2 pre-roll
    ("retention_days", "u16"),  # days after which it is to be deleted
    ("position", "position"),  # the hop that woke the device, in hops
    ("pre_roll", "u16"),  # samples before the wake, at the recording's beginning
    ("word", "u8"),  # the word's number
    ("score", "u8"),  # the sliding mean that woke it, 0..255
    ("cutoff", "u8"),  # the mean had to exceed it, 0..255
    ("model_sha256", "bytes32"),  # SHA-256 of the model's source
    ("tag", "bytes32"),  # by the recording's key
    ("name", "str"),  # the wake word
)

# A piece of a recording.
RECORDING_CHUNK = Message(
    10,
    "recording_chunk",
    True,
    ("number", "u32"),  # the recording's number
    ("sequence", "u16"),  # the chunk's number, from 0
    ("first", "u32"),  # its first sample, from the recording's beginning
    ("samples", "u16"),  # its length in samples
    ("tag", "bytes32"),  # by the recording's key
    ("data", "bytes"),  # the sound, encoded, then encrypted
)

# A recording has ended. Told twice.
RECORDING_END = Message(
    11,
    "recording_end",
    True,
    ("number", "u32"),  # the recording's number
    ("reason", "u8"),  # why it ended: index into ear.privacy.gate.EVENTS
    ("chunks", "u16"),  # number of chunks that were made
    ("samples", "u32"),  # its length in samples, lost ones included
    ("overrun", "u32"),  # samples that were lost because the link was too slow
    ("tag", "bytes32"),  # by the recording's key
)

# The owner marked the last wake as false: its recording, if any, is to go. Told thrice.
FALSE_WAKE = Message(
    12,
    "false_wake",
    True,
    ("device", "bytes8"),  # the device's id
    ("boot", "u32"),  # number of the device's start
    ("number", "u32"),  # the recording's number; 0: there was none
    ("position", "position"),  # the hop that woke the device, in hops
    ("tag", "bytes32"),  # by the device's control key
)

# A setting's value: after it was asked for, or was changed.
SETTING = Message(
    13,
    "setting",
    True,
    ("name", "str"),  # as in ear.settings
    ("value", "str"),  # JSON
)

# Sound by wire: so many more hops may be sent. The first one says that the wire is open.
WIRED_CREDIT = Message(
    14,
    "wired_credit",
    True,
    ("hops", "u8"),  # hops that the host may send on top of those it was granted before
)

# Asks the device for its hello and its words.
HELLO_REQUEST = Message(64, "hello_request", False)

# Asks the device to leave the application and give the REPL back.
REPL = Message(65, "repl", False)

# Chooses what the device tells unasked, and how often.
TELEMETRY = Message(
    66,
    "telemetry",
    False,
    ("scores_every", "u8"),  # send scores at every n-th output; 0: not at all
    ("health_every", "u16"),  # send health every n hops; 0: not at all
)

# A recording, whole or with gaps, is stored for good; or it is refused.
RECORDING_ACK = Message(
    67,
    "recording_ack",
    False,
    ("boot", "u32"),  # as in its start
    ("number", "u32"),  # as in its start
    ("stored", "u8"),  # 1: stored; 0: refused, nothing of it is kept
)

# The wake was found wrong: the recording is to end, nothing of it is kept.
RECORDING_CANCEL = Message(
    68,
    "recording_cancel",
    False,
    ("number", "u32"),  # the recording's number
)

# The host's consent to pre-roll, until it says otherwise or the device starts again.
PRE_ROLL = Message(
    69,
    "pre_roll",
    False,
    ("allowed", "u8"),  # 1: sound from before the wake may be recorded; 0: it may not
)

# Asks for all settings.
SETTINGS_REQUEST = Message(70, "settings_request", False)

# Changes a setting; the answer is the setting, or a log with the code "setting".
SETTING_CHANGE = Message(
    71,
    "setting_change",
    False,
    ("name", "str"),  # as in ear.settings
    ("value", "str"),  # JSON
)

# Tells the time of day, for what depends on it: the device has no clock of its own.
TIME = Message(
    72,
    "time",
    False,
    ("minute", "u16"),  # of the day, in the owner's time zone
)

# Opens the wire: from now on the device hears what is sent, its microphone is off.
WIRED_START = Message(73, "wired_start", False)

# A hop of sound by wire.
WIRED_HOP = Message(
    74,
    "wired_hop",
    False,
    ("samples", "bytes"),  # int16, as many as a hop has
)

# Closes the wire: the device listens to its microphone again.
WIRED_STOP = Message(75, "wired_stop", False)

if __debug__:  # for the host: the compiled firmware does without
    MESSAGES = (
        HELLO,
        WORD,
        SCORES,
        WAKE,
        RING,
        HEALTH,
        LOG,
        BYE,
        RECORDING_START,
        RECORDING_CHUNK,
        RECORDING_END,
        FALSE_WAKE,
        SETTING,
        WIRED_CREDIT,
        HELLO_REQUEST,
        REPL,
        TELEMETRY,
        RECORDING_ACK,
        RECORDING_CANCEL,
        PRE_ROLL,
        SETTINGS_REQUEST,
        SETTING_CHANGE,
        TIME,
        WIRED_START,
        WIRED_HOP,
        WIRED_STOP,
    )
