"""Review's part of the vault's database."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, inspect

from bluering.review.errors import NotPreparedError
from bluering.review.models import AuditHead
from bluering.vault import folder as folders
from bluering.vault.database import connect, sqlite_url

VERSION_TABLE = "review_alembic_version"
_MIGRATIONS = Path(__file__).with_name("migrations")


def upgrade(engine: Engine) -> None:
    """Make review's tables, or bring them up to date."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def is_prepared(engine: Engine) -> bool:
    """Whether 'bluering review init' was run on this vault."""
    return inspect(engine).has_table(AuditHead.__tablename__)


def require_prepared(engine: Engine) -> None:
    """Raises NotPreparedError."""
    if not is_prepared(engine):
        raise NotPreparedError(
            "this vault isn't prepared for review", "'bluering review init' does that"
        )


def open_folder(folder: Path) -> Engine:
    """The database of a vault's folder, without the vault's key."""
    engine = connect(folders.describe(folder)["database"] or sqlite_url(folder / "vault.db"))
    require_prepared(engine)
    return engine
