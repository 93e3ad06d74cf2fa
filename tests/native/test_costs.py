"""What the native kernels are for: half of WakeNet9's load, by count."""

import pytest

from tests.bench import native
from tests.targets.xtensa import QemuMissingError

_CORE_HZ = 240_000_000


def test_front_end_and_a_word_take_less_than_half_of_wakenet9():
    try:
        hop = native.native_hop()
    except QemuMissingError as error:
        pytest.skip(str(error))
    step = native.native_step("alexa")
    assert 20_000 < hop.total() <= 80_000
    assert 10_000 < step.total() <= 50_000
    assert set(hop) >= {"slide", "window", "fft_next", "filterbank", "quantise", "run"}
    assert set(step) == {"transfer", "conv", "depthwise", "shift", "run"}
    load = native.load(hop, [(step, 3)])
    assert load / _CORE_HZ <= 0.047 <= native.WAKENET9 / 1.99
