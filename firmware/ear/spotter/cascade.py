"""Two models as one: the first hears every step, the second only where the first isn't sure.

Two networks that were trained apart are seldom fooled by the same sounds. Where the first gives a
probability of at least ``doubt``, the second hears what came before as well, as far back as it
remembers, and the word's probability is the mean of both, rounded down: bit for bit what it would
be if both heard every step. Elsewhere it is the first one's, and the second costs nothing.
"""

from ear.kernels import Kernels
from ear.spotter import model_kernels
from ear.spotter.format import CASCADE_BYTES, ModelError, read_cascade
from ear.spotter.model import Model


class Cascade:
    """A ``Model`` of two; everything is allocated here, nothing in ``push``."""

    def __init__(self, first, second, doubt, source_sha256, kernels=None):
        """``first``, ``second``: models; ``doubt``: 0..255; ``kernels``: the spotter's.

        Raises ModelError when the models don't step together.
        """
        if (first.stride, first.row) != (second.stride, second.row):
            raise ModelError("its two models don't step together")
        self.stride, self.row = first.stride, first.row
        self.source_sha256 = source_sha256
        self._first, self._second, self._doubt = first, second, doubt
        kernels = kernels or Kernels(model_kernels)
        self._transfer = kernels.transfer
        self._ring = [bytearray(self.row) for _ in range(second.memory)]  # the newest rows
        self._places = [kernels.place(row) for row in self._ring]
        self._again = bytearray(self.row)  # a row that the second hears later
        self._again_place = kernels.place(self._again)
        self.reset()

    def push(self, features):
        """Take one row of features (int8 + 128); True when ``probability`` (0..255) is new."""
        stepped = self._first.push(features)
        self._remember()
        if not stepped:
            return False
        probability = self._first.probability
        if probability >= self._doubt:
            self._ask()
            probability = (probability + self._second.probability) // 2
        self.probability = probability
        return True

    def _remember(self):
        self._transfer(self._first.source, self._places[self._next], self.row)
        self._next += 1
        if self._next == len(self._ring):
            self._next = 0
        self._unheard += 1

    def _ask(self):
        """Let the second hear what it hasn't heard yet, or all that it could still remember."""
        length = len(self._ring)
        if self._unheard > length:
            self._second.reset()
            self._unheard = length
        at = self._next - self._unheard
        if at < 0:
            at += length
        while self._unheard:
            self._transfer(self._places[at], self._again_place, self.row)
            self._second.push(self._again)
            at += 1
            if at == length:
                at = 0
            self._unheard -= 1

    def reset(self):
        """Forget everything heard, as after loading."""
        self._first.reset()
        self._second.reset()
        self.probability = 0
        self._next = 0  # place of the next row
        self._unheard = 0  # rows that the second hasn't heard


def read_model(file, kernels=None):
    """The model in a file that was opened to read bytes: one alone, or a cascade of two.

    Raises ModelError with the reason when it is truncated, corrupt or of another version.
    """
    head = file.read(CASCADE_BYTES)
    header = read_cascade(head)
    if header is None:
        file.seek(0)
        return Model(file.read(), kernels)
    # Each has bytes of its own: a vector unit's kernels want them to begin where vectors do.
    first = Model(file.read(header.first), kernels)
    second = Model(file.read(header.second), kernels)
    if file.read(1):
        raise ModelError("there is more in it than two models")
    return Cascade(first, second, header.doubt, header.source_sha256, kernels)
