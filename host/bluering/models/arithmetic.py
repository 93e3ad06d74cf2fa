"""TFLite's integer arithmetic, as its reference kernels do it, bit for bit.

The double-rounding variant: tensorflow/lite/kernels/internal/common.h, quantization_util.cc and
gemmlowp's fixedpoint.h, which TensorFlow Lite Micro uses on x86 and on the ESP32 alike.
"""

import math

import numpy as np
from numpy.typing import NDArray

Int64s = NDArray[np.int64]


def quantize_multiplier(scale: float) -> tuple[int, int]:
    """(m, shift) with scale = m * 2**(shift - 31), m in 2**30..2**31 - 1; (0, 0) for 0."""
    if scale == 0:
        return 0, 0
    fraction, shift = math.frexp(scale)
    multiplier = math.floor(fraction * (1 << 31) + 0.5)
    if multiplier == 1 << 31:
        multiplier, shift = multiplier // 2, shift + 1
    return (0, 0) if shift < -31 else (multiplier, shift)


def high_product(a: Int64s, b: Int64s | int) -> Int64s:
    """SaturatingRoundingDoublingHighMul of 32-bit numbers that aren't both the lowest one."""
    return (a * np.int64(b) + (1 << 30)) >> 31


def rounded_shift(x: Int64s, exponent: Int64s | int) -> Int64s:
    """RoundingDivideByPOT: halves away from zero."""
    power = np.int64(1) << np.asarray(exponent, np.int64)
    return (x + power // 2 - ((x < 0) & (power > 1))) // power


def scaled(x: Int64s, multiplier: int, shift: int) -> Int64s:
    """MultiplyByQuantizedMultiplier."""
    return rounded_shift(high_product(x << max(shift, 0), multiplier), max(-shift, 0))


def activation_range(name: str, scale: float, zero_point: int) -> tuple[int, int]:
    """The lowest and highest int8 output of a fused activation; KeyError for an unknown one."""
    bounds = {
        "NONE": (-math.inf, math.inf),
        "RELU": (0.0, math.inf),
        "RELU6": (0.0, 6.0),
        "RELU_N1_TO_1": (-1.0, 1.0),
    }[name]
    low, high = (_quantized(bound, scale, zero_point) for bound in bounds)
    return max(low, -128), min(high, 127)


def _quantized(value: float, scale: float, zero_point: int) -> int:
    if math.isinf(value):
        return -128 if value < 0 else 127
    ratio = float(np.float32(value) / np.float32(scale))
    return zero_point + math.floor(abs(ratio) + 0.5) * (1 if ratio >= 0 else -1)


def requantized(x: Int64s, scale: float, zero_point: int, to: tuple[float, int]) -> Int64s:
    """What QUANTIZE makes of int8 numbers, before they are kept within the output's type."""
    to_scale, to_zero_point = to
    multiplier, shift = quantize_multiplier(scale / to_scale)
    return scaled(x - zero_point, multiplier, shift) + to_zero_point


_INTEGER_BITS = 4  # of the logistic function's fixed-point input


def logistic(scale: float, zero_point: int) -> Int64s:
    """LOGISTIC of each int8 number -128..127, as int8 with scale 1/256 and zero point -128.

    tensorflow/lite/kernels/internal/reference/integer_ops/logistic.h with the parameters of
    micro/kernels/logistic_common.cc.
    """
    multiplier, shift = quantize_multiplier(scale * (1 << 31 - _INTEGER_BITS))
    radius = math.floor(((1 << _INTEGER_BITS) - 1) * 2.0 ** (31 - _INTEGER_BITS - shift))
    values = np.arange(-128, 128) - zero_point
    inputs = scaled(values, multiplier, shift)
    pairs = zip(values.tolist(), inputs.tolist(), strict=True)
    return np.array([_logistic(value, x, radius) for value, x in pairs])


def _logistic(value: int, x: int, radius: int) -> int:
    """Of an input less its zero point, which is ``x`` in Q4."""
    if value <= -radius:
        return -128
    if value >= radius:
        return 127
    return min(max(_divide(_logistic_q(x), 23) - 128, -128), 127)


# gemmlowp's fixed-point numbers: QI is an int32 of I integer bits, so Q0 is in -1..1.
_Q0_ONE = (1 << 31) - 1


def _product(a: int, b: int) -> int:
    return a * b + (1 << 30) >> 31


def _divide(x: int, exponent: int) -> int:
    return x + (1 << exponent - 1) - (x < 0) >> exponent


def _shifted(x: int, exponent: int) -> int:
    """A saturating multiplication by a power of two."""
    return min(max(x << exponent, -(1 << 31)), _Q0_ONE)


def _half_sum(a: int, b: int) -> int:
    return (a + b + 1) // 2 if a + b >= 0 else -((1 - a - b) // 2)


def _logistic_q(x: int) -> int:
    """Q4 to Q0."""
    if x == 0:
        return 1 << 30
    probability = _one_over_one_plus(_exp_of_negative(-abs(x)))
    return probability if x > 0 else _Q0_ONE - probability


def _exp_of_negative(x: int) -> int:
    """Q4 to Q0: exp on -1/4..0 times a factor for each bit of the rest."""
    quarter = 1 << 31 - _INTEGER_BITS - 2
    fraction = (x & quarter - 1) - quarter
    result = _exp_of_small(_shifted(fraction, _INTEGER_BITS))
    rest = fraction - x
    factors = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401)
    for power, factor in enumerate(factors, -2):
        if rest & 1 << 31 - _INTEGER_BITS + power:
            result = _product(result, factor)
    return result


def _exp_of_small(x: int) -> int:
    """Q0 to Q0 on -1/4..0: a Taylor polynomial around -1/8."""
    exp_of_minus_eighth, third = 1895147668, 715827883
    x += 1 << 28
    x2 = _product(x, x)
    x3 = _product(x2, x)
    x4_quarter = _divide(_product(x2, x2), 2)
    tail = _divide(_product(x4_quarter + x3, third) + x2, 1)
    return exp_of_minus_eighth + _product(exp_of_minus_eighth, x + tail)


def _one_over_one_plus(x: int) -> int:
    """1 / (1 + x) for x in 0..1, Q0 to Q0: three steps of Newton's method on the half."""
    half = _half_sum(x, _Q0_ONE)
    forty_eight_17ths, minus_thirty_two_17ths = 1515870810, -1010580540
    y = forty_eight_17ths + _product(half, minus_thirty_two_17ths)
    for _ in range(3):
        y += _shifted(_product(y, (1 << 29) - _product(half, y)), 2)
    return _shifted(y, 1)
