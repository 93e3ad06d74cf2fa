"""Kernels that cost nothing: builtins that return a small number at once.

Places are small numbers too, as they are on the chip.
"""

import sys


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
