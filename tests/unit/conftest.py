"""Fixtures of the unit tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit import vault_world
from tests.unit.pretend_device import PretendDevice


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    """One server and one database for the tests of a file."""
    with vault_world.postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str | None:
    """A test with it runs on both: None is SQLite's, which needs no URL."""
    return request.getfixturevalue("postgres_url") if request.param == "postgresql" else None


@pytest.fixture
def device(tmp_path: Path) -> Iterator[PretendDevice]:
    """A device on a serial port that is none; it may be unplugged."""
    device = PretendDevice(tmp_path)
    device.plug()
    yield device
    if device.path.is_symlink():
        device.unplug()
