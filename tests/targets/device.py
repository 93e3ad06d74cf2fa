"""Run a script of tests/device on a MicroPython runtime."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
FIRMWARE = ROOT / "firmware"
_SCRIPTS = ROOT / "tests" / "device"


def run(micropython: Path, script: str, *arguments: object, timeout: float = 300) -> str:
    """Run ``tests/device/SCRIPT`` with the firmware's folder as its first argument.

    Returns what it printed. Raises AssertionError with its traceback when it failed.
    """
    command = [micropython, "-X", "heapsize=16m", _SCRIPTS / script, FIRMWARE, *arguments]
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=timeout
    )
    assert done.returncode == 0, f"{script} failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
    return done.stdout
