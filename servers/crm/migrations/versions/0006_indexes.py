"""A quote is found by its id, and the last activity of a deal without reading all of them."""

from alembic import op

from servers.toolkit.shared_tables import index_external_ids

revision = "0006_indexes"
down_revision = "0005_tasks"


def upgrade() -> None:
    """Add the indexes."""
    index_external_ids(op.get_bind())
    op.create_index("ix_quote_record_quote_id", "quote_record", ["quote_id"])
    op.create_index("activity_by_time", "activity", ["opportunity_id", "at"])
