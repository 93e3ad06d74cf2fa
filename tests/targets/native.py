"""Runs native kernels: under QEMU those without vectors, on the modelled core all of them."""

from collections.abc import Mapping
from functools import partial
from types import SimpleNamespace
from unittest import mock

from ear.kernels import Kernels
from tests.targets import xtensa
from tests.targets.pie import Core


class _SmallIntegers(xtensa._Memory):
    """Arguments are small integer objects: numbers, and the addresses of buffers."""

    def _value(self, argument: int | xtensa.Buffer) -> int:
        return (super()._value(argument) << 1 | 1) & 0xFFFFFFFF


class NativeXtensa(xtensa.Xtensa):
    """As `Xtensa`, for kernels whose arguments and result are small integers."""

    def call(self, name: str, *arguments: int | xtensa.Buffer) -> int:
        with mock.patch.object(xtensa, "_Memory", _SmallIntegers):
            result = super().call(name, *arguments)
        if not result & 1:
            raise xtensa.XtensaError(f"{name} returned {result:#x}, which is no small integer")
        return result >> 1


def kernels_on(core: Core, viper: Mapping[str, object] | None = None) -> Kernels:
    """The firmware's choice of kernels when all native ones of a core are used.

    ``viper``: what stands in for viper functions; none may be called otherwise.
    """
    kernels = Kernels(SimpleNamespace(**(viper or {})))
    for name in core.functions:
        kernels.use(name, partial(core.call, name), core.address)
    if "run" in core.functions:
        kernels.run_with(partial(core.call, "run"), core.locate)
    return kernels
