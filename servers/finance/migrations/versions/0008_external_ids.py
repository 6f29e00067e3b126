"""Ids of other programs are kept beside ours; a SKU may be as long as theirs are."""

from alembic import op

from servers.toolkit.shared_tables import add_external_ids, widen

revision = "0008_external_ids"
down_revision = "0007_price_on_request"


def upgrade() -> None:
    """Add the table, and room in the columns."""
    add_external_ids(op.get_bind())
    widen(op.get_bind(), ("sku", "bundle_sku", "of_sku", "free_sku"), 32, 40)
