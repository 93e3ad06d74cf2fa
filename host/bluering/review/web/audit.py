"""The log, for auditors and the owner; to read."""

from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import select
from starlette.responses import Response

from bluering.review.models import AuditEntry
from bluering.review.web.render import page
from bluering.review.web.visit import Reader, TheDesk

router = APIRouter()
_PAGE = 100
_LARGEST = 2**63 - 1


@router.get("/audit")
def log_page(
    visitor: Reader,
    desk: TheDesk,
    before: Annotated[int | None, Query(ge=1, le=_LARGEST)] = None,
) -> Response:
    """The newest entries, or those before one."""
    query = select(AuditEntry).order_by(AuditEntry.seq.desc()).limit(_PAGE)
    if before:
        query = query.where(AuditEntry.seq < before)
    with desk.act() as act:
        entries = act.session.scalars(query).all()
        act.log(visitor.pseudonym, "read log")
    more = entries[-1].seq if entries and entries[-1].seq > 1 else None
    return page("audit", visitor, entries=entries, more=more)
