"""Pages out of templates; everything that is put into one is escaped."""

from datetime import datetime
from pathlib import Path
from typing import Any

from starlette.responses import HTMLResponse

from bluering.pages import templates
from bluering.review.auth.logins import Visitor
from bluering.review.models import Account

_PAGES = Path(__file__).with_name("pages")


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else ""


def _written(stamp: str) -> str:
    """The log's moments, to the second."""
    return stamp[:19].replace("T", " ")


def _account_state(account: Account) -> str:
    if account.active:
        return "active"
    return "invited" if account.invitation_hash else "closed"


_templates = templates(_PAGES)
_templates.filters |= {
    "moment": _moment,
    "written": _written,
    "account_state": _account_state,
}


def page(name: str, visitor: Visitor | None, status: int = 200, **values: Any) -> HTMLResponse:
    """The template ``name`` as an answer."""
    html = _templates.get_template(f"{name}.html").render(visitor=visitor, **values)
    return HTMLResponse(html, status)


def message(text: str, visitor: Visitor | None, status: int, back: str = "/") -> HTMLResponse:
    """A page with one sentence and a way on."""
    return page("message", visitor, status, text=text, back=back)
