"""Known-answer tests: is a native kernel right, by the standard of its viper twin?"""

import os
from array import array

from ear import sequence
from ear.audio.format import HOP
from ear.kernels import Kernels

_MARGIN = 16  # bytes behind each buffer that must stay what they are
_LONGEST = 300  # samples, and the loudest of those that tell how many


def check(part, kernels, module, address):
    """Try a part's native module: its functions by name, and the names of those that are wrong.

    ``kernels``: the part's, of which the viper functions are the standard; ``module``: the native
    ones; ``address``: where a buffer lies.
    """
    functions = {}
    for name in dir(module):
        function = getattr(module, name)
        if name[0] != "_" and callable(function) and hasattr(kernels.module, name):
            functions[name] = function
    twins = Twins(kernels.module, functions, address)
    _EXERCISES[part](twins)
    untried = [name for name in functions if name not in twins.tried]
    return functions, twins.wrong + untried


class Twins(Kernels):
    """Calls viper kernels, and finds out whether the native ones do the same."""

    def __init__(self, module, functions, address):
        super().__init__(module)
        self.wrong = []
        self.tried = []
        for name in functions:
            twin = getattr(module, name)
            self.use(name, self._compared(name, twin, functions[name], address), None)

    def _compared(self, name, twin, function, address):
        def call(*arguments):
            if name not in self.tried:
                self.tried.append(name)
            if name not in self.wrong and not agree(twin, function, arguments, address):
                self.wrong.append(name)
            return twin(*arguments)

        return call


def agree(twin, function, arguments, address):
    """Whether both give the same result and leave the same in their copies of the buffers."""
    ours = [_copied(argument) for argument in arguments]
    theirs = [_copied(argument) for argument in arguments]
    expected = twin(*ours)
    given = [address(a) if address and not isinstance(a, int) else a for a in theirs]
    found = function(*given)
    return (expected or 0) == (found or 0) and ours == theirs


def _copied(argument):
    if isinstance(argument, int):
        return argument
    return bytearray(bytes(memoryview(argument)) + b"\xa5" * _MARGIN)


def _fixed(count):
    """The same bytes each time, of all values."""
    return bytes([(i * i * 7 + i * 29 + (i >> 4)) & 255 for i in range(count)])


def _sources():
    """Fixed data, then data that differs each time."""
    return _fixed, os.urandom


