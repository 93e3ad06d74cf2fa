"""The triggers of the first migration, in SQLite's and in PostgreSQL's words."""

from alembic import op

_OF_CLIP = "clip_id IN (SELECT id FROM review_clips WHERE recording_id = OLD.id)"
_FORGET = f"""
    UPDATE review_tallies SET count = count + 1 WHERE name = 'eligible gone' AND OLD.review;
    DELETE FROM review_labels WHERE {_OF_CLIP};
    DELETE FROM review_assignments WHERE {_OF_CLIP};
    DELETE FROM review_clips WHERE recording_id = OLD.id;
    DELETE FROM review_grants WHERE recording_id = OLD.id;
"""
_WHEN_DELETED = "NEW.state = 'deleted' AND OLD.state <> 'deleted'"
_FORGETTING = "review_forget"
_KEEPING = "review_keep_audit"


def create_triggers() -> None:
    """A deleted recording takes its review with it; the log only grows."""
    if op.get_bind().dialect.name == "postgresql":
        _postgresql()
    else:
        _sqlite()


def drop_triggers() -> None:
    """Undo ``create_triggers``."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"DROP FUNCTION {_FORGETTING}() CASCADE")
        op.execute(f"DROP FUNCTION {_KEEPING}() CASCADE")
        return
    for name in (_FORGETTING, f"{_KEEPING}_update", f"{_KEEPING}_delete"):
        op.execute(f"DROP TRIGGER {name}")


def _sqlite() -> None:
    op.execute(
        f"CREATE TRIGGER {_FORGETTING} AFTER UPDATE OF state ON recordings "
        f"WHEN {_WHEN_DELETED} BEGIN {_FORGET} END"
    )
    for event in ("update", "delete"):
        op.execute(
            f"CREATE TRIGGER {_KEEPING}_{event} BEFORE {event} ON review_audit "
            "BEGIN SELECT RAISE(ABORT, 'the log only grows'); END"
        )


def _postgresql() -> None:
    op.execute(
        f"CREATE FUNCTION {_FORGETTING}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN {_FORGET} RETURN NULL; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {_FORGETTING} AFTER UPDATE OF state ON recordings FOR EACH ROW "
        f"WHEN ({_WHEN_DELETED}) EXECUTE FUNCTION {_FORGETTING}()"
    )
    op.execute(
        f"CREATE FUNCTION {_KEEPING}() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the log only grows'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {_KEEPING} BEFORE UPDATE OR DELETE OR TRUNCATE ON review_audit "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {_KEEPING}()"
    )
