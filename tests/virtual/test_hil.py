"""The hardware-in-the-loop tests themselves, in a run of their own with pytest-embedded."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_PATIENCE_S = 600


def run(*arguments: str) -> str:
    """Run tests/hil; what pytest said, unless one failed."""
    pytest.importorskip("pytest_embedded_serial", reason="pytest-embedded-serial is not installed")
    command = [sys.executable, "-m", "pytest", "-q", "tests/hil", *arguments]
    ran = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=_PATIENCE_S, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def counts(said: str) -> dict[str, int]:
    """The numbers of pytest's last line, by what they count."""
    return {what: int(number) for number, what in re.findall(r"(\d+) (\w+)", said.splitlines()[-1])}


def test_on_the_virtual_board_none_is_skipped() -> None:
    found = counts(run())
    assert found["passed"] >= 12
    assert not {"failed", "skipped", "warnings", "warning"} & set(found)


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """A device in another process, which only its address is known of."""
    command = [Path(sys.executable).with_name("bluering"), "virtual", "-"]
    options = ["--word", "alexa", "--word", "computer", "--tcp", "127.0.0.1:0"]
    with (
        open("/dev/zero", "rb") as quiet,
        subprocess.Popen(
            [*command, *options], stdin=quiet, stdout=subprocess.PIPE, text=True
        ) as process,
    ):
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(2)]
        yield lines[1].removeprefix("port: ").strip()
        process.terminate()


def test_over_a_socket_only_what_needs_hands_is_skipped(elsewhere: str) -> None:
    assert elsewhere.startswith("socket://")
    said = run("--port", elsewhere)
    found = counts(said)
    assert found["passed"] >= 9
    assert found["skipped"] == 3
    assert said.count("nobody is at this device") >= 1
