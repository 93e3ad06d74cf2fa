"""How a command ends: what failed as a sentence with the next step, an exit code, no traceback."""

import os
import sys
from collections.abc import Callable

from bluering.errors import BlueRingError, ExitCode
from bluering.files import explained


def run(command: Callable[[], object]) -> int | str | None:
    """Run a command line; returns what to end the process with.

    A failure goes to standard error; a reader of standard output who is gone needs no word.
    """
    try:
        code = _ended(command)
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
        return ExitCode.FAILED
    except BlueRingError as error:
        return _tell(error)
    except OSError as error:
        _discard_output()
        return _tell(explained(error, f"{error.filename or 'the command'} failed"))
    return code


def _ended(command: Callable[[], object]) -> int | str | None:
    """Typer ends with SystemExit, whatever happened."""
    try:
        command()
    except SystemExit as ended:
        return ended.code
    return ExitCode.DONE


def _tell(error: BlueRingError) -> int:
    print(f"error: {error}", file=sys.stderr)
    if error.hint:
        print(f"  hint: {error.hint}", file=sys.stderr)
    return error.exit_code


def _discard_output() -> None:
    """What standard output still holds would fail again when Python ends."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
