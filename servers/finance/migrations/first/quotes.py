"""Quotes, their approvals and numbers, and what they used of promotions."""

import sqlalchemy as sa

from servers.finance.migrations.first import ID, first

sa.Table(
    "quote",
    first,
    sa.Column("quote_id", ID, primary_key=True),
    sa.Column("account_id", ID, sa.ForeignKey("customer.account_id"), nullable=False, index=True),
    sa.Column("opportunity_id", ID, nullable=False, index=True),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("chain", ID, nullable=False),
    sa.Column("revises", ID),
    sa.Column("status", sa.String(12), nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("total_minor", sa.BigInteger, nullable=False),
    sa.Column("order_date", sa.Date, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("inputs", sa.Text, nullable=False),
    sa.Column("snapshot", sa.Text, nullable=False),
    sa.Column("margin", sa.Text),
    sa.Column("number", sa.String(40), unique=True),
    sa.Column("issued_at", sa.String(32)),
    sa.Column("valid_until", sa.Date),
    sa.Column("entity_id", ID, nullable=False),
    sa.Column("price_lock_until", sa.Date),
    sa.Column("accepted_at", sa.String(32)),
    sa.Column("accepted_by", sa.String(60)),
    sa.Column("acceptance_reference", sa.String(120), nullable=False),
    sa.Column("superseded_by", ID),
    sa.Column("withdrawn_reason", sa.String(300), nullable=False),
    sa.Column("created_at", sa.String(32), nullable=False),
    sa.Column("created_by", sa.String(120), nullable=False),
    sa.Column("requested_by", sa.String(60), nullable=False),
    sa.CheckConstraint(
        "(status = 'accepted') = (accepted_at IS NOT NULL) "
        "AND (accepted_at IS NULL) = (accepted_by IS NULL)",
        name="quote_acceptance_is_whole",
    ),
    sa.CheckConstraint(
        "status NOT IN ('issued', 'accepted') OR number IS NOT NULL", name="quote_issued_has_number"
    ),
    sa.CheckConstraint(
        "(number IS NULL) = (issued_at IS NULL)", name="quote_number_comes_with_issue"
    ),
    sa.CheckConstraint("revision >= 1 AND total_minor >= 0", name="quote_numbers_sane"),
    sa.UniqueConstraint("chain", "revision", name="quote_one_per_revision"),
    sa.CheckConstraint(
        "status IN ('draft', 'waiting', 'approved', 'issued', 'accepted', 'rejected', "
        "'withdrawn', 'superseded', 'expired')",
        name="quote_status_known",
    ),
    sa.Index(
        "quote_one_issued_per_opportunity",
        "opportunity_id",
        unique=True,
        sqlite_where=sa.text("status = 'issued'"),
        postgresql_where=sa.text("status = 'issued'"),
    ),
    sa.Index(
        "quote_one_working_per_opportunity",
        "opportunity_id",
        unique=True,
        sqlite_where=sa.text("status IN ('draft', 'waiting', 'approved')"),
        postgresql_where=sa.text("status IN ('draft', 'waiting', 'approved')"),
    ),
)
sa.Table(
    "approval",
    first,
    sa.Column("approval_id", ID, primary_key=True),
    sa.Column("quote_id", ID, sa.ForeignKey("quote.quote_id"), nullable=False, index=True),
    sa.Column("rule_id", sa.String(80), nullable=False),
    sa.Column("role", sa.String(40), nullable=False),
    sa.Column("reason", sa.String(500), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("status", sa.String(12), nullable=False),
    sa.Column("requested_by", sa.String(60), nullable=False),
    sa.Column("requested_at", sa.String(32), nullable=False),
    sa.Column("expires_at", sa.String(32), nullable=False),
    sa.Column("decided_by", sa.String(60)),
    sa.Column("decided_at", sa.String(32)),
    sa.Column("note", sa.String(300), nullable=False),
    sa.Column("used_at", sa.String(32)),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.CheckConstraint(
        "(decided_by IS NULL) = (decided_at IS NULL)", name="approval_decision_is_whole"
    ),
    sa.CheckConstraint(
        "status IN ('pending', 'approved', 'rejected', 'expired', 'cancelled')",
        name="approval_status_known",
    ),
    sa.Index(
        "approval_one_live_per_rule",
        "quote_id",
        "rule_id",
        "role",
        unique=True,
        sqlite_where=sa.text("status IN ('pending', 'approved')"),
        postgresql_where=sa.text("status IN ('pending', 'approved')"),
    ),
)
sa.Table(
    "quote_number",
    first,
    sa.Column("entity_id", ID, primary_key=True),
    sa.Column("year", sa.Integer, primary_key=True),
    sa.Column("last", sa.Integer, nullable=False),
)
sa.Table(
    "promotion_use",
    first,
    sa.Column("promotion_id", sa.String(60), primary_key=True),
    sa.Column("quote_id", ID, sa.ForeignKey("quote.quote_id"), primary_key=True),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("free_units", sa.Integer, nullable=False),
    sa.CheckConstraint("amount_minor >= 0", name="promotion_use_not_negative"),
)
