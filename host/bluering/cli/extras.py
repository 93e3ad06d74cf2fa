"""Say which optional part of the package a command needs, instead of an ImportError."""

from collections.abc import Iterator
from contextlib import contextmanager

from bluering.errors import BlueRingError


class ExtraMissingError(BlueRingError):
    """A command's optional dependencies are not installed."""


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Around a command's late imports: what is missing becomes a sentence with the remedy."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ExtraMissingError(
            f"this command needs the package {error.name}, which is not installed",
            f"pip install 'bluering[{name}]'",
        ) from error
