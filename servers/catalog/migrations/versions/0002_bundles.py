"""Bundles and their parts, and the other units a product is sold by."""

import sqlalchemy as sa
from alembic import op

revision = "0002_bundles"
down_revision = "0001_first"
branch_labels = None
depends_on = None

SKU = sa.String(32)


def upgrade() -> None:
    """Add the tables of bundles, and a column for units."""
    op.add_column("product", sa.Column("units", sa.JSON, nullable=True))
    op.create_table(
        "bundle_component",
        sa.Column("bundle_sku", SKU, sa.ForeignKey("product.sku"), primary_key=True),
        sa.Column("sku", SKU, sa.ForeignKey("product.sku"), primary_key=True),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("optional", sa.Boolean, nullable=False),
        sa.Column("option_group", sa.String(40)),
        sa.CheckConstraint("quantity > 0", name="ck_component_quantity"),
        sa.CheckConstraint("bundle_sku <> sku", name="ck_component_not_itself"),
    )
    op.create_table(
        "option_group",
        sa.Column("bundle_sku", SKU, sa.ForeignKey("product.sku"), primary_key=True),
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("min_select", sa.Integer, nullable=False),
        sa.Column("max_select", sa.Integer, nullable=False),
        sa.CheckConstraint("min_select >= 0 AND max_select >= min_select", name="ck_group_range"),
    )
