"""Computes the constant tables of the device's front end.

    python -m bluering.models.frontend_tables firmware/ear/audio/frontend_tables.py

The front end is TensorFlow Lite Micro's (tensorflow/lite/experimental/microfrontend) as
microWakeWord configures it: 16 kHz, windows of 30 ms every 10 ms, 40 channels from 125 to 7500 Hz,
noise reduction, PCAN gain control, logarithm. The C code, in the copy that pymicro-features has,
computes these tables in single precision when it starts; so do the functions here, operation by
operation, because a last bit in a table would change features. (TFLM's own copy uses double
precision in places, and three band weights of it are others.)
"""

import math
import struct
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from bluering import files
from ear.audio.format import CHANNELS, RATE, WINDOW

FFT = 512
LOWEST_HZ, HIGHEST_HZ = 125.0, 7500.0
UNIT = 1 << 12  # 1.0 as a window or band weight
GAIN_BITS, GAIN_OFFSET, GAIN_STRENGTH = 21, 80.0, 0.95
NOISE_FRACTION_BITS = 10 - 3  # of a noise estimate: 10 of its own, less the FFT's correction
LOG_SEGMENTS = 128

HZ_PER_BIN = RATE / FFT

_single = np.float32
_HALF = _single(0.5)
# FDLIBM's constants of log1pf: log(2) in two parts, and the series' coefficients, last first.
_LN2_HIGH, _LN2_LOW = _single(6.9313812256e-01), _single(9.0580006145e-06)
_LOG1P = (
    1.4798198640e-01,
    1.5313838422e-01,
    1.8183572590e-01,
    2.2222198546e-01,
    2.8571429849e-01,
    4.0000000596e-01,
    6.6666668653e-01,
)


def window() -> list[int]:
    """480 Hann coefficients in 1/4096 (window_util)."""
    step = _single(math.pi) * _single(2) / _single(WINDOW)
    angles = [step * (_single(i) + _HALF) for i in range(WINDOW)]
    return [_fixed(_HALF - _HALF * _single(math.cos(float(angle)))) for angle in angles]


