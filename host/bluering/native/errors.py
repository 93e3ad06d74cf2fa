"""What can go wrong while a native kernel is built."""

from bluering.errors import BlueRingError


class NativeBuildError(BlueRingError):
    """A kernel's source can't be assembled; the message begins with file and line."""


class MpyFormatError(BlueRingError):
    """A file is no ``.mpy`` file of the version that is read and written here."""
