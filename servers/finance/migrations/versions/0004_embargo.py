"""Countries under embargo, which finance refuses controlled items for by itself."""

import sqlalchemy as sa
from alembic import op

revision = "0004_embargo"
down_revision = "0003_person_proof"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "embargoed_country",
        sa.Column("country", sa.String(2), primary_key=True),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("checked_on", sa.Date(), nullable=False),
    )
