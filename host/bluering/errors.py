"""The root of every failure that a user can cause or mend, and what a script learns of it."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What ``bluering`` ends with. 2 is a command line that can't be understood."""

    DONE = 0
    FAILED = 1
    SKIPPED = 3  # measured, but not everything
    TAMPERED = 4  # what was verified is altered, missing or surplus
    COMPUTER = 5  # the computer refused: a file, a folder, a full disk
    INTERRUPTED = 130


class BlueRingError(Exception):
    """What failed, the value that was got and what is allowed; ``hint`` is the next step."""

    exit_code: int = ExitCode.FAILED

    def __init__(self, message: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def told(self) -> str:
        """Message and hint in one line, where there is no other for the hint."""
        return f"{self} ({self.hint})" if self.hint else str(self)
