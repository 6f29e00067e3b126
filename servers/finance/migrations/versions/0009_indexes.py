"""Quotes are found by their status and validity, and the newest ones without sorting all."""

from alembic import op

from servers.toolkit.shared_tables import index_external_ids

revision = "0009_indexes"
down_revision = "0008_external_ids"


def upgrade() -> None:
    """Add the indexes."""
    index_external_ids(op.get_bind())
    op.create_index("quote_by_validity", "quote", ["status", "entity_id", "valid_until"])
    op.create_index("ix_quote_created_at", "quote", ["created_at"])
