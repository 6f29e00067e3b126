"""The decision for what a quote earns, kept apart from what its drafter may read."""

import sqlalchemy as sa
from alembic import op

revision = "0006_price_approval"
down_revision = "0005_key_owner"


def upgrade() -> None:
    """Add the column."""
    op.add_column("quote", sa.Column("price_approval", sa.Text(), nullable=True))
