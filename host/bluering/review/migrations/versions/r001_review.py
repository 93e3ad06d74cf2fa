"""Review: accounts, sample, labels and the log."""

import sqlalchemy as sa
from alembic import op

from bluering.review.migrations.triggers import create_triggers, drop_triggers

revision = "r001"
down_revision = None
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    _people()
    _sample()
    _log()
    # One to find the n-th with, one so small that counting all is quick.
    op.create_index("ix_review_eligible", "recordings", ["review", "state", "id"])
    op.create_index("ix_review_eligible_count", "recordings", ["review", "state"])
    create_triggers()


def downgrade() -> None:
    """Remove the tables."""
    drop_triggers()
    op.drop_index("ix_review_eligible_count", "recordings")
    op.drop_index("ix_review_eligible", "recordings")
    for table in (
        "audit", "audit_head", "grants", "false_wakes", "labels", "assignments", "clips", "tallies",
        "policy", "attempts", "logins", "recovery_codes", "accounts",
    ):  # fmt: skip
        op.drop_table(f"review_{table}")


def _people() -> None:
    op.create_table(
        "review_accounts",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(64), nullable=False, unique=True),
        sa.Column("pseudonym", sa.String(32), nullable=False, unique=True),
        sa.Column("role", sa.String(8), nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("password_hash", sa.Text),
        sa.Column("totp_secret", sa.LargeBinary),
        sa.Column("totp_step", sa.BigInteger, nullable=False),
        sa.Column("invitation_hash", sa.String(64), unique=True),
        sa.Column("invited_until", _MOMENT),
        sa.Column("made_at", _MOMENT, nullable=False),
    )
    op.create_table(
        "review_recovery_codes",
        sa.Column("hash", sa.String(64), primary_key=True),
        _account(index=True),
    )
    op.create_table(
        "review_logins",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        _account(index=True),
        sa.Column("enrolling", sa.Boolean, nullable=False),
        sa.Column("made_at", _MOMENT, nullable=False),
        sa.Column("seen_at", _MOMENT, nullable=False),
        sa.Column("fresh_until", _MOMENT),
    )
    op.create_table(
        "review_attempts",
        sa.Column("key", sa.String(80), primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("refused", sa.Integer, nullable=False),
        sa.Column("last_at", _MOMENT, nullable=False, index=True),
        sa.Column("blocked_until", _MOMENT, nullable=False),
    )


def _sample() -> None:
    op.create_table(
        "review_policy",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("open", sa.Boolean, nullable=False),
        sa.Column("share", sa.Integer, nullable=False),
        sa.Column("hourly_cap", sa.Integer, nullable=False),
        sa.Column("second_share", sa.Integer, nullable=False),
        sa.Column("disguise", sa.Boolean, nullable=False),
        sa.CheckConstraint("share BETWEEN 0 AND 10000", "review_policy_share"),
        sa.CheckConstraint("hourly_cap BETWEEN 0 AND 1000", "review_policy_cap"),
    )
    op.create_table(
        "review_tallies",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("count", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "review_clips",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column(
            "recording_id",
            sa.String(32),
            sa.ForeignKey("recordings.id"),
            nullable=False,
            unique=True,
        ),
        sa.Column("state", sa.String(12), nullable=False, index=True),
        sa.Column("wanted", sa.Integer, nullable=False),
        sa.Column("drawn_at", _MOMENT, nullable=False),
    )
    op.create_table(
        "review_assignments",
        _clip(),
        _account(primary_key=True, index=True),
        sa.Column("assigned_at", _MOMENT, nullable=False),
        sa.Column("outcome", sa.String(12)),
    )
    op.create_table(
        "review_labels",
        _clip(),
        _account(primary_key=True),
        sa.Column("verdict", sa.String(8), nullable=False),
        sa.Column("cause", sa.String(40), nullable=False),
        sa.Column("noise", sa.String(12), nullable=False),
        sa.Column("transcript", sa.LargeBinary, nullable=False),
        sa.Column("made_at", _MOMENT, nullable=False),
    )
    op.create_table(
        "review_false_wakes",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("word", sa.String(255), nullable=False),
        sa.Column("model_sha256", sa.String(64), nullable=False),
        sa.Column("score", sa.Integer, nullable=False),
        sa.Column("cutoff", sa.Integer, nullable=False),
        sa.Column("cause", sa.String(40), nullable=False),
        sa.Column("noise", sa.String(12), nullable=False),
    )
    op.create_table(
        "review_grants",
        sa.Column("recording_id", sa.String(32), sa.ForeignKey("recordings.id"), primary_key=True),
        sa.Column("granted_at", _MOMENT, nullable=False),
    )


def _log() -> None:
    op.create_table(
        "review_audit_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("head", sa.String(64), nullable=False),
        sa.Column("signing_key", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "review_audit",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("actor", sa.String(32), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False, index=True),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Index("ix_review_audit_actor_action_at", "actor", "action", "at"),
    )


def _account(primary_key: bool = False, index: bool = False) -> sa.Column:
    return sa.Column(
        "account_id",
        sa.String(32),
        sa.ForeignKey("review_accounts.id"),
        primary_key=primary_key,
        nullable=False,
        index=index,
    )


def _clip() -> sa.Column:
    return sa.Column("clip_id", sa.String(32), sa.ForeignKey("review_clips.id"), primary_key=True)
