"""The tables of the first migration that hold quotes, approvals and numbers."""

import sqlalchemy as sa
from alembic import op

STATUSES = (
    "status IN ('draft', 'waiting', 'approved', 'issued', 'rejected', 'withdrawn', "
    "'superseded', 'expired')"
)
WORKING = "status IN ('draft', 'waiting', 'approved')"
ISSUED = "status = 'issued'"
LIVE = "status IN ('pending', 'approved')"


def create_quotes() -> None:
    """Create the quotes."""
    op.create_table(
        "quote",
        sa.Column("quote_id", sa.String(48), nullable=False),
        sa.Column("account_id", sa.String(48), nullable=False),
        sa.Column("opportunity_id", sa.String(48), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("chain", sa.String(48), nullable=False),
        sa.Column("revises", sa.String(48)),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("total_minor", sa.BigInteger, nullable=False),
        sa.Column("order_date", sa.Date, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("inputs", sa.Text, nullable=False),
        sa.Column("snapshot", sa.Text, nullable=False),
        sa.Column("margin", sa.Text),
        sa.Column("number", sa.String(40)),
        sa.Column("issued_at", sa.String(32)),
        sa.Column("valid_until", sa.Date),
        sa.Column("withdrawn_reason", sa.String(300), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("created_by", sa.String(120), nullable=False),
        sa.Column("requested_by", sa.String(60), nullable=False),
        sa.CheckConstraint(
            "status != 'issued' OR number IS NOT NULL", name="quote_issued_has_number"
        ),
        sa.CheckConstraint(STATUSES, name="quote_status_known"),
        sa.CheckConstraint(
            "(number IS NULL) = (issued_at IS NULL)", name="quote_number_comes_with_issue"
        ),
        sa.CheckConstraint("revision >= 1 AND total_minor >= 0", name="quote_numbers_sane"),
        sa.ForeignKeyConstraint(["account_id"], ["customer.account_id"]),
        sa.PrimaryKeyConstraint("quote_id"),
        sa.UniqueConstraint("chain", "revision", name="quote_one_per_revision"),
        sa.UniqueConstraint("number"),
    )
    op.create_index("ix_quote_account_id", "quote", ["account_id"])
    op.create_index("ix_quote_opportunity_id", "quote", ["opportunity_id"])
    op.create_index(
        "quote_one_issued_per_opportunity",
        "quote",
        ["opportunity_id"],
        unique=True,
        sqlite_where=sa.text(ISSUED),
        postgresql_where=sa.text(ISSUED),
    )
    op.create_index(
        "quote_one_working_per_opportunity",
        "quote",
        ["opportunity_id"],
        unique=True,
        sqlite_where=sa.text(WORKING),
        postgresql_where=sa.text(WORKING),
    )


def create_approvals() -> None:
    """Create the approvals and the numbers."""
    op.create_table(
        "approval",
        sa.Column("approval_id", sa.String(48), nullable=False),
        sa.Column("quote_id", sa.String(48), nullable=False),
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
        sa.CheckConstraint(
            "status IN ('pending', 'approved', 'rejected', 'expired', 'cancelled')",
            name="approval_status_known",
        ),
        sa.CheckConstraint(
            "(decided_by IS NULL) = (decided_at IS NULL)", name="approval_decision_is_whole"
        ),
        sa.ForeignKeyConstraint(["quote_id"], ["quote.quote_id"]),
        sa.PrimaryKeyConstraint("approval_id"),
    )
    op.create_index(
        "approval_one_live_per_rule",
        "approval",
        ["quote_id", "rule_id", "role"],
        unique=True,
        sqlite_where=sa.text(LIVE),
        postgresql_where=sa.text(LIVE),
    )
    op.create_index("ix_approval_quote_id", "approval", ["quote_id"])
    op.create_table(
        "quote_number",
        sa.Column("entity_id", sa.String(48), nullable=False),
        sa.Column("year", sa.Integer, nullable=False),
        sa.Column("last", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("entity_id", "year"),
    )
