"""The second migration's part about prices: books, contracts, options, units, bundles, tiers."""

import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    """Widen books and contracts, turn volume tiers into schedules, and add the new tables."""
    _books()
    _entries()
    _schedules()
    _contracts()
    _configuration()


def _books() -> None:
    for name, size in (("region", 20), ("account_id", 48), ("derived_from", 30)):
        op.add_column(
            "price_book", sa.Column(name, sa.String(size), nullable=False, server_default="")
        )
    op.add_column("price_book", sa.Column("rules", sa.JSON, nullable=False, server_default="{}"))
    op.add_column("price_book", sa.Column("formula", sa.JSON))


def _entries() -> None:
    """Make the table again: what makes a price unique has changed."""
    op.drop_index("ix_price_entry_sku", "price_entry")
    op.rename_table("price_entry", "price_entry_before")
    op.create_table(
        "price_entry",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("book", sa.String(30), nullable=False),
        sa.Column("sku", sa.String(32), nullable=False),
        sa.Column("unit", sa.String(12), nullable=False),
        sa.Column("default_term_months", sa.Integer),
        sa.Column("amount_micro", sa.BigInteger, nullable=False),
        sa.Column("min_qty", sa.Integer, nullable=False, server_default="0"),
        sa.Column("max_qty", sa.Integer),
        sa.Column("valid_from", sa.Date),
        sa.Column("valid_to", sa.Date),
        sa.CheckConstraint("amount_micro >= 0", name="price_entry_not_negative"),
        sa.ForeignKeyConstraint(["book"], ["price_book.book"]),
        sa.ForeignKeyConstraint(["sku"], ["item.sku"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("book", "sku", "unit", "min_qty", "valid_from"),
    )
    op.execute(
        "INSERT INTO price_entry (book, sku, unit, default_term_months, amount_micro, min_qty) "
        "SELECT book, sku, unit, default_term_months, amount_micro, 0 "
        "FROM price_entry_before ORDER BY id"
    )
    op.drop_table("price_entry_before")
    op.create_index("ix_price_entry_sku", "price_entry", ["sku"])


def _schedules() -> None:
    op.create_table(
        "discount_schedule",
        sa.Column("schedule_id", sa.String(60), nullable=False),
        sa.Column("scope", sa.String(8), nullable=False),
        sa.Column("selector", sa.String(40), nullable=False),
        sa.Column("type", sa.String(8), nullable=False),
        sa.Column("unit", sa.String(12), nullable=False),
        sa.Column("basis", sa.String(12), nullable=False),
        sa.Column("aggregation", sa.String(16), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("valid_to", sa.Date),
        sa.PrimaryKeyConstraint("schedule_id"),
    )
    op.create_table(
        "discount_band",
        sa.Column("band_id", sa.String(60), nullable=False),
        sa.Column("schedule_id", sa.String(60), nullable=False),
        sa.Column("lower_micro", sa.BigInteger, nullable=False),
        sa.Column("upper_micro", sa.BigInteger),
        sa.Column("value_micro", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["schedule_id"], ["discount_schedule.schedule_id"]),
        sa.PrimaryKeyConstraint("band_id"),
        sa.UniqueConstraint("schedule_id", "lower_micro"),
    )
    op.execute(
        "INSERT INTO discount_schedule (schedule_id, scope, selector, type, unit, basis, "
        "aggregation, currency, valid_from, valid_to) "
        "SELECT 'VOL-' || family || '-' || valid_from, 'family', family, 'range', 'percent', "
        "'quantity', 'line', '', valid_from, "
        "CASE WHEN count(*) = count(valid_to) THEN max(valid_to) END FROM volume_tier "
        "GROUP BY family, valid_from"
    )
    op.execute(
        "INSERT INTO discount_band (band_id, schedule_id, lower_micro, upper_micro, value_micro) "
        "SELECT tier_id, 'VOL-' || family || '-' || valid_from, "
        "CAST(lower AS BIGINT) * 1000000, CAST(upper AS BIGINT) * 1000000, percent_micro "
        "FROM volume_tier"
    )
    op.drop_table("volume_tier")


def _contracts() -> None:
    op.add_column("contract_price", sa.Column("min_commit_micro", sa.BigInteger))
    op.add_column("contract_price", sa.Column("max_quantity_micro", sa.BigInteger))
    op.create_table(
        "contract_use",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("contract_id", sa.String(60), nullable=False),
        sa.Column("quote_id", sa.String(48)),
        sa.Column("line_id", sa.String(5), nullable=False),
        sa.Column("quantity_micro", sa.BigInteger, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.ForeignKeyConstraint(["contract_id"], ["contract_price.contract_id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("contract_id", "quote_id", "line_id"),
    )
    op.create_index("ix_contract_use_contract_id", "contract_use", ["contract_id"])
    op.create_table(
        "account_purchase",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("account_id", sa.String(48), nullable=False),
        sa.Column("sku", sa.String(32), nullable=False),
        sa.Column("quantity_micro", sa.BigInteger, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("until", sa.Date),
        sa.Column("quote_id", sa.String(48)),
        sa.Column("line_id", sa.String(5), nullable=False),
        sa.Column("source", sa.String(120), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["customer.account_id"]),
        sa.ForeignKeyConstraint(["sku"], ["item.sku"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("quote_id", "line_id"),
    )
    op.create_index("ix_account_purchase_account_id", "account_purchase", ["account_id"])


def _configuration() -> None:
    op.create_table(
        "item_option",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("scope", sa.String(8), nullable=False),
        sa.Column("selector", sa.String(40), nullable=False),
        sa.Column("code", sa.String(32), nullable=False),
        sa.Column("label", sa.String(120), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("amount_micro", sa.BigInteger, nullable=False),
        sa.Column("cost_micro", sa.BigInteger),
        sa.CheckConstraint("amount_micro >= 0", name="item_option_not_negative"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("scope", "selector", "code", "currency"),
    )
    op.create_index("ix_item_option_selector", "item_option", ["selector"])
    op.create_table(
        "item_unit",
        sa.Column("sku", sa.String(32), nullable=False),
        sa.Column("unit", sa.String(12), nullable=False),
        sa.Column("numerator", sa.Integer, nullable=False),
        sa.Column("denominator", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["sku"], ["item.sku"]),
        sa.PrimaryKeyConstraint("sku", "unit"),
    )
    op.create_table(
        "bundle_component",
        sa.Column("bundle_sku", sa.String(32), nullable=False),
        sa.Column("sku", sa.String(32), nullable=False),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("price_mode", sa.String(8), nullable=False),
        sa.Column("optional", sa.Boolean, nullable=False),
        sa.Column("percent_off_micro", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["bundle_sku"], ["item.sku"]),
        sa.ForeignKeyConstraint(["sku"], ["item.sku"]),
        sa.PrimaryKeyConstraint("bundle_sku", "sku"),
    )
