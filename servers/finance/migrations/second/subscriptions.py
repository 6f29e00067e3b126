"""The second migration's part about subscriptions: what runs, fees, proration of prices."""

import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    """Make the tables of subscriptions and fees; prices are prorated by months so far."""
    prorated = sa.Column("prorated", sa.Boolean, nullable=False, server_default=sa.false())
    op.add_column("promotion", prorated)
    proration = sa.Column("proration", sa.String(16), nullable=False, server_default="monthly")
    op.add_column("price_entry", proration)
    op.create_table(
        "subscription",
        sa.Column("subscription_id", sa.String(48), nullable=False),
        sa.Column("account_id", sa.String(48), nullable=False),
        sa.Column("sku", sa.String(32), nullable=False),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("first", sa.Date, nullable=False),
        sa.Column("last", sa.Date, nullable=False),
        sa.Column("term_months", sa.Integer, nullable=False),
        sa.Column("unit_price_micro", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("lock_until", sa.Date),
        sa.Column("renewal", sa.String(8), nullable=False),
        sa.Column("uplift_micro", sa.BigInteger),
        sa.Column("cap_micro", sa.BigInteger),
        sa.Column("clause", sa.String(80), nullable=False),
        sa.Column("document", sa.String(120), nullable=False),
        sa.PrimaryKeyConstraint("subscription_id"),
        sa.ForeignKeyConstraint(["account_id"], ["customer.account_id"]),
        sa.ForeignKeyConstraint(["sku"], ["item.sku"]),
        sa.CheckConstraint("quantity >= 1 AND unit_price_micro >= 0", name="subscription_numbers"),
        sa.CheckConstraint("first <= last", name="subscription_has_days"),
        sa.CheckConstraint(
            "renewal IN ('same', 'list', 'uplift')", name="subscription_renewal_known"
        ),
    )
    op.create_index("ix_subscription_account_id", "subscription", ["account_id"])
    op.create_index("ix_subscription_sku", "subscription", ["sku"])
    op.create_table(
        "fee",
        sa.Column("fee_id", sa.String(60), nullable=False),
        sa.Column("label", sa.String(80), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("amount", sa.JSON, nullable=False),
        sa.Column("tax_class", sa.String(20), nullable=False),
        sa.Column("below", sa.JSON, nullable=False),
        sa.Column("conditions", sa.JSON, nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("valid_to", sa.Date),
        sa.PrimaryKeyConstraint("fee_id"),
        sa.CheckConstraint("kind IN ('small_order', 'hazmat', 'fixed')", name="fee_kind_known"),
    )
