"""Three hops through the front end and the step of every model that they make, in one call.

Hop by hop it is the same kernels on the same buffers, and the same results bit for bit; what is
saved is Python's part between them.
"""

from ear.audio.format import BLOCK
from ear.sequence import later


class Block:
    """``run`` may take the place of three hops pushed into ``frontend`` and their features into
    each of ``models`` when ``frontend`` misses no hop and a step has just been made."""

    def __init__(self, frontend, models, hops):
        """``hops``: the buffers of the three hops. All models step at every third row."""
        kernels = frontend.kernels
        calls = []
        newest = 0
        for phase in range(BLOCK):
            newest = len(calls)
            calls += later(frontend.calls(kernels.place(hops[phase])), newest)
            calls += [model.take_call(frontend.place, phase) for model in models]
        for model in models:
            calls += model.step_calls()
        self._sequence = sequence = kernels.sequence(calls, newest)

        # ``run(program, 0)`` hears the hops and returns the newest one's peak; each model's
        # ``finish`` then gives its probability.
        self.run = sequence.run
        self.program = sequence.program


def suits(frontend, models):
    """Whether these can be heard by the block."""
    same = frontend.kernels.runs
    return all(model.stride == BLOCK and model.kernels.runs == same for model in models)
