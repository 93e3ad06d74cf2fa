"""Turns hops into sealed chunks and hands them to the link.

The gate says when (``begin``, ``end``, ``close``); nothing here opens or closes anything by
itself. Every chunk tells its number and its place in the recording, so that whatever is lost
on the way, here or on the link, shows as a gap with its position.

A recording allocates its keys (about 3 KB) when it begins and under 1 KB for each chunk
(hash objects and views); buffers are allocated once.
"""

import struct

from ear.link import messages
from ear.privacy import keys
from ear.privacy.codecs import ADPCM, CAPACITY, HOP, HOPS_PER_CHUNK
from ear.privacy.queue import Queue

_TAG = keys.TAG_SIZE
_BODY_AT = messages.RECORDING_CHUNK.size + 2
_CHUNK_HEAD = messages.RECORDING_CHUNK.format[: -len(f"{_TAG}s")]  # without the tag, which follows
_MAX_QUEUED = 1024  # bytes in the outbox above which sound waits: telemetry needs room too
_LONGEST_NAME = 64  # bytes
_ENDS = 2  # how often the end is told
_TIDY_HOP = 2  # of a chunk: nothing is encrypted or begun in it
_TIDY_CHUNKS = 50  # after so many, 2.5 s of sound, about 40 KB of garbage are collected
_START_AGAIN = 10  # chunks after which the start is told again: without it nothing can be opened


