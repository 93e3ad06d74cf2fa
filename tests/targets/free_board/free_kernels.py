"""Kernels that cost nothing: builtins that return a small number at once.

Places are small numbers too, as they are on the chip.
"""

import sys

import micropython


def _names(module):
    return [name for name in dir(module) if name[0] != "_" and callable(getattr(module, name))]


def stub(modules):
    """Let every kernel of these modules, and of what is made of them, cost nothing."""
    for name in modules:
        __import__(name)
        for kernel in _names(sys.modules[name]):
            setattr(sys.modules[name], kernel, max)


def use(kernels):
    """Let kernels take places, as native ones do."""
    for name in _names(kernels.module):
        kernels.use(name, max, len)


@micropython.viper
def seal(_message: int, length: int, _out: int, _at: int, counts: ptr32) -> int:  # noqa: F821
    """Count a frame and its bytes, and seal nothing: ``counts`` is what the table's place was."""
    counts[0] += 1
    counts[1] += length
    return length + 7
