"""AES-256 in counter mode (NIST SP 800-38A), built on ``cryptolib``'s single blocks.

The counter block is ten zero bytes, the chunk's sequence number (u16), two zero bytes and the
block's number in the chunk (u16), both big-endian: with a key of its own for each recording,
none is used twice.
Counter mode doesn't authenticate: every chunk gets its tag afterwards (``keys.Hmac``).
"""

from cryptolib import aes

from ear.privacy import cipher_kernels

_ECB = 1
_BLOCK = 16


class Cipher:
    """Encrypts the chunks of one recording after the other.

    Two buffers of ``capacity`` bytes are allocated here, and one AES object (about 300 bytes) for
    each recording; nothing for a chunk.
    """

    def __init__(self, capacity):
        """``capacity``: the longest chunk in bytes, rounded up to whole blocks here."""
        blocks = (capacity + _BLOCK - 1) // _BLOCK
        self._counters = bytearray(_BLOCK * blocks)
        self._stream = bytearray(_BLOCK * blocks)
        self._aes = None
        for block in range(blocks):
            self._counters[_BLOCK * block + 15] = block & 0xFF
            self._counters[_BLOCK * block + 14] = block >> 8

    def start(self, key):
        """Take the 32-byte key of a new recording."""
        self._aes = aes(key, _ECB)

    def stop(self):
        """Forget the key."""
        self._aes = None

    def apply(self, sequence, data, count):
        """Encrypt ``data[:count]`` in place as chunk ``sequence``, 0..65535 (or decrypt it)."""
        counters = self._counters
        cipher_kernels.number(counters, sequence, len(counters))
        self._aes.encrypt(counters, self._stream)
        cipher_kernels.xor(data, self._stream, count)
