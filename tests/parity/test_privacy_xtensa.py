"""The recording's kernels as the board's machine code: exact, and within a budget.

And what MicroPython itself has in C for it: AES-256 and SHA-256, as mbedTLS's C on an Xtensa core.
"""

import hashlib
import hmac
import io
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from rich.console import Console

from ear.privacy import adpcm, codecs
from tests.bench import cipher, recording
from tests.bench.__main__ import recording_table
from tests.targets import xtensa_c
from tests.targets.xtensa import QemuMissingError, Xtensa, XtensaError
from tests.targets.xtensa_c import Compiler, CompilerMissingError

KEY = bytes(range(32))


@pytest.fixture(scope="module")
def machine() -> Xtensa:
    try:
        return recording.machine()
    except QemuMissingError as error:
        pytest.skip(str(error))


def test_adpcm_equals_its_plain_twin(machine: Xtensa):
    fast, plain = adpcm.new_state(), adpcm.new_state()
    for _ in range(3):
        hop = recording.hop_of_speech()
        codes, twin = bytearray(80), bytearray(80)
        machine.call("encode", hop, codes, fast, codecs.HOP)
        adpcm.encode(hop, twin, plain, codecs.HOP)
        assert codes == twin
        assert fast == plain


def test_xor(machine: Xtensa):
    data, stream = bytearray(range(37)), bytearray(range(100, 137))
    expected = bytes(a ^ b for a, b in zip(data, stream, strict=True))
    machine.call("xor", data, stream, 37)
    assert data == expected


@pytest.mark.parametrize("sequence", [0, 255, 256, 0xBEEF, 65535])
def test_every_counter_gets_the_chunks_number(machine: Xtensa, sequence: int):
    counters = bytearray(range(7, 7 + 3 * 16))
    expected = bytearray(counters)
    for block in range(0, len(counters), 16):
        expected[block + 10 : block + 12] = sequence.to_bytes(2, "big")
    machine.call("number", counters, sequence, len(counters))
    assert counters == expected


@pytest.mark.parametrize("features", [bytes(40), bytes(range(40)), b"\xff" * 40])
def test_a_rows_total(machine: Xtensa, features: bytes):
    assert machine.call("total", features, len(features)) == sum(features)
    assert machine.call("total", features, 3) == sum(features[:3])


def test_a_second_of_sound_costs_under_two_percent_of_a_core(machine: Xtensa):
    assert machine
    assert sum(recording.instructions_per_second().values()) < 4_800_000


@pytest.fixture(scope="module")
def mbedtls() -> Xtensa:
    try:
        return cipher.machine()
    except (QemuMissingError, CompilerMissingError) as error:
        pytest.skip(str(error))


def _noise(size: int) -> bytes:
    return np.random.default_rng(size).bytes(size)


def _aes_cost(core: Xtensa, data: bytes) -> int:
    running = cipher.Cipher(core, KEY)
    before = core.counts["encrypt"]
    running.encrypt(data)
    return core.counts["encrypt"] - before


def _tag_cost(core: Xtensa, data: bytes) -> int:
    before = core.counts["tag"]
    cipher.tag(core, KEY, (data,))
    return core.counts["tag"] - before


def test_what_is_counted_as_aes_is_aes(mbedtls: Xtensa):
    data = _noise(cipher.STREAM)
    expected = Cipher(algorithms.AES(KEY), modes.ECB()).encryptor().update(data)
    assert cipher.Cipher(mbedtls, KEY).encrypt(data) == expected


def test_what_is_counted_as_a_tag_is_one(mbedtls: Xtensa):
    sealed = cipher.sealed()
    assert sum(map(len, sealed)) == 1 + 12 + 2 + codecs.CAPACITY
    for parts in (sealed, (b"", b"a", _noise(500)), tuple(_noise(size) for size in (63, 1, 65))):
        assert cipher.tag(mbedtls, KEY, parts) == hmac.digest(KEY, b"".join(parts), hashlib.sha256)


def test_aes_costs_the_same_for_every_block(mbedtls: Xtensa):
    costs = [_aes_cost(mbedtls, bytes(16 * blocks)) for blocks in (1, 2, 3, 26)]
    assert costs == [_aes_cost(mbedtls, _noise(16 * blocks)) for blocks in (1, 2, 3, 26)]
    block = costs[1] - costs[0]
    assert [cost - costs[0] for cost in costs] == [0, block, 2 * block, 25 * block]
    # 14 rounds of 16 look-ups in tables, each with its address and its exclusive or.
    assert 14 * 16 * 4 < block < 14 * 16 * 10


def test_sha_256_costs_the_same_for_every_block(mbedtls: Xtensa):
    costs = [_tag_cost(mbedtls, bytes(64 * blocks)) for blocks in (1, 2, 3, 10)]
    assert costs == [_tag_cost(mbedtls, _noise(64 * blocks)) for blocks in (1, 2, 3, 10)]
    block = costs[1] - costs[0]
    assert [cost - costs[0] for cost in costs] == [0, block, 2 * block, 9 * block]
    # 64 rounds of six rotations and seven additions at least, and what they load and store.
    assert 64 * 20 < block < 64 * 100


def test_encryption_costs_under_one_percent_of_a_core(mbedtls: Xtensa):
    assert mbedtls
    once, again = recording.encryption_per_second(), recording.encryption_per_second()
    assert once == again
    assert [size for _, size in once.values()] == [20 * 26 * 16, 20 * 10 * 64]
    assert all(count > 100_000 for count, _ in once.values())
    assert sum(count for count, _ in once.values()) < 2_400_000


def test_c_that_does_not_compile_says_so(mbedtls: Xtensa, tmp_path: Path):
    assert mbedtls
    source = tmp_path / "wrong.c"
    source.write_text("int wrong(void) { return nothing; }")
    with pytest.raises(XtensaError, match=r"nothing.* undeclared"):
        Compiler(tmp_path).compile(source)
    source.write_text("int variable; int wrong(void) { return variable++; }")
    with pytest.raises(XtensaError, match="there are variables"):
        Compiler(tmp_path).link([Compiler(tmp_path).compile(source)], "wrong")


def test_without_a_compiler_the_table_says_so(
    machine: Xtensa, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    assert machine
    monkeypatch.setattr(xtensa_c, "_FETCHED", tmp_path)
    missing: list[str] = []
    printed = Console(file=io.StringIO(), record=True)
    printed.print(recording_table(missing))
    assert "not counted" in printed.export_text()
    [reason] = missing
    assert "make setup" in reason