def _frontend(twins):
    """The whole front end, then its steps over what sound alone wouldn't bring."""
    from ear.audio import frontend_tables as tables
    from ear.audio.frontend import FrontEnd

    end = FrontEnd(twins)
    lowest = array("h", [3] * HOP)
    lowest[80] = -32768  # in the middle of the window, an overflow of its own
    square = array("h", ([32767] * 8 + [-32768] * 8) * (HOP // 16))
    faint = array("h", [byte & 3 for byte in _fixed(HOP)])
    for hop in (faint, lowest, faint, square, _fixed(2 * HOP), os.urandom(2 * HOP)):
        end.push(hop)

    coefficients = array("H", tables.WINDOW)
    for loudest in range(8):
        history = array("H", [32768 + 2] * 480)
        history[240 + loudest] += 900 << loudest & 0x7FFF
        twins.window(0, 0, history, coefficients, tables.DIGITS, array("H", bytes(1024)))

    # Numbers around the powers of two, those whose roots are 65535.5 and more, and any.
    numbers = [0, 0, 0] + [(1 << bits) + step for bits in range(1, 40) for step in (-1, 0, 1)]
    numbers += [(1 << 32) - 1 - i * 3000 for i in range(20)] + [(1 << 32) + i for i in range(20)]
    for data in _sources():
        for _ in range(6):
            draw = data(200)
            for i in range(0, 200, 5):
                high, middle, low, lowest, length = draw[i : i + 5]
                number = high << 32 | middle << 24 | low << 16 | lowest << 8
                numbers.append(number >> length % 36)
    _numbers_of_all_sizes(twins, numbers, tables)
    for start in range(0, 720, 40):
        twins.quantise(array("H", range(start, start + 40)), bytearray(40))


def _numbers_of_all_sizes(twins, numbers, tables):
    """The front end's last steps over these numbers, forty at a time."""
    roots = array("I", tables.SQUARE_ROOTS)
    gains = array("H", tables.GAINS)
    logs = array("H", tables.LOGARITHMS)
    exponents = tables.EXPONENTS
    others = numbers[80:] + numbers[:80]
    for start in range(0, len(numbers), 40):
        some = numbers[start : start + 40]
        sums = array("I", [part for n in some for part in (n >> 14, n & 16383)])
        twins.square_roots(0, 0, sums, roots, start // 40 & 15, _words(some, 0))
        levels, noise = _words(some, 20), _words(others[start : start + 40], 30)
        twins.reduce_noise(0, 0, levels, noise)
        twins.control_gain(0, 0, levels, noise, gains, exponents)
        twins.logarithms(0, 0, _words(some, 26), logs, exponents, array("H", bytes(80)))
    for start in range(0, 2000, 200):  # finely, and across the bend of the gain's curve
        levels, noise = array("I", range(start, start + 200, 5)), array("I", [1 << 20] * 40)
        twins.logarithms(0, 0, levels, logs, exponents, array("H", bytes(80)))
        twins.control_gain(0, 0, levels, noise, gains, exponents)


def _words(numbers, bits):
    """Forty numbers as words of so many bits."""
    return array("I", [number & (1 << bits) - 1 for number in numbers])


def _spotter(twins):
    for data in _sources():
        for depth, outputs in ((16, 9), (32, 9), (208, 5)):
            for fine in (False, True):
                _conv(twins, data, depth, outputs, fine)
        for channels in range(1, 21):  # each lane once the last one
            _depthwise(twins, data, 3, channels, channels & 1)
        for taps in (1, 21):
            _depthwise(twins, data, taps, 32, False)
            _depthwise(twins, data, taps, 32, True)
        twins.transfer(data(43), bytearray(43), 43)
        twins.shift(bytearray(data(256)), array("I", [0, 60, 20, 0, 96, 128, 32, 0]), 2)


def _conv(twins, data, depth, outputs, fine):
    head = (depth, outputs, 2 * 131 + 1)
    parameters = _parameters(head, outputs, data, fine)
    weights = _weights(data(depth * outputs), fine)
    twins.conv(data(depth), weights, parameters, bytearray(outputs))


def _depthwise(twins, data, taps, channels, fine):
    head = (taps, channels, 2 * 17 + 1, 48, 32, 1)
    parameters = _parameters(head, channels, data, fine)
    weights = _weights(data(32 * taps), fine)
    for channel in range(channels):  # the bias for inputs less 128
        total = sum([weights[32 * tap + channel] - 128 for tap in range(taps)])
        parameters[8 + 4 * channel + 3] = parameters[8 + 4 * channel] + 128 * total
    twins.depthwise(data(48 * taps), weights, parameters, bytearray(channels))


def _weights(data, fine):
    """Weights of all sizes, or such that the sums are small and their last bit counts."""
    return bytes([127 + (byte % 3) for byte in data]) if fine else data


def _parameters(head, outputs, data, fine):
    """A section of parameters in the layout of ear.spotter.model_kernels."""
    words = array("I", bytes(4 * (8 + 4 * outputs)))
    for i, word in enumerate(head):
        words[i] = word
    draw = data(5 * outputs)
    for i in range(outputs):
        low, middle, high, bias, more = draw[5 * i : 5 * i + 5]
        record = 8 + 4 * i
        words[record] = (1 << 30) + (bias if fine else 97 * (bias - 128))
        # The multiplier's low 15 bits, and the rest, whose highest bit is set.
        words[record + 1] = (low << 7 | more >> 1) | (128 | high >> 1) << 24 | middle << 16
        words[record + 2] = 0 if fine else more & 15
    return words


def _adpcm(twins):
    from ear.privacy.adpcm import new_state

    state = new_state()
    for data in _sources():
        twins.encode(data(128), bytearray(32), state, 64)


def _mic(twins):
    for data in _sources():
        for shift in (1, 7, 11, 16):
            words = array("i", data(4 * 43))  # eights, and some more
            for i in range(43):
                words[i] >>= i % 24  # loud ones and faint ones
            twins.narrow(words, bytearray(86), 43, shift)
        twins.narrow(words, bytearray(86), 0, 16)


def _link(twins):
    from ear.link.frames import CRC, CRC_TABLE, frame_size

    contents = [b"", bytes(40)]
    for data in _sources():
        contents += [data(3), data(200)]
    # Blocks that end before, in and behind the checksum, and zeros in it.
    whole = bytes([byte or 1 for byte in _fixed(520)])
    contents += [whole[:length] for length in (249, 250, 251, 252, 253, 254, 255, 515)]
    contents += [bytes((1, 2, 188)), bytes((1, 0, 129)), bytes((1, 2, 40)), bytes((1, 2, 180))]
    for content in contents:
        message = bytearray(content) + bytes(CRC)
        out = bytearray(3 + frame_size(len(content)))
        twins.seal(message, len(content), out, 3, CRC_TABLE)


def runs(native, run, address, locate):
    """Whether the native ``run`` makes the calls of a sequence as viper kernels in a loop do.

    native: the kernels, of which the front end's and the microphone's are called, viper ones
    among them; address: where a buffer lies; locate: see ``ear.sequence``.
    """
    frontend, viper, mic = native.frontend, native.frontend.module, native.mic.module
    buffers = _chained()
    ours, theirs = ([_copied(buffer) for buffer in buffers] for _ in range(2))
    looped = sequence.looped(_chain(viper, viper, mic, ours))
    places = [address(buffer) for buffer in theirs]
    tried = sequence.native(_chain(frontend, viper, mic, places), run, address, locate)
    for quietest in (0, 44):  # another peak the second time, and one of more than a byte
        hop = array("h", [quietest + byte % (20 + 5 * quietest) for byte in _fixed(HOP)])
        expected = looped.run(looped.program, hop)
        if tried.run(tried.program, address(hop)) != expected or ours != theirs:
            return False
    return True


def _chained():
    """Buffers for ``_chain``."""
    from ear.audio import frontend_tables as tables

    return (
        array("H", [32768] * 480),
        array("i", _fixed(4 * _LONGEST)),
        bytearray(2 * _LONGEST),
        array("H", tables.WINDOW),
        tables.DIGITS,
        bytearray(1024),
        array("I", list(_fixed(247))),
        array("H", tables.BAND_WEIGHTS),
        tables.BAND_WIDTHS,
        array("I", bytes(320)),
        array("I", tables.SQUARE_ROOTS),
        array("I", bytes(160)),
        array("H", _fixed(80)),
        bytearray(40),
    )


def _chain(some, others, mic, places):
    """Calls of all lengths; the peak is a number of samples, the shift goes to two kernels."""
    history, words, hop, window, digits, data, bins, weights, widths = places[:9]
    sums, roots, levels, raw, features = places[9:]
    peak, shift = sequence.Result(0), sequence.Result(2)
    return (
        (some.slide, (0, 0, history, sequence.INPUT)),
        (mic.narrow, (words, hop, peak, 9)),
        (others.window, (0, 0, history, window, digits, data)),
        (some.fft_first, (0, 0, data, shift)),
        (some.filterbank, (bins, 0, weights, widths, sums)),
        (others.square_roots, (0, 0, sums, roots, shift, levels)),
        (some.quantise, (raw, features)),
    )


_EXERCISES = {
    "frontend": _frontend,
    "spotter": _spotter,
    "adpcm": _adpcm,
    "mic": _mic,
    "link": _link,
}
