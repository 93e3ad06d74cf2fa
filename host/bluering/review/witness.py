"""Puts on the log what happens to recordings outside review's pages: by command, by retention, by
the device.
"""

from sqlalchemy.orm import Session

from bluering.review import database
from bluering.review.audit import log
from bluering.review.desk import utc_now
from bluering.vault.vault import Vault

CONSOLE = "console"
"""Whoever can open the vault at its computer."""
_BY_ITSELF = {"retention", "false wake"}
"""Why the vault deletes without being told to at its computer."""


def put_on_record(vault: Vault) -> None:
    """From now on; a vault that isn't prepared for review has no log."""
    if database.is_prepared(vault.engine):
        vault.witness = _note


def _note(session: Session, action: str, recording_id: str, why: str) -> None:
    actor = log.SYSTEM if why in _BY_ITSELF else CONSOLE
    log.append(session, utc_now(), actor, action, recording_id, why=why)
