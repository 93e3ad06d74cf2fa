"""What a recording's encryption and tags cost in mbedTLS's C, in instructions.

MicroPython's cryptolib and hashlib are mbedTLS's on the board, whose image has the chip's
accelerators do the rounds. Here they are done in C: that stands in for what the board spends on the
accelerators' driver and on waiting for them, which nothing here emulates. It is no bound: the
driver is called for each block of AES.
"""

import hashlib
import tempfile
from pathlib import Path

from ear.link import messages
from ear.privacy import codecs, keys
from tests.targets.xtensa import Buffer, Xtensa
from tests.targets.xtensa_c import Compiler, CompilerMissingError

BODY = codecs.CAPACITY  # bytes of a chunk
STREAM = -(-BODY // 16) * 16  # bytes of key stream for it
_CONTEXT = 288  # bytes: more than mbedtls_aes_context has

_DRIVER = Path(__file__).with_name("mbedtls.c")
_MBEDTLS = Path(__file__).parents[2] / ".cache" / "mbedtls"
_FUNCTIONS = ("schedule", "encrypt", "tag")
_SOURCES = ("aes.c", "sha256.c", "platform_util.c")
_DEFINES = (
    "-DMBEDTLS_CONFIG_FILE=<stddef.h>",
    "-DMBEDTLS_AES_C",
    "-DMBEDTLS_AES_ROM_TABLES",
    "-DMBEDTLS_SHA256_C",
)


def machine() -> Xtensa:
    """Functions of mbedtls.c as machine code. Raises CompilerMissingError, QemuMissingError."""
    if not _MBEDTLS.is_dir():
        raise CompilerMissingError("no source of mbedTLS: run 'make setup'")
    library = _MBEDTLS / "library"
    options = ("-I", _MBEDTLS / "include", "-I", library, *_DEFINES)
    sources = (_DRIVER, *(library / name for name in _SOURCES))
    with tempfile.TemporaryDirectory() as folder:
        compiler = Compiler(Path(folder))
        objects = [compiler.compile(source, *options) for source in sources]
        return Xtensa({name: compiler.link(objects, name) for name in _FUNCTIONS})


class Cipher:
    """AES-256 with one key on the machine; ``machine.counts["encrypt"]`` are its instructions."""

    def __init__(self, core: Xtensa, key: bytes) -> None:
        self._core = core
        self._context = bytearray(_CONTEXT)
        core.call("schedule", self._context, key)

    def encrypt(self, data: bytes) -> bytes:
        """Whole blocks, each by itself."""
        output = bytearray(len(data))
        self._core.call("encrypt", self._context, data, output, len(data))
        return bytes(output)


def tag(core: Xtensa, key: bytes, parts: tuple[Buffer, ...]) -> bytes:
    """HMAC-SHA-256 on the machine; ``core.counts["tag"]`` are its instructions."""
    inner, outer = (
        bytes(byte ^ mask for byte in key.ljust(hashlib.sha256().block_size, b"\0"))
        for mask in (0x36, 0x5C)
    )
    digest = bytearray(keys.TAG_SIZE)
    sized = [argument for part in parts for argument in (part, len(part))]
    core.call("tag", digest, inner, outer, *sized)
    return bytes(digest)


def sealed() -> tuple[bytes, ...]:
    """What a full chunk's tag covers."""
    message = messages.RECORDING_CHUNK
    payload = bytes(message.size + 2 + BODY)
    parts = keys.sealed_parts(message, payload, message.size - keys.TAG_SIZE)
    return tuple(bytes(part) for part in parts)


def bytes_per_chunk() -> dict[str, int]:
    """What both work on for a full chunk of sound, in whole blocks."""
    block = hashlib.sha256().block_size
    hashed = block + sum(map(len, sealed())) + 9  # a mark and the length come behind
    return {"AES-256": STREAM, "SHA-256": -(-hashed // block) * block + 2 * block}


def instructions_per_chunk() -> dict[str, int]:
    """For a full chunk of sound. Raises CompilerMissingError, QemuMissingError."""
    core = machine()
    Cipher(core, bytes(keys.KEY_SIZE)).encrypt(bytes(STREAM))
    tag(core, bytes(keys.KEY_SIZE), sealed())
    return {"AES-256": core.counts["encrypt"], "SHA-256": core.counts["tag"]}
