"""Ids of other programs are kept beside ours; a SKU may be as long as theirs are."""

from alembic import op

from servers.toolkit.shared_tables import add_external_ids, index_external_ids, widen

revision = "0003_external_ids"
down_revision = "0002_grants_and_keys"


def upgrade() -> None:
    """Add the table, and room in the columns."""
    add_external_ids(op.get_bind())
    index_external_ids(op.get_bind())
    widen(op.get_bind(), ("sku", "sku_norm", "bundle_sku", "successor_sku", "stand_in"), 32, 40)
    widen(op.get_bind(), ("family",), 24, 40)
    op.drop_index("ix_product_sku_norm", "product")
    op.create_index("ix_product_sku_norm", "product", ["sku_norm"])
