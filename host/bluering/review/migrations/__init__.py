"""The history of review's tables (Alembic), apart from that of the vault's."""
