"""Fixtures of the unit tests."""

from collections.abc import Iterator

import pytest

from tests.unit import vault_world


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    """One server and one database for the tests of a file."""
    with vault_world.postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str | None:
    """A test with it runs on both: None is SQLite's, which needs no URL."""
    return request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
