"""The first schema: tickets and the house's tables."""

import sqlalchemy as sa
from alembic import op

from servers.toolkit.house_history import add_grant_expiry, create_house_tables

revision = "0001_schema"
down_revision = None


def upgrade() -> None:
    """Make everything."""
    create_house_tables(op.get_bind())
    add_grant_expiry(op.get_bind())
    op.create_table(
        "ticket",
        sa.Column("ticket_id", sa.String(48), primary_key=True),
        sa.Column("account_id", sa.String(48), nullable=False, index=True),
        sa.Column("sku", sa.String(32), nullable=False),
        sa.Column("opened", sa.Date, nullable=False),
        sa.Column("open", sa.Boolean, nullable=False),
    )
