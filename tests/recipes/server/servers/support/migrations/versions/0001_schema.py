"""The first schema: tickets and the tables that every server shares."""

import sqlalchemy as sa
from alembic import op

from servers.toolkit.shared_tables import add_grant_expiry, add_key_owner, create_shared_tables

revision = "0001_schema"
down_revision = None


def upgrade() -> None:
    """Make everything."""
    create_shared_tables(op.get_bind())
    add_grant_expiry(op.get_bind())
    add_key_owner(op.get_bind())
    op.create_table(
        "ticket",
        sa.Column("ticket_id", sa.String(48), primary_key=True),
        sa.Column("account_id", sa.String(48), nullable=False, index=True),
        sa.Column("sku", sa.String(32), nullable=False),
        sa.Column("opened", sa.Date, nullable=False),
        sa.Column("open", sa.Boolean, nullable=False),
    )
