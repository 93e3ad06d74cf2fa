"""Runs native kernels under QEMU: called as MicroPython calls them, counted as `Xtensa` does."""

from unittest import mock

from tests.targets import xtensa


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
