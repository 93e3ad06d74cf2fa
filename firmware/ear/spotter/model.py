"""Runs a compiled model: rows of features in, a probability every ``stride`` rows."""

from ear.kernels import Kernels
from ear.sequence import INPUT
from ear.spotter import model_kernels
from ear.spotter.errors import ModelError

__all__ = ("Model", "ModelError")


class Model:
    """A streaming model with its state; everything is allocated here, nothing in ``push``."""

    def __init__(self, blob, kernels=None):
        """``blob``: the compiled model as bytes, which stay in use; ``kernels``: the spotter's,
        native ones among them, viper's if there are none.

        Raises ModelError with the reason when it is truncated, corrupt or of another version.
        """
        from ear.spotter import plan  # which a device lets go of after its start

        self.kernels = kernels = kernels or Kernels(model_kernels)
        header = plan.read_header(blob)
        self.stride = header.stride  # rows a step
        self.source_sha256 = header.source_sha256
        self.probability = 0
        self._row = header.row
        self._phase = 0
        self._arena = arena = bytearray(header.arena)
        self._output = header.output
        self._regions = plan.read_regions(blob, header)
        self._place, self._transfer = kernels.place, kernels.transfer
        self._file = blob
        self._table = memoryview(blob)[header.table :]
        self._rows = plan.rows(header, arena, kernels)
        self._features = None
        self._source = None  # what the kernels take for the newest row
        self._layers = plan.calls(blob, header, arena, kernels)
        step = [self.take_call(INPUT, self.stride - 1)]
        step += self._layers
        self._sequence = kernels.sequence(step)
        self.reset()

    def take_call(self, source, phase):
        """The call that takes a step's row number ``phase`` from the place ``source``."""
        return self._transfer, (source, self._rows[phase], self._row)

    def step_calls(self):
        """The calls that make the step once its rows are there; ``finish`` follows."""
        return self._layers

    def finish(self):
        """The step's calls were made: take the probability out of their results."""
        # The logit is new in this step, so the shift of what is kept has left it where it was.
        self.probability = probability = self._table[self._arena[self._output]]
        return probability

    def push(self, features):
        """Take one row of features (int8 + 128); True when ``probability`` (0..255) is new."""
        if features is not self._features:
            self._take_from(features)
        phase = self._phase
        if phase + 1 < self.stride:
            self._transfer(self._source, self._rows[phase], self._row)
            self._phase = phase + 1
            return False
        self._phase = 0
        sequence = self._sequence
        sequence.run(sequence.program, self._source)
        self.finish()
        return True

    def _take_from(self, features):
        """Rows come in the same buffer again and again: look at it once."""
        if len(features) != self._row:
            raise ValueError(f"{len(features)} features, not {self._row}")
        self._source = self._place(features)
        self._features = features

    def reset(self):
        """Forget everything heard, as after loading."""
        self._phase = 0
        self.probability = 0
        arena = self._arena
        for region in self._regions:
            for index in range(region.offset, region.offset + region.keep + region.new):
                arena[index] = region.fill
