"""On MicroPython: single kernels of the front end against plain Python, at their edges."""

import sys

sys.path.insert(0, sys.argv[1])

import random
from array import array

from ear.audio import frontend_kernels as kernels
from ear.audio import frontend_tables as tables

random.seed(7)


def root(value):
    """floor(sqrt(value)) by Newton's steps."""
    if value == 0:
        return 0
    guess = 1 << 21
    while guess * guess > value:
        guess = (guess + value // guess) // 2
    return guess


def rounded_root(value):
    """As TFLM rounds: up from a half, but not 65535 for a value of 32 bits."""
    floor = root(value)
    up = value - floor * floor > floor
    return floor + (up and not (floor == 65535 and value < 1 << 32))


def check_square_roots():
    edges = [0, 1, 2, 3, (1 << 32) - 1, 1 << 32, (1 << 40) - 1, 65535 * 65536, 65535 * 65536 + 1]
    for _ in range(1000):
        base = random.getrandbits(random.randint(1, 20))
        edges += [base * base, base * base + base, base * base + base + 1]
        edges.append(random.getrandbits(30) << 10 >> random.randint(0, 39))
    edges += [0] * (-len(edges) % 40)
    table, sums = array("I", tables.SQUARE_ROOTS), array("I", bytes(320))
    levels = array("I", bytes(160))
    for start in range(0, len(edges), 40):
        for i, value in enumerate(edges[start : start + 40]):
            sums[2 * i], sums[2 * i + 1] = value >> 14, value & 16383
        shift = start // 40 % 16
        kernels.square_roots(0, 0, sums, table, shift, levels)
        for i, value in enumerate(edges[start : start + 40]):
            assert levels[i] == rounded_root(value) >> shift, (value, shift, levels[i])


def plain_filterbank(bins, weights):
    at = weight_sum = rest_sum = 0
    sums = []
    for width in tables.BAND_WIDTHS:
        weight_sum, rest_sum = rest_sum, 0
        for _ in range(width):
            weight_sum += bins[at] * weights[at]
            rest_sum += bins[at] * (4096 - weights[at])
            at += 1
        sums.append(weight_sum)
    return sums[1:]


def check_filterbank():
    weights = array("H", tables.BAND_WEIGHTS)
    bins, sums = array("I", bytes(4 * 247)), array("I", bytes(320))
    most = (1 << 28) - 1
    for turn in range(100):
        for i in range(236):
            bins[i] = random.getrandbits(20) >> (turn % 20)
        if turn % 2:  # nearly all energy in one bin, as many low bits set as can be
            bins[random.randrange(236)] = most - (236 << 20)
        if turn == 0:
            for i in range(236):
                bins[i] = (1 << 20) - 1
        kernels.filterbank(bins, 0, weights, tables.BAND_WIDTHS, sums)
        expected = plain_filterbank(bins, weights)
        for i, value in enumerate(expected):
            assert (sums[2 * i] << 14) + sums[2 * i + 1] == value, (turn, i)


def check_quantise():
    raw, features = array("H", bytes(80)), bytearray(40)
    for start in range(0, 65536, 40):
        for i in range(40):
            raw[i] = min(start + i, 65535)
        kernels.quantise(raw, features)
        for i in range(40):
            assert features[i] == min((raw[i] * 256 + 333) // 666, 255), raw[i]


def check_slide():
    history, hop = array("H", range(480)), array("h", bytes(320))
    for sample, peak in ((0, 0), (5, 5), (-6, 6), (32767, 32767), (-32767, 32767), (-32768, 32767)):
        before = list(history)
        for i in range(160):
            hop[i] = 0
        hop[random.randrange(160)] = sample
        assert kernels.slide(0, 0, history, hop) == peak, sample
        assert list(history) == before[160:] + [value + 32768 for value in hop], sample


def check_window():
    samples, data = array("H", bytes(960)), array("H", bytes(1024))
    coefficients = array("H", tables.WINDOW)
    for turn in range(40):
        limit = 65536 >> turn % 16
        for i in range(480):
            samples[i] = 32768 + random.randrange(limit) - limit // 2
        if turn % 2:
            samples[240] = 0  # -32768 where the window is 1
        shift = kernels.window(0, 0, samples, coefficients, tables.DIGITS, data)
        windowed = [((samples[i] - 32768) * coefficients[i]) >> 12 for i in range(480)]
        most = max([abs(value) for value in windowed if value != -32768])
        assert most << shift < 32768, (turn, shift)
        assert shift == 15 or most << shift >= 16384, (turn, shift)
        for i, value in enumerate(windowed + [0] * 32):
            if value == -32768 and shift:
                value = 0
            pair, part = divmod(i, 2)
            place = pair % 4 * 64 + pair // 4 % 4 * 16 + pair // 16 % 4 * 4 + pair // 64
            assert data[2 * place + part] == value + 32768, (turn, i)


check_slide()
check_square_roots()
check_filterbank()
check_quantise()
check_window()
print("ok")
