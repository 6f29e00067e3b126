"""Prices on request, which a person gives."""

import sqlalchemy as sa
from alembic import op

revision = "0007_price_on_request"
down_revision = "0006_price_approval"


def upgrade() -> None:
    """Add the column; every price there is stands."""
    op.add_column(
        "price_entry",
        sa.Column("on_request", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
