"""Samples in, features out: TensorFlow Lite Micro's micro front end, as microWakeWord uses it."""

# The kernels first: native code must be loaded before memory fills up.
from ear.audio import frontend_kernels  # isort: skip
from array import array

from ear.audio.format import CHANNELS, HOP, WINDOW
from ear.kernels import Kernels
from ear.sequence import INPUT, Result

_HOPS_IN_WINDOW = WINDOW // HOP
_SILENCE = 32768  # a sample of 0, as the kernels keep it


class FrontEnd:
    """40 features every 10 ms, each of the last 30 ms. Everything is allocated when it is made.

    raw: array('H') of 40, the values of pymicro-features before its scale.
    features: the same as bytearray, int8 + 128 by ESPHome's rule.
    place: where the kernels find the features.
    peak: the newest hop's largest magnitude, 0..32767.
    missing: hops until the window is full and every one brings features.
    """

    def __init__(self, kernels=None):
        """``kernels``: the front end's, native ones among them; viper's if there are none."""
        from ear.audio import frontend_tables as tables  # which a device lets go of after its start

        self.kernels = kernels = kernels or Kernels(frontend_kernels)
        self._buffers = []  # kept here, since kernels may know only where they lie

        def placed(buffer):
            self._buffers.append(buffer)
            return kernels.place(buffer)

        self.raw = array("H", bytes(2 * CHANNELS))
        self.features = bytearray(CHANNELS)
        self._estimates = array("I", bytes(4 * CHANNELS))
        self._raw = placed(self.raw)
        self.place = placed(self.features)
        self._noise = placed(self._estimates)
        self._history = placed(array("H", [_SILENCE] * WINDOW))
        self._data = placed(array("H", bytes(4 * 256)))
        self._bins = placed(array("I", bytes(4 * 247)))
        self._sums = placed(array("I", bytes(8 * CHANNELS)))
        self._levels = placed(array("I", bytes(4 * CHANNELS)))
        self._window = placed(array("H", tables.WINDOW))
        self._twiddles = placed(array("i", array("h", tables.TWIDDLES)))
        self._real_twiddles = placed(array("H", tables.REAL_TWIDDLES))
        self._weights = placed(array("H", tables.BAND_WEIGHTS))
        self._roots = placed(array("I", tables.SQUARE_ROOTS))
        self._gains = placed(array("H", tables.GAINS))
        self._logarithms = placed(array("H", tables.LOGARITHMS))
        self._digits = placed(tables.DIGITS)
        self._widths = placed(tables.BAND_WIDTHS)
        self._exponents = placed(tables.EXPONENTS)
        self._sequence = kernels.sequence(self.calls(INPUT))
        self._hop = None
        self._hop_place = None
        self.reset()

    def calls(self, hop):
        """All that is done with a hop once the window is full: the calls of the kernels, of which
        the first returns the peak. ``hop``: its place."""
        kernels = self.kernels
        history, data, levels, noise = self._history, self._data, self._levels, self._noise
        exponents = self._exponents
        shift = Result(1)
        return (
            (kernels.slide, (0, 0, history, hop)),
            (kernels.window, (0, 0, history, self._window, self._digits, data)),
            (kernels.fft_first, (0, 0, data, shift)),
            (kernels.fft_next, (0, 0, data, self._twiddles, 4, 16)),
            (kernels.fft_next, (0, 0, data, self._twiddles, 16, 4)),
            (kernels.fft_next, (0, 0, data, self._twiddles, 64, 1)),
            (kernels.energies, (0, 0, data, self._real_twiddles, self._bins)),
            (kernels.filterbank, (self._bins, 0, self._weights, self._widths, self._sums)),
            (kernels.square_roots, (0, 0, self._sums, self._roots, shift, levels)),
            (kernels.reduce_noise, (0, 0, levels, noise)),
            (kernels.control_gain, (0, 0, levels, noise, self._gains, exponents)),
            (kernels.logarithms, (0, 0, levels, self._logarithms, exponents, self._raw)),
            (kernels.quantise, (self._raw, self.place)),
        )

    def reset(self):
        """Forget the sound so far: the next two hops yield nothing."""
        self.peak = 0
        self.missing = _HOPS_IN_WINDOW
        for channel in range(CHANNELS):
            self._estimates[channel] = 0

    def push(self, hop):
        """Take a hop of 160 int16 samples, little-endian; True when the features are new."""
        if hop is not self._hop:  # hops come in the same few buffers again and again
            self._hop_place = self.kernels.place(hop)
            self._hop = hop
        if self.missing:
            self.missing -= 1
            if self.missing:
                self.peak = self.kernels.slide(0, 0, self._history, self._hop_place)
                return False
        sequence = self._sequence
        self.peak = sequence.run(sequence.program, self._hop_place)
        return True
