"""Every form and address with generated input: never a server error, never a leak."""

import re
from collections.abc import Iterator

import pytest

from bluering.review.desk import Desk
from bluering.review.models import AUDITOR, OWNER, REVIEWER
from bluering.review.web.app import make_app
from bluering.review.web.visit import COOKIE
from tests.unit import vault_world
from tests.unit.review_world import fill, open_desk
from tests.web.review_site import ORIGIN, Browser, Person, allow_review, join

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis isn't installed")
hypothesis = pytest.importorskip("hypothesis", reason="hypothesis isn't installed")

_EXAMPLES = 12
_LEAK = re.compile(rb"Traceback|sqlalchemy|sqlite3|psycopg|File \"|/review/web/|argon2id", re.I)


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with vault_world.memory_folder() as folder, open_desk(folder) as desk:
        fill(desk, 600)
        allow_review(desk, hourly_cap=1000)
        yield desk


@pytest.mark.slow
@pytest.mark.parametrize("role", [OWNER, REVIEWER, AUDITOR, None])
def test_no_input_breaks_or_leaks(desk: Desk, role: str | None):
    person = join(desk, f"fuzz-{role}", role) if role else None
    app = make_app(desk, ORIGIN)
    schema = schemathesis.openapi.from_dict(app.openapi())
    headers = {"Origin": ORIGIN, "Host": ORIGIN.removeprefix("https://"), "X-Review": "play"}
    if person is not None:
        headers["Cookie"] = f"{COOKIE}={person.token}"
    tried = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path == "/sign-out":
            continue
        _fuzz(desk, app, operation, headers, person)
        tried += 1
    assert tried > 25


def _fuzz(desk: Desk, app, operation, headers: dict[str, str], person: Person | None) -> None:
    csrf = Browser(desk, person).csrf("/account") if person else ""

    @hypothesis.given(case=operation.as_strategy())
    @hypothesis.settings(
        max_examples=_EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    def check(case) -> None:
        if isinstance(case.body, dict) and csrf:
            case.body["csrf"] = csrf
        answer = case.call(app=app, base_url=ORIGIN, headers=headers)
        assert answer.status_code < 500, (operation.method, operation.path, case)
        assert not _LEAK.search(answer.content), (operation.path, case)

    check()
