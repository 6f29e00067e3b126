"""The first schema: finance's tables, the house's tables, and the guards of stored quotes."""

import sqlalchemy as sa
from alembic import op

from servers.finance.migrations.first_quotes import create_approvals, create_quotes
from servers.finance.migrations.guards import create_guards
from servers.toolkit.migrate import create_house_tables

revision = "0001_first"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make everything."""
    create_house_tables(op.get_bind())
    _house()
    _legal()
    _customers()
    _exemptions()
    _items()
    _reductions()
    _carriage_and_tax()
    create_quotes()
    create_approvals()
    create_guards(op.get_bind())


def _house() -> None:
    op.create_table(
        "seller",
        sa.Column("entity_id", sa.String(48), nullable=False),
        sa.Column("legal_name", sa.String(200), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("number_format", sa.String(60), nullable=False),
        sa.Column("time_zone", sa.String(60), nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("entity_id"),
    )
    op.create_table(
        "person",
        sa.Column("person_id", sa.String(48), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("roles", sa.JSON, nullable=False),
        sa.Column("max_discount_bp", sa.Integer),
        sa.Column("max_total", sa.JSON),
        sa.PrimaryKeyConstraint("person_id"),
    )
    op.create_table(
        "policy",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("value", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "payment_term",
        sa.Column("code", sa.String(20), nullable=False),
        sa.Column("days", sa.Integer, nullable=False),
        sa.Column("prepaid", sa.Boolean, nullable=False),
        sa.Column("description", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("code"),
    )


def _legal() -> None:
    op.create_table(
        "clause",
        sa.Column("clause_id", sa.String(60), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("topic", sa.String(40), nullable=False),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("approved_by", sa.String(48), nullable=False),
        sa.Column("approved_on", sa.Date, nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("valid_to", sa.Date),
        sa.Column("conditions", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("clause_id", "version"),
    )
    op.create_table(
        "screening_entry",
        sa.Column("entry_id", sa.String(60), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.PrimaryKeyConstraint("entry_id"),
    )
    op.create_table(
        "exchange_rate",
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("rate_micro", sa.BigInteger, nullable=False),
        sa.Column("as_of", sa.Date, nullable=False),
        sa.Column("source", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("currency"),
    )


def _customers() -> None:
    op.create_table(
        "customer",
        sa.Column("account_id", sa.String(48), nullable=False),
        sa.Column("parent_account_id", sa.String(48)),
        sa.Column("legal_name", sa.String(200), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("payment_terms_code", sa.String(20), nullable=False),
        sa.Column("credit_limit_minor", sa.BigInteger),
        sa.Column("credit_currency", sa.String(3), nullable=False),
        sa.Column("credit_rating", sa.String(4), nullable=False),
        sa.Column("credit_hold", sa.Boolean, nullable=False),
        sa.Column("open_minor", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["parent_account_id"], ["customer.account_id"]),
        sa.PrimaryKeyConstraint("account_id"),
    )
    op.create_table(
        "customer_tax_id",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("account_id", sa.String(48), nullable=False),
        sa.Column("scheme", sa.String(20), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("value", sa.String(40), nullable=False),
        sa.Column("verified_at", sa.String(32)),
        sa.ForeignKeyConstraint(["account_id"], ["customer.account_id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account_id", "scheme", "value"),
    )
    op.create_index("ix_customer_tax_id_account_id", "customer_tax_id", ["account_id"])
    op.create_table(
        "customer_address",
        sa.Column("address_id", sa.String(48), nullable=False),
        sa.Column("account_id", sa.String(48), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("lines", sa.JSON, nullable=False),
        sa.Column("city", sa.String(120), nullable=False),
        sa.Column("region", sa.String(80), nullable=False),
        sa.Column("postal_code", sa.String(20), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["customer.account_id"]),
        sa.PrimaryKeyConstraint("address_id"),
    )
    op.create_index("ix_customer_address_account_id", "customer_address", ["account_id"])


def _exemptions() -> None:
    op.create_table(
        "exemption",
        sa.Column("certificate_id", sa.String(48), nullable=False),
        sa.Column("account_id", sa.String(48), nullable=False),
        sa.Column("jurisdictions", sa.JSON, nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("number", sa.String(60), nullable=False),
        sa.Column("issued", sa.Date, nullable=False),
        sa.Column("expires", sa.Date),
        sa.Column("status", sa.String(12), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["customer.account_id"]),
        sa.PrimaryKeyConstraint("certificate_id"),
    )
    op.create_index("ix_exemption_account_id", "exemption", ["account_id"])


def _items() -> None:
    op.create_table(
        "item",
        sa.Column("sku", sa.String(32), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("description", sa.String(500), nullable=False),
        sa.Column("family", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("weight_g", sa.Integer),
        sa.Column("cost_micro", sa.BigInteger),
        sa.Column("cost_currency", sa.String(3), nullable=False),
        sa.Column("tax_class", sa.String(20), nullable=False),
        sa.Column("flags", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("sku"),
    )
    op.create_index("ix_item_family", "item", ["family"])
    op.create_table(
        "price_book",
        sa.Column("book", sa.String(30), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("valid_to", sa.Date),
        sa.PrimaryKeyConstraint("book"),
    )
    op.create_index("ix_price_book_currency", "price_book", ["currency"])
    op.create_table(
        "price_entry",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("book", sa.String(30), nullable=False),
        sa.Column("sku", sa.String(32), nullable=False),
        sa.Column("unit", sa.String(12), nullable=False),
        sa.Column("default_term_months", sa.Integer),
        sa.Column("amount_micro", sa.BigInteger, nullable=False),
        sa.CheckConstraint("amount_micro >= 0", name="price_entry_not_negative"),
        sa.ForeignKeyConstraint(["book"], ["price_book.book"]),
        sa.ForeignKeyConstraint(["sku"], ["item.sku"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("book", "sku", "unit"),
    )
    op.create_index("ix_price_entry_sku", "price_entry", ["sku"])


def _reductions() -> None:
    op.create_table(
        "volume_tier",
        sa.Column("tier_id", sa.String(60), nullable=False),
        sa.Column("family", sa.String(40), nullable=False),
        sa.Column("lower", sa.Integer, nullable=False),
        sa.Column("upper", sa.Integer),
        sa.Column("percent_micro", sa.BigInteger, nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("valid_to", sa.Date),
        sa.PrimaryKeyConstraint("tier_id"),
        sa.UniqueConstraint("family", "lower", "valid_from"),
    )
    op.create_index("ix_volume_tier_family", "volume_tier", ["family"])
    op.create_table(
        "contract_price",
        sa.Column("contract_id", sa.String(60), nullable=False),
        sa.Column("account_id", sa.String(48), nullable=False),
        sa.Column("scope", sa.String(8), nullable=False),
        sa.Column("selector", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("amount_micro", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("valid_to", sa.Date),
        sa.Column("exclusive", sa.Boolean, nullable=False),
        sa.Column("document", sa.String(120), nullable=False),
        sa.PrimaryKeyConstraint("contract_id"),
    )
    op.create_index("ix_contract_price_account_id", "contract_price", ["account_id"])
    op.create_table(
        "promotion",
        sa.Column("promotion_id", sa.String(60), nullable=False),
        sa.Column("code", sa.String(20), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("family", sa.String(40), nullable=False),
        sa.Column("percent_micro", sa.BigInteger, nullable=False),
        sa.Column("minimum", sa.JSON, nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("valid_to", sa.Date),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("stack_group", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("promotion_id"),
        sa.UniqueConstraint("code"),
    )


def _carriage_and_tax() -> None:
    op.create_table(
        "freight_rate",
        sa.Column("rate_id", sa.String(60), nullable=False),
        sa.Column("method", sa.String(20), nullable=False),
        sa.Column("label", sa.String(60), nullable=False),
        sa.Column("zone", sa.String(12), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("base_micro", sa.BigInteger, nullable=False),
        sa.Column("per_kg_micro", sa.BigInteger, nullable=False),
        sa.Column("physical", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("rate_id"),
        sa.UniqueConstraint("method", "zone", "currency"),
    )
    op.create_table(
        "zone_country",
        sa.Column("zone", sa.String(20), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.PrimaryKeyConstraint("zone", "country"),
    )
    op.create_table(
        "tax_rate",
        sa.Column("rate_id", sa.String(60), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("category", sa.String(3), nullable=False),
        sa.Column("percent_micro", sa.BigInteger, nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("valid_to", sa.Date),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("as_of", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("rate_id"),
    )
    op.create_table(
        "tax_rule",
        sa.Column("rule_id", sa.String(60), nullable=False),
        sa.Column("zone", sa.String(12), nullable=False),
        sa.Column("customer_kinds", sa.JSON, nullable=False),
        sa.Column("item", sa.String(12), nullable=False),
        sa.Column("vat", sa.String(12), nullable=False),
        sa.Column("category", sa.String(3), nullable=False),
        sa.Column("note", sa.String(200), nullable=False),
        sa.Column("finding", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("rule_id"),
    )
