"""The vault's database: SQLite by default, PostgreSQL by URL."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from bluering.vault.errors import VaultError

_MIGRATIONS = Path(__file__).with_name("migrations")
_BUSY_SECONDS = 30


def sqlite_url(path: Path) -> str:
    """The URL of an SQLite database in a file."""
    return f"sqlite:///{path.absolute()}"


def connect(url: str) -> Engine:
    """An engine on the database, its tables brought up to date. Raises VaultError."""
    try:
        engine = create_engine(url)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _set_up_sqlite)
        _upgrade(engine)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise VaultError(f"this database can't be used: {error}") from error
    except DBAPIError as error:
        raise VaultError(f"the database doesn't answer: {error.orig}") from error
    return engine


def _upgrade(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            # Two programs that start at once take turns.
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(20190410)")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _set_up_sqlite(connection, _record) -> None:
    for pragma in (
        "foreign_keys=ON",
        "secure_delete=ON",  # a destroyed key is overwritten, not only unlinked
        "journal_mode=TRUNCATE",
        "synchronous=EXTRA",  # what was committed survives a power cut
        f"busy_timeout={_BUSY_SECONDS * 1000}",
    ):
        connection.execute(f"PRAGMA {pragma}")
