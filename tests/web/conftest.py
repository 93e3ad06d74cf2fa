"""A desk of the review application with recordings, and people who work at it."""

from collections.abc import Iterator

import pytest

from bluering.review.desk import Desk
from bluering.review.models import OWNER, REVIEWER
from tests.unit import vault_world
from tests.unit.review_world import fill, open_desk
from tests.web.review_site import Person, allow_review, join


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    with (
        vault_world.database(request.param) as url,
        vault_world.memory_folder() as folder,
        open_desk(folder, url) as desk,
    ):
        fill(desk, 900)
        allow_review(desk)
        yield desk


@pytest.fixture(scope="module")
def owner(desk: Desk) -> Person:
    return join(desk, "olga", OWNER)


@pytest.fixture(scope="module")
def reviewer(desk: Desk) -> Person:
    return join(desk, "rita", REVIEWER)
