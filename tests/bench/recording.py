"""What a second of recorded sound costs on the board, in instructions.

The kernels are counted as the board's machine code; AES and SHA-256, which are MicroPython's own,
as mbedTLS's C (see ``tests.bench.cipher``).
"""

import tempfile
from pathlib import Path

import numpy as np

from ear.privacy import adpcm, codecs
from tests.bench import cipher, native
from tests.targets import xtensa
from tests.targets.device import FIRMWARE

PRIVACY = FIRMWARE / "ear" / "privacy"
_HOPS_PER_SECOND = 100
_CHUNKS_PER_SECOND = _HOPS_PER_SECOND // codecs.HOPS_PER_CHUNK


def hop_of_speech() -> bytearray:
    """160 samples of a tone with noise, int16 little-endian."""
    rng = np.random.default_rng(1)
    tone = 6000 * np.sin(2 * np.pi * 300 * np.arange(codecs.HOP) / 16000)
    return bytearray((tone + rng.normal(0, 300, codecs.HOP)).astype("<i2").tobytes())


def machine() -> xtensa.Xtensa:
    """The recording's kernels as machine code. Raises QemuMissingError."""
    with tempfile.TemporaryDirectory() as folder:
        functions = {
            **xtensa.compile_functions(PRIVACY / "adpcm_kernels.py", Path(folder)),
            **xtensa.compile_functions(PRIVACY / "cipher_kernels.py", Path(folder)),
            **xtensa.compile_functions(PRIVACY / "endpointer_kernels.py", Path(folder)),
        }
    return xtensa.Xtensa(functions)


def instructions_per_second() -> dict[str, int]:
    """Instructions for a second of sound: of the ADPCM encoder, and of the cipher's XOR."""
    core = machine()
    hop, codes = hop_of_speech(), bytearray(codecs.HOP // 2)
    core.call("encode", hop, codes, adpcm.new_state(), codecs.HOP)
    core.call("xor", bytearray(cipher.BODY), bytearray(cipher.BODY), cipher.BODY)
    return {
        "ADPCM": core.counts["encode"] * _HOPS_PER_SECOND,
        "XOR of the key stream": core.counts["xor"] * _CHUNKS_PER_SECOND,
    }


def native_per_second() -> dict[str, int]:
    """The same with the encoder's native twin."""
    encode = native.native_adpcm().total() * _HOPS_PER_SECOND
    return {**instructions_per_second(), "ADPCM": encode}


def encryption_per_second() -> dict[str, tuple[int, int]]:
    """Instructions and bytes for a second of sound, of what MicroPython has in C.

    Raises CompilerMissingError, QemuMissingError.
    """
    sizes = cipher.bytes_per_chunk()
    return {
        name: (count * _CHUNKS_PER_SECOND, sizes[name] * _CHUNKS_PER_SECOND)
        for name, count in cipher.instructions_per_chunk().items()
    }
