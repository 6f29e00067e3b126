"""The company itself: legal entities, people, policy, its clauses and lists."""

import sqlalchemy as sa

from servers.finance.migrations.first import ID, first

sa.Table(
    "seller",
    first,
    sa.Column("entity_id", ID, primary_key=True),
    sa.Column("legal_name", sa.String(200), nullable=False),
    sa.Column("country", sa.String(2), nullable=False),
    sa.Column("number_format", sa.String(60), nullable=False),
    sa.Column("time_zone", sa.String(60), nullable=False),
    sa.Column("countries", sa.JSON, nullable=False),
    sa.Column("is_default", sa.Boolean, nullable=False),
    sa.Column("address", sa.JSON, nullable=False),
    sa.Column("place_of_business", sa.String(120), nullable=False),
    sa.Column("vat_id", sa.String(40), nullable=False),
    sa.Column("tax_ids", sa.JSON, nullable=False),
    sa.Column("registration", sa.String(200), nullable=False),
    sa.Column("email", sa.String(120), nullable=False),
    sa.Column("phone", sa.String(40), nullable=False),
    sa.Column("website", sa.String(120), nullable=False),
    sa.Column("bank", sa.JSON, nullable=False),
    sa.Column("signatory_name", sa.String(120), nullable=False),
    sa.Column("signatory_title", sa.String(120), nullable=False),
    sa.Column("logo", sa.Text, nullable=False),
)
sa.Table(
    "person",
    first,
    sa.Column("person_id", ID, primary_key=True),
    sa.Column("name", sa.String(120), nullable=False),
    sa.Column("title", sa.String(120), nullable=False),
    sa.Column("roles", sa.JSON, nullable=False),
    sa.Column("max_discount_bp", sa.Integer),
    sa.Column("max_total", sa.JSON),
)
sa.Table(
    "policy",
    first,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("value", sa.JSON, nullable=False),
)
sa.Table(
    "payment_term",
    first,
    sa.Column("code", sa.String(20), primary_key=True),
    sa.Column("days", sa.Integer, nullable=False),
    sa.Column("prepaid", sa.Boolean, nullable=False),
    sa.Column("description", sa.String(200), nullable=False),
    sa.Column("lines", sa.JSON, nullable=False),
)
sa.Table(
    "clause",
    first,
    sa.Column("clause_id", sa.String(60), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("language", sa.String(8), primary_key=True),
    sa.Column("topic", sa.String(40), nullable=False),
    sa.Column("title", sa.String(120), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("status", sa.String(12), nullable=False),
    sa.Column("owner", ID, nullable=False),
    sa.Column("approved_by", ID, nullable=False),
    sa.Column("approved_on", sa.Date),
    sa.Column("valid_from", sa.Date, nullable=False),
    sa.Column("valid_to", sa.Date),
    sa.Column("jurisdiction", sa.String(2), nullable=False),
    sa.Column("mandatory", sa.Boolean, nullable=False),
    sa.Column("conflicts_with", sa.JSON, nullable=False),
    sa.Column("conditions", sa.JSON, nullable=False),
    sa.CheckConstraint(
        "status = 'draft' OR (approved_by != '' AND approved_on IS NOT NULL)",
        name="clause_approval_is_named",
    ),
    sa.CheckConstraint("status IN ('draft', 'approved', 'retired')", name="clause_status_known"),
)
sa.Table(
    "screening_entry",
    first,
    sa.Column("entry_id", sa.String(60), primary_key=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("country", sa.String(2), nullable=False),
    sa.Column("aliases", sa.JSON, nullable=False),
)
sa.Table(
    "exchange_rate",
    first,
    sa.Column("currency", sa.String(3), primary_key=True),
    sa.Column("rate", sa.BigInteger, nullable=False),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("source", sa.String(200), nullable=False),
)
