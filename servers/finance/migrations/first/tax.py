"""Tax, freight and fees."""

import sqlalchemy as sa

from servers.finance.migrations.first import ID, first

sa.Table(
    "zone_country",
    first,
    sa.Column("zone", sa.String(20), primary_key=True),
    sa.Column("country", sa.String(2), primary_key=True),
)
sa.Table(
    "tax_jurisdiction",
    first,
    sa.Column("jurisdiction", sa.String(8), primary_key=True),
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column("tax_name", sa.String(20), nullable=False),
    sa.Column("rounding", sa.String(8), nullable=False),
    sa.Column("shipping", sa.String(8), nullable=False),
    sa.Column("shipping_class", sa.String(20), nullable=False),
    sa.Column("consumer_prices", sa.String(5), nullable=False),
    sa.Column("coverage", sa.String(9), nullable=False),
    sa.Column("note", sa.String(200), nullable=False),
    sa.Column("source", sa.String(200), nullable=False),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.CheckConstraint(
        "coverage IN ('covered', 'by_region', 'outside')", name="tax_coverage_known"
    ),
    sa.CheckConstraint("rounding IN ('document', 'line')", name="tax_rounding_known"),
    sa.CheckConstraint("shipping IN ('goods', 'class', 'weighted')", name="tax_shipping_known"),
)
sa.Table(
    "tax_registration",
    first,
    sa.Column("registration_id", sa.String(60), primary_key=True),
    sa.Column("entity_id", ID, nullable=False, index=True),
    sa.Column("jurisdiction", sa.String(8), nullable=False),
    sa.Column("scheme", sa.String(12), nullable=False),
    sa.Column("number", sa.String(40), nullable=False),
    sa.Column("establishment", sa.Boolean, nullable=False),
    sa.Column("valid_from", sa.Date),
    sa.Column("valid_to", sa.Date),
    sa.CheckConstraint(
        "scheme IN ('vat', 'gst', 'sales_tax', 'oss')", name="tax_registration_scheme_known"
    ),
)
sa.Table(
    "tax_rate",
    first,
    sa.Column("rate_id", sa.String(60), primary_key=True),
    sa.Column("country", sa.String(2), nullable=False),
    sa.Column("category", sa.String(3), nullable=False),
    sa.Column("percent", sa.BigInteger, nullable=False),
    sa.Column("valid_from", sa.Date, nullable=False),
    sa.Column("valid_to", sa.Date),
    sa.Column("source", sa.String(200), nullable=False),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("region", sa.String(6), nullable=False),
    sa.Column("tax_class", sa.String(20), nullable=False),
    sa.Column("name", sa.String(20), nullable=False),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("kind", sa.String(8), nullable=False),
    sa.Column("enlarges_base", sa.Boolean, nullable=False),
    sa.Index(
        "tax_rate_one_of_a_rank",
        "country",
        "region",
        "category",
        "tax_class",
        "sequence",
        "valid_from",
        unique=True,
    ),
)
sa.Table(
    "tax_rule",
    first,
    sa.Column("rule_id", sa.String(60), primary_key=True),
    sa.Column("zone", sa.String(12), nullable=False),
    sa.Column("customer_kinds", sa.JSON, nullable=False),
    sa.Column("item", sa.String(12), nullable=False),
    sa.Column("vat", sa.String(12), nullable=False),
    sa.Column("category", sa.String(3), nullable=False),
    sa.Column("note", sa.String(200), nullable=False),
    sa.Column("finding", sa.String(40), nullable=False),
)
sa.Table(
    "freight_rate",
    first,
    sa.Column("rate_id", sa.String(60), primary_key=True),
    sa.Column("method", sa.String(20), nullable=False),
    sa.Column("label", sa.String(60), nullable=False),
    sa.Column("zone", sa.String(12), nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("base", sa.BigInteger, nullable=False),
    sa.Column("per_kg", sa.BigInteger, nullable=False),
    sa.Column("physical", sa.Boolean, nullable=False),
    sa.UniqueConstraint("method", "zone", "currency"),
)
sa.Table(
    "fee",
    first,
    sa.Column("fee_id", sa.String(60), primary_key=True),
    sa.Column("label", sa.String(80), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("amount", sa.JSON, nullable=False),
    sa.Column("tax_class", sa.String(20), nullable=False),
    sa.Column("below", sa.JSON, nullable=False),
    sa.Column("conditions", sa.JSON, nullable=False),
    sa.Column("valid_from", sa.Date, nullable=False),
    sa.Column("valid_to", sa.Date),
    sa.CheckConstraint("kind IN ('small_order', 'hazmat', 'fixed')", name="fee_kind_known"),
)
