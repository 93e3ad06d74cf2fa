"""Wakes and recordings."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "wakes",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("session", sa.String(32), nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("heard_at", _MOMENT, nullable=False),
        sa.Column("word", sa.String(255), nullable=False),
        sa.Column("score", sa.Integer, nullable=False),
        sa.Column("cutoff", sa.Integer, nullable=False),
        sa.Column("model_sha256", sa.String(64), nullable=False),
        sa.Column("false_by", sa.String(16)),
        sa.UniqueConstraint("session", "position"),
    )
    op.create_index("ix_wakes_heard_at", "wakes", ["heard_at"])
    op.create_index("ix_wakes_false_by", "wakes", ["false_by"])
    op.create_table(
        "recordings",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("device", sa.String(16), nullable=False),
        sa.Column("boot", sa.BigInteger, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("salt", sa.String(32), nullable=False),
        sa.Column("wake_id", sa.String(32), sa.ForeignKey("wakes.id")),
        sa.Column("received_at", _MOMENT),
        sa.Column("delete_after", _MOMENT),
        sa.Column("review", sa.Boolean, nullable=False),
        sa.Column("samples", sa.Integer),
        sa.Column("pre_roll", sa.Integer),
        sa.Column("codec", sa.String(16)),
        sa.Column("complete", sa.Boolean),
        sa.Column("reason", sa.String(32)),
        sa.Column("gaps", sa.Text),
        sa.Column("wrapped_key", sa.LargeBinary),
        sa.Column("deleted_at", _MOMENT),
        sa.Column("deleted_why", sa.String(32)),
        sa.UniqueConstraint("device", "boot", "number", "salt"),
    )
    op.create_index("ix_recordings_wake_id", "recordings", ["wake_id"])
    op.create_index("ix_recordings_delete_after", "recordings", ["delete_after"])
    op.create_index("ix_recordings_state_received", "recordings", ["state", "received_at"])


def downgrade() -> None:
    """Remove the tables."""
    op.drop_table("recordings")
    op.drop_table("wakes")
