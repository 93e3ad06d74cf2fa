"""What a receiver tells its user, and what to answer the device."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

from bluering.link.records import Record
from bluering.vault.vault import NewRecording, NewWake
from ear.audio.format import RATE

UNWRITABLE = (OSError, DBAPIError)
"""What a vault raises that can't be read or written."""


@dataclass(frozen=True)
class Notice:
    """Something to tell the user; ``answer`` is to be sent to the device first."""

    text: str
    failed: bool = False
    answer: Record | None = None


@dataclass(frozen=True)
class Heard(Notice):
    """A wake and its reasons."""

    wake: NewWake | None = None


@dataclass(frozen=True)
class Stored(Notice):
    """A recording is in the vault."""

    id: str = ""
    recording: NewRecording | None = None

    @property
    def has_sound(self) -> bool:
        """Whether anything of it can be heard."""
        new = self.recording
        return new is not None and len(new.samples) > sum(count for _, count in new.gaps)


def whatever_the_vault_does(notices: Iterator[Notice], what: str) -> Iterator[Notice]:
    """The notices; a vault that can't be read or written is one of them and ends nothing."""
    try:
        yield from notices
    except UNWRITABLE as error:
        yield Notice(
            f"{what} could not be dealt with, the vault can't be read or written "
            f"({cause(error)}). Is the disk full?",
            failed=True,
        )


def described(new: NewRecording, word: str) -> str:
    """A stored recording in one line: how long, how it ended, what is missing."""
    seconds = len(new.samples) / RATE
    text = f"stored {seconds:.1f} s after '{word}', ended by {new.reason}"
    if new.complete:
        return text
    gaps = ", ".join(
        f"{count / RATE:.2f} s at {first / RATE:.2f} s"
        if count
        else f"all after {first / RATE:.2f} s"
        for first, count in new.gaps
    )
    return f"{text}; INCOMPLETE, missing: {gaps}"


def cause(error: OSError | DBAPIError) -> str:
    """The system's or the database's own words."""
    if isinstance(error, DBAPIError):
        return str(error.orig)
    return error.strerror or str(error)