def digits() -> list[int]:
    """Base-4 digits of 0..59 in reverse order: where the FFT wants groups of four inputs."""
    return [i % 4 * 16 + i // 4 % 4 * 4 + i // 16 for i in range(WINDOW // 2 // 4)]


def twiddles() -> list[int]:
    """Kiss FFT's factors of the last of 4 stages: for k in 0..63, w^k, w^2k, w^3k as (re, im).

    w = exp(-2*pi*i/256), in 1/32767. Earlier stages use every 4th or 16th k.
    """
    powers = [q * k for k in range(64) for q in (1, 2, 3)]
    return [part for n in powers for part in _phasor(-2 * math.pi * n / (FFT // 2))]


def real_twiddles() -> list[int]:
    """Kiss FFT's factors that turn 256 complex bins into 257 real ones: (-re, -im) per bin.

    Only of the bins from the first that is used to 128: bin n also yields bin 256-n. Both parts
    are never positive.
    """
    bins = range(first_bin(), FFT // 4 + 1)
    return [-part for n in bins for part in _phasor(-math.pi * (n / (FFT // 2) + 0.5))]


def first_bin() -> int:
    """The lowest bin that a band uses."""
    return int(1.5 + LOWEST_HZ / HZ_PER_BIN)


def bands() -> tuple[list[int], list[int]]:
    """Of 41 mel bands: their widths in bins, and the weight of each bin in 1/4096.

    A bin of band b counts with its weight in channel b and with the rest of 4096 in channel b+1;
    channel 0 is dropped (filterbank_util).
    """
    low, high = _mel(_single(LOWEST_HZ)), _mel(_single(HIGHEST_HZ))
    spacing = (high - low) / _single(CHANNELS + 1)
    edges = [low, *(low + spacing * _single(i + 1) for i in range(CHANNELS + 1))]
    widths, weights = [], []
    n = first_bin()
    for start, end in pairwise(edges):
        first = n
        while (mel := _mel(_single(n * HZ_PER_BIN))) <= end:
            weights.append(_band_weight((end - mel) / (end - start)))
            n += 1
        widths.append(n - first)
    return widths, weights


def square_roots() -> list[int]:
    """floor(65536 * sqrt(n)) for n in 0..256."""
    return [math.isqrt(n << 32) for n in range(257)]


def gains() -> list[int]:
    """PCAN's gain as a function of the noise estimate (pcan_gain_control_util).

    The gains of estimates 0 and 1, then for each bit length from 2 to 31 the parabola over its
    estimates: value at the start, slope (negated, as the gain falls) and curvature (plus 2, as
    rounding makes it -2 once).
    """
    table = [_gain(0), _gain(1)]
    for bits in range(2, 32):
        start = 1 << (bits - 1)
        value, middle, end = (_gain(noise) for noise in (start, start * 3 // 2, start * 2))
        slope = 4 * (middle - value) - (end - value)
        table += [value, -slope, end - value - slope + 2]
    return table


def exponents() -> list[int]:
    """floor(log2(n)) for n in 1..255, and 0 for 0."""
    return [0, *(n.bit_length() - 1 for n in range(1, 256))]


def logarithms() -> list[int]:
    """log2(1 + x) - x in 1/65536 at x = 0, 1/128 .. 1 (log_lut)."""
    segments = [i / LOG_SEGMENTS for i in range(LOG_SEGMENTS + 1)]
    return [round(65536 * (math.log2(1 + x) - x)) for x in segments]


def module() -> str:
    """The text of ear/audio/frontend_tables.py."""
    widths, weights = bands()
    tables = [
        ("WINDOW", "H", window()),
        ("DIGITS", "B", digits()),
        ("TWIDDLES", "h", twiddles()),
        ("REAL_TWIDDLES", "H", real_twiddles()),
        ("BAND_WIDTHS", "B", widths),
        ("BAND_WEIGHTS", "H", weights),
        ("SQUARE_ROOTS", "I", square_roots()),
        ("GAINS", "H", gains()),
        ("EXPONENTS", "B", exponents()),
        ("LOGARITHMS", "H", logarithms()),
    ]
    return _HEADER + "".join(_constant(*table) for table in tables)


_HEADER = '''"""The front end's tables as little-endian numbers; made by

    python -m bluering.models.frontend_tables firmware/ear/audio/frontend_tables.py

which tells what they are. Don't edit.
"""
'''


def _constant(name: str, code: str, values: Sequence[int]) -> str:
    data = struct.pack(f"<{len(values)}{code}", *values)
    chunks = [data[i : i + 20] for i in range(0, len(data), 20)]
    lines = "".join(f"    {_escaped(chunk)}\n" for chunk in chunks)
    return f"\n# {len(values)} values, array code {code!r}\n{name} = (\n{lines})\n"


def _escaped(chunk: bytes) -> str:
    return 'b"' + "".join(f"\\x{byte:02x}" for byte in chunk) + '"'


def _phasor(angle: float) -> tuple[int, int]:
    """exp(i * angle) in 1/32767, rounded as Kiss FFT does."""
    return math.floor(0.5 + 32767 * math.cos(angle)), math.floor(0.5 + 32767 * math.sin(angle))


def _mel(hz: np.float32) -> np.float32:
    return _single(1127) * _log1p(hz / _single(700))


def _log1p(x: np.float32) -> np.float32:
    """log(1 + x) in single precision as FDLIBM computes it, for 0.1 < x < 2**20.

    Many C libraries have FDLIBM's (glibc 2.36 was compared); a correctly rounded one, as newer
    glibc have, gives two other band weights. Algorithm: FDLIBM's s_log1p.c, float version.
    """
    one, exponent, lost = _single(1), 0, _single(0)
    if x >= _single(0.41421354):  # sqrt(2) - 1: write 1 + x as (1 + f) * 2**exponent
        whole = one + x
        rounding = x - (whole - one) if whole < _single(2) else one - (whole - x)
        lost = rounding / whole
        mantissa, exponent = np.frexp(whole)  # 0.5 <= mantissa < 1
        if mantissa < _single(0.70710677):
            mantissa, exponent = mantissa * _single(2), exponent - 1
        x = mantissa - one
    square = _HALF * x * x
    s = x / (_single(2) + x)
    z = s * s
    series = _single(0)
    for coefficient in _LOG1P:
        series = z * (_single(coefficient) + series)
    if exponent == 0:
        return x - (square - s * (square + series))
    high, low = _single(exponent) * _LN2_HIGH, _single(exponent) * _LN2_LOW + lost
    return high - ((square - (s * (square + series) + low)) - x)


def _band_weight(share: np.float32) -> int:
    weight = _fixed(share)
    if weight + _fixed(_single(1) - share) != UNIT:  # the kernel relies on this
        raise ArithmeticError("a bin's shares in its two bands don't add up to 1")
    return weight


def _fixed(value: np.float32) -> int:
    return math.floor(value * _single(UNIT) + _HALF)


def _gain(noise: int) -> int:
    level = _single(noise) / _single(1 << NOISE_FRACTION_BITS) + _single(GAIN_OFFSET)
    power = _single(float(level) ** -float(_single(GAIN_STRENGTH)))
    return min(32767, int(_single(1 << GAIN_BITS) * power + _HALF))


def main(arguments: Sequence[str]) -> None:
    """Write the module to the one path given."""
    (path,) = arguments
    files.write(Path(path), module())


if __name__ == "__main__":
    main(sys.argv[1:])
