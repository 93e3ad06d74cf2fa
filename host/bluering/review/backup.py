"""Review's part of the vault's backup: accounts, labels, tallies, rules and the log.

Who was signed in is not in it. A backup doesn't know of consent that was withdrawn after it was
made, so a restored vault reviews nothing until its owner allows it again.
"""

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from bluering.review import database
from bluering.review.audit import log
from bluering.review.desk import utc_now
from bluering.review.models import Attempts, Base, Login
from bluering.review.sampling import policy_of
from bluering.review.witness import CONSOLE
from bluering.vault.backup import Companion

_LEFT_OUT = {Login.__tablename__, Attempts.__tablename__}


def _restored(connection: Connection) -> None:
    with Session(connection, join_transaction_mode="create_savepoint") as session, session.begin():
        policy = policy_of(session)
        log.append(session, utc_now(), CONSOLE, "restore", was_open=policy.open, open=False)
        policy.open = False


REVIEW = Companion(
    tables=[table for table in Base.metadata.sorted_tables if table.name not in _LEFT_OUT],
    is_there=database.is_prepared,
    make=database.upgrade,
    restored=_restored,
)
