"""The recording's kernels as the board's machine code: exact, and within a budget."""

import pytest

from ear.privacy import adpcm, codecs
from tests.bench import recording
from tests.targets.xtensa import QemuMissingError, Xtensa


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


def test_a_second_of_sound_costs_under_two_percent_of_a_core(machine: Xtensa):
    assert machine
    assert sum(recording.instructions_per_second().values()) < 4_800_000
