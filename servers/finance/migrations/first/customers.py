"""Customers and what is known of them."""

import sqlalchemy as sa

from servers.finance.migrations.first import ID, first

sa.Table(
    "customer",
    first,
    sa.Column("account_id", ID, primary_key=True),
    sa.Column("parent_account_id", ID, sa.ForeignKey("customer.account_id")),
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
    sa.Column("segment", sa.String(40), nullable=False),
    sa.Column("language", sa.String(8), nullable=False),
    sa.Column("industry", sa.String(40), nullable=False),
)
sa.Table(
    "customer_tax_id",
    first,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("account_id", ID, sa.ForeignKey("customer.account_id"), nullable=False, index=True),
    sa.Column("scheme", sa.String(20), nullable=False),
    sa.Column("country", sa.String(2), nullable=False),
    sa.Column("value", sa.String(40), nullable=False),
    sa.Column("verified_at", sa.String(32)),
    sa.UniqueConstraint("account_id", "scheme", "value"),
)
sa.Table(
    "customer_address",
    first,
    sa.Column("address_id", ID, primary_key=True),
    sa.Column("account_id", ID, sa.ForeignKey("customer.account_id"), nullable=False, index=True),
    sa.Column("kind", sa.String(12), nullable=False),
    sa.Column("lines", sa.JSON, nullable=False),
    sa.Column("city", sa.String(120), nullable=False),
    sa.Column("region", sa.String(80), nullable=False),
    sa.Column("postal_code", sa.String(20), nullable=False),
    sa.Column("country", sa.String(2), nullable=False),
)
sa.Table(
    "related_party",
    first,
    sa.Column("party_id", ID, primary_key=True),
    sa.Column("account_id", ID, sa.ForeignKey("customer.account_id"), nullable=False, index=True),
    sa.Column("role", sa.String(20), nullable=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("country", sa.String(2), nullable=False),
)
sa.Table(
    "exemption",
    first,
    sa.Column("certificate_id", ID, primary_key=True),
    sa.Column("account_id", ID, sa.ForeignKey("customer.account_id"), nullable=False, index=True),
    sa.Column("jurisdictions", sa.JSON, nullable=False),
    sa.Column("reason", sa.String(200), nullable=False),
    sa.Column("number", sa.String(60), nullable=False),
    sa.Column("issued", sa.Date, nullable=False),
    sa.Column("expires", sa.Date),
    sa.Column("status", sa.String(12), nullable=False),
    sa.Column("reason_code", sa.String(30), nullable=False),
)
sa.Table(
    "receivable",
    first,
    sa.Column("invoice_no", sa.String(40), primary_key=True),
    sa.Column("account_id", ID, sa.ForeignKey("customer.account_id"), nullable=False, index=True),
    sa.Column("quote_id", ID, index=True),
    sa.Column("issued", sa.Date, nullable=False),
    sa.Column("due", sa.Date, nullable=False),
    sa.Column("total_minor", sa.BigInteger, nullable=False),
    sa.Column("open_minor", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.CheckConstraint(
        "open_minor >= 0 AND open_minor <= total_minor", name="receivable_amounts_sane"
    ),
    sa.CheckConstraint("due >= issued", name="receivable_due_after_issue"),
)
sa.Table(
    "screening_review",
    first,
    sa.Column("review_id", ID, primary_key=True),
    sa.Column("account_id", ID, sa.ForeignKey("customer.account_id"), nullable=False, index=True),
    sa.Column("entry_id", sa.String(60), nullable=False),
    sa.Column("party_name", sa.String(200), nullable=False),
    sa.Column("listed_name", sa.String(200), nullable=False),
    sa.Column("decision", sa.String(20), nullable=False),
    sa.Column("note", sa.String(300), nullable=False),
    sa.Column("decided_by", ID, nullable=False),
    sa.Column("decided_on", sa.Date, nullable=False),
    sa.Column("expires_on", sa.Date, nullable=False),
    sa.CheckConstraint(
        "decision IN ('different_party', 'same_party')", name="screening_decision_known"
    ),
    sa.CheckConstraint("expires_on >= decided_on", name="screening_review_has_a_span"),
)
sa.Table(
    "account_purchase",
    first,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("account_id", ID, sa.ForeignKey("customer.account_id"), nullable=False, index=True),
    sa.Column("sku", sa.String(32), sa.ForeignKey("item.sku"), nullable=False),
    sa.Column("quantity", sa.BigInteger, nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("until", sa.Date),
    sa.Column("quote_id", ID),
    sa.Column("line_id", sa.String(5), nullable=False),
    sa.Column("source", sa.String(120), nullable=False),
    sa.UniqueConstraint("quote_id", "line_id"),
)
sa.Table(
    "subscription",
    first,
    sa.Column("subscription_id", ID, primary_key=True),
    sa.Column("account_id", ID, sa.ForeignKey("customer.account_id"), nullable=False, index=True),
    sa.Column("sku", sa.String(32), sa.ForeignKey("item.sku"), nullable=False, index=True),
    sa.Column("quantity", sa.Integer, nullable=False),
    sa.Column("first", sa.Date, nullable=False),
    sa.Column("last", sa.Date, nullable=False),
    sa.Column("term_months", sa.Integer, nullable=False),
    sa.Column("unit_price", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("lock_until", sa.Date),
    sa.Column("renewal", sa.String(8), nullable=False),
    sa.Column("uplift", sa.BigInteger),
    sa.Column("cap", sa.BigInteger),
    sa.Column("clause", sa.String(80), nullable=False),
    sa.Column("document", sa.String(120), nullable=False),
    sa.CheckConstraint("first <= last", name="subscription_has_days"),
    sa.CheckConstraint("quantity >= 1 AND unit_price >= 0", name="subscription_numbers"),
    sa.CheckConstraint("renewal IN ('same', 'list', 'uplift')", name="subscription_renewal_known"),
)
