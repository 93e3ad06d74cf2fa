"""What the native kernels are for: half of WakeNet9's load, by count."""

import pytest

from bluering import boards
from tests.bench import model, native
from tests.targets.xtensa import QemuMissingError

_CORE_HZ = 240_000_000
_FRAME_BYTES = 8  # in the buffer, 32-bit stereo
_RATE = 16_000


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


def test_what_the_microphone_holds_outlasts_a_second_model_that_is_asked_anew():
    name = native.AS_SECOND
    try:
        viper = native.asked_anew(name, model.instructions_per_step(name))
    except QemuMissingError as error:
        pytest.skip(str(error))
    vector = native.asked_anew(name, native.native_step(name))
    shortest = min(boards.load(board).microphone.ibuf for board in boards.names())
    held = shortest / _FRAME_BYTES / _RATE * _CORE_HZ  # cycles
    assert vector.total() <= held / 20
    assert viper.total() * native.CPI[1] <= held
