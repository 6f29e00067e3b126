"""The second migration's part about quotes: acceptance, price lock, entity, order of approvals.

A quote's statuses stand in a CHECK, which SQLite changes only by a new table in the old one's
place. The guards are dropped first and made anew at the end, in the form the new columns need.
"""

import sqlalchemy as sa
from alembic import op

from servers.finance.migrations.guards import FIRST, SECOND, create_guards, drop_guards

STATUSES = (
    "status IN ('draft', 'waiting', 'approved', 'issued', 'accepted', 'rejected', 'withdrawn', "
    "'superseded', 'expired')"
)
NUMBERED = "status NOT IN ('issued', 'accepted') OR number IS NOT NULL"
ACCEPTED = (
    "(status = 'accepted') = (accepted_at IS NOT NULL) "
    "AND (accepted_at IS NULL) = (accepted_by IS NULL)"
)
WORKING = "status IN ('draft', 'waiting', 'approved')"
ISSUED = "status = 'issued'"
KEPT = (
    *("quote_id", "account_id", "opportunity_id", "revision", "chain", "revises", "status"),
    *("currency", "total_minor", "order_date", "digest", "inputs", "snapshot", "margin"),
    *("number", "issued_at", "valid_until", "withdrawn_reason"),
    *("created_at", "created_by", "requested_by"),
)


def upgrade() -> None:
    """Let quotes be accepted; keep every quote as it is."""
    connection = op.get_bind()
    drop_guards(connection, FIRST)
    if connection.dialect.name == "sqlite":
        _rebuild()
    else:
        _alter()
    op.execute("UPDATE quote SET entity_id = coalesce((SELECT min(entity_id) FROM seller), '')")
    op.add_column("approval", sa.Column("sequence", sa.Integer, nullable=False, server_default="1"))
    op.add_column(
        "seller", sa.Column("countries", sa.JSON, nullable=False, server_default=sa.text("'[]'"))
    )
    op.add_column(
        "seller", sa.Column("is_default", sa.Boolean, nullable=False, server_default=sa.true())
    )
    create_guards(connection, SECOND)


def _new_columns() -> list[sa.Column[object]]:
    return [
        sa.Column("entity_id", sa.String(48), nullable=False, server_default=""),
        sa.Column("price_lock_until", sa.Date),
        sa.Column("accepted_at", sa.String(32)),
        sa.Column("accepted_by", sa.String(60)),
        sa.Column("acceptance_reference", sa.String(120), nullable=False, server_default=""),
        sa.Column("superseded_by", sa.String(48)),
    ]


def _alter() -> None:
    """Change the table where it stands (PostgreSQL)."""
    for column in _new_columns():
        op.add_column("quote", column)
    for name in ("quote_status_known", "quote_issued_has_number"):
        op.drop_constraint(name, "quote", type_="check")
    op.create_check_constraint("quote_status_known", "quote", STATUSES)
    op.create_check_constraint("quote_issued_has_number", "quote", NUMBERED)
    op.create_check_constraint("quote_acceptance_is_whole", "quote", ACCEPTED)


def _rebuild() -> None:
    """Put a new table in the place of the old one (SQLite; foreign keys are off meanwhile)."""
    op.create_table(
        "quote_next",
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
        *_new_columns(),
        sa.Column("withdrawn_reason", sa.String(300), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("created_by", sa.String(120), nullable=False),
        sa.Column("requested_by", sa.String(60), nullable=False),
        *_checks(),
        sa.ForeignKeyConstraint(["account_id"], ["customer.account_id"]),
        sa.PrimaryKeyConstraint("quote_id"),
        sa.UniqueConstraint("chain", "revision", name="quote_one_per_revision"),
        sa.UniqueConstraint("number"),
    )
    names = ", ".join(KEPT)
    op.execute(f"INSERT INTO quote_next ({names}) SELECT {names} FROM quote")  # noqa: S608
    op.drop_table("quote")
    op.rename_table("quote_next", "quote")
    op.create_index("ix_quote_account_id", "quote", ["account_id"])
    op.create_index("ix_quote_opportunity_id", "quote", ["opportunity_id"])
    for name, where in (("issued", ISSUED), ("working", WORKING)):
        op.create_index(
            f"quote_one_{name}_per_opportunity",
            "quote",
            ["opportunity_id"],
            unique=True,
            sqlite_where=sa.text(where),
        )


def _checks() -> list[sa.CheckConstraint]:
    return [
        sa.CheckConstraint(STATUSES, name="quote_status_known"),
        sa.CheckConstraint("revision >= 1 AND total_minor >= 0", name="quote_numbers_sane"),
        sa.CheckConstraint(
            "(number IS NULL) = (issued_at IS NULL)", name="quote_number_comes_with_issue"
        ),
        sa.CheckConstraint(NUMBERED, name="quote_issued_has_number"),
        sa.CheckConstraint(ACCEPTED, name="quote_acceptance_is_whole"),
    ]