class Recorder:
    """One recording at a time.

    identity: the device's id and key, and the next recording's number (``identity.Identity``);
    encoder: ``codecs.Encoder``; cipher: ``cipher.Cipher`` of ``codecs.CAPACITY``; outbox:
    the link's; slots: messages that can wait for a slow link, at least 4; random: os.urandom;
    collect: ``gc.collect`` on a heap so small that its garbage would else be collected in the
    middle of a recording's busiest hops, or None.
    """

    def __init__(self, identity, encoder, cipher, outbox, slots, random, collect=None):
        self._identity = identity
        self._encoder = encoder
        self._cipher = cipher
        self._outbox = outbox
        self._random = random
        self._collect = collect
        self._queue = Queue(slots, _BODY_AT + CAPACITY)
        self._start = bytearray(messages.RECORDING_START.size + 1 + _LONGEST_NAME)
        self._start_length = 0
        self._mac = None
        self._body = None  # of the chunk that is being filled
        self._chunk_hops = 0
        self._chunk_first = 0
        self._chunk_bytes = 0
        self._unwritten = 0  # bytes of the outbox up to the last one of ours
        self._told = False  # whether the host has been told that it began
        self.number = 0  # of the newest recording; 0 before the first
        self.sequence = 0  # of the next chunk
        self.samples = 0  # the recording's length so far, lost ones included
        self.overrun = 0  # samples that found no free slot
        self.taking = False

    def sent(self):
        """Whether the last byte of an ended recording is out."""
        return not self.taking and self._queue.waiting == 0 and self._unwritten <= 0

    def begin(self, wake, consent, retention_days, pre_roll=()):
        """Begin the recording that ``wake`` caused; ``pre_roll``: earlier hops, oldest first.

        Raises MemoryError when there is no room for its keys: then none has begun.
        """
        identity = self._identity
        self.number = identity.next_number()
        salt = self._random(keys.SALT_SIZE)
        encryption, authentication = keys.recording_keys(
            identity.key, salt, identity.boot, self.number
        )
        mac = keys.Hmac(authentication)
        self._cipher.start(encryption)
        self._mac = mac
        self._encoder.reset()
        self._queue.clear()
        self._told = False
        self._unwritten = self.sequence = self.samples = self.overrun = 0
        self._queue_start(wake, salt, consent, retention_days, len(pre_roll) * HOP)
        self.taking = True
        for hop in pre_roll:
            self.push(hop, 0)

    def push(self, hop, lost):
        """Take the next hop (320 bytes); ``lost`` samples are missing before it."""
        if lost:
            self._finish_chunk()
            self.samples += lost
        if self._body is None and not self._begin_chunk():
            self.samples += HOP
            self.overrun += HOP
            return
        self._chunk_bytes = self._encoder.push(hop, self._body)
        self._chunk_hops += 1
        self.samples += HOP
        if self._chunk_hops == HOPS_PER_CHUNK:
            self._finish_chunk()
        elif self._chunk_hops == _TIDY_HOP and self.sequence % _TIDY_CHUNKS == _TIDY_CHUNKS - 1:
            self.tidy()

    def tidy(self):
        """Collect garbage now, while nothing else is to be done, where there is little room."""
        if self._collect:
            self._collect()

    def end(self, reason):
        """Take no more samples; ``reason``: the gate's event that ended it.

        Start and end are told again where there is room: a link that loses one of them would
        otherwise lose the recording, or whether it was whole.
        """
        if self._mac is None:
            return
        self._finish_chunk()
        self.taking = False
        queue = self._queue
        if queue.free() > 1:
            self._queue_start_again()
        for _ in range(min(_ENDS, queue.free())):
            self._commit(messages.RECORDING_END, self._put_end(queue.newest, reason))

    def pump(self):
        """Hand the oldest message to the outbox if it has room."""
        outbox = self._outbox
        if self._queue.waiting and outbox.pending < _MAX_QUEUED and self._queue.send_oldest(outbox):
            self._unwritten = outbox.pending
            self._told = True

    def note_written(self, count):
        """The outbox wrote ``count`` bytes to the stream."""
        self._unwritten -= count

    def close(self, reason):
        """The link is closed to sound: drop what waits and say why, if any does."""
        if not self.sent():
            self._queue.clear()
            if self._told:
                self._outbox.clear()
                self._send_end(reason)
            self._unwritten = 0
        self._cipher.stop()
        self._mac = None

    def _begin_chunk(self):
        # One slot is always left for the message that ends the recording.
        if self._queue.free() < 2:
            return False
        self._body = self._queue.newest[_BODY_AT:]
        self._chunk_first = self.samples
        self._chunk_hops = 0
        return True

    def _finish_chunk(self):
        if self._body is None:
            return
        length = self._chunk_bytes
        self._cipher.apply(self.sequence, self._body, length)
        self._put_chunk(self._queue.newest, length)
        self._encoder.finish()
        self._body = None
        self.sequence += 1
        self._commit(messages.RECORDING_CHUNK, _BODY_AT + length)
        # A slot for the next chunk and one for the end stay free.
        if self.sequence % _START_AGAIN == 0 and self._queue.free() > 2:
            self._queue_start_again()

    def _put_chunk(self, slot, length):
        """Write what stands before a chunk's body, which has ``length`` bytes."""
        samples = self._chunk_hops * HOP
        struct.pack_into(
            _CHUNK_HEAD, slot, 0, self.number, self.sequence, self._chunk_first, samples
        )
        slot[_BODY_AT - 2] = length & 0xFF
        slot[_BODY_AT - 1] = length >> 8

    def _commit(self, message, length):
        keys.write_tag(self._mac, message, self._queue.newest[:length])
        self._queue.commit(message.id, length)

    def _queue_start(self, wake, salt, consent, retention_days, pre_roll):
        message = messages.RECORDING_START
        slot = self._queue.newest
        name = wake.name[:_LONGEST_NAME]
        struct.pack_into(
            message.format,
            slot,
            0,
            self._identity.id,
            self._identity.boot,
            self.number,
            salt,
            ADPCM,
            consent,
            retention_days,
            wake.low,
            wake.high,
            pre_roll,
            wake.word,
            wake.score,
            wake.cutoff,
            wake.model_sha256,
            bytes(_TAG),
        )
        slot[message.size] = len(name)
        length = message.size + 1 + len(name)
        slot[message.size + 1 : length] = name
        keys.write_tag(self._mac, message, slot[:length])
        self._start[:length] = slot[:length]
        self._start_length = length
        self._queue.commit(message.id, length)

    def _queue_start_again(self):
        length = self._start_length
        self._queue.newest[:length] = self._start[:length]
        self._queue.commit(messages.RECORDING_START.id, length)

    def _put_end(self, payload, reason):
        message = messages.RECORDING_END
        struct.pack_into(
            message.format,
            payload,
            0,
            self.number,
            reason,
            self.sequence,
            self.samples,
            self.overrun,
            bytes(_TAG),
        )
        return message.size

    def _send_end(self, reason):
        """Tell the end at once, past the queue; and the beginning, for whoever missed it."""
        length = self._start_length
        self._outbox.payload[:length] = self._start[:length]
        self._outbox.send(messages.RECORDING_START.id, length)
        message = messages.RECORDING_END
        for _ in range(_ENDS):
            length = self._put_end(self._outbox.payload, reason)
            keys.write_tag(self._mac, message, self._outbox.payload[:length])
            self._outbox.send(message.id, length)
