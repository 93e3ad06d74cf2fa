"""Puts deletions on the log that happen outside review: by command, by retention, by the device."""

from sqlalchemy.orm import Session

from bluering.review import database
from bluering.review.audit import log
from bluering.review.desk import utc_now
from bluering.vault.models import Recording
from bluering.vault.vault import Vault


def put_deletions_on_record(vault: Vault) -> None:
    """From now on; a vault that isn't prepared for review has no log."""
    if database.is_prepared(vault.engine):
        vault.witness = _note


def _note(session: Session, recording: Recording, why: str) -> None:
    log.append(session, utc_now(), log.SYSTEM, "delete", recording.id, why=why)
