"""Fixtures shared by every kind of test: the runtimes and the recordings that may be there."""

import os
import signal
from pathlib import Path

import pytest

from bluering.virtual.runtime import RuntimeMissingError, find_micropython

ROOT = Path(__file__).parents[1]
# On two cores that two workers share, PyTorch's threads would spin waiting for each other.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")
# A shell that starts a job in the background makes it ignore Ctrl-C, and so all that it starts;
# some tests press it.
signal.signal(signal.SIGINT, signal.default_int_handler)

CORPUS = ROOT.parent / "shared" / "corpus" / "dev"


@pytest.fixture(scope="session", params=[64, 32], ids=["mp64", "mp32"])
def word_size(request: pytest.FixtureRequest) -> int:
    """Bits of MicroPython's words: once 64 and once 32 (the S3's)."""
    try:
        find_micropython(request.param)
    except RuntimeMissingError as error:
        pytest.skip(str(error))
    return request.param


@pytest.fixture(scope="session")
def micropython(word_size: int) -> Path:
    """A MicroPython executable with words of that size."""
    return find_micropython(word_size)


@pytest.fixture(scope="session")
def dev_corpus() -> Path:
    """The folder with real recordings and their manifest.csv."""
    if not (CORPUS / "manifest.csv").is_file():
        pytest.skip("the shared development corpus is not beside the project (shared/corpus/dev)")
    return CORPUS


@pytest.fixture(scope="session")
def chip_memory() -> None:
    """The runtime that has no more memory than the chip is there."""
    from tests.targets import chip_board  # needs more than the tests with a real board do

    try:
        chip_board.find()
    except RuntimeMissingError as error:
        pytest.skip(str(error))
