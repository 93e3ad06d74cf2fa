"""The microphone on MicroPython, both word sizes."""

from pathlib import Path

import pytest

from tests.targets import device


@pytest.mark.parametrize("script", ["mic_gaps.py", "mic_narrow.py"])
def test_mic(micropython: Path, script: str) -> None:
    assert device.run(micropython, script).endswith("ok\n")
