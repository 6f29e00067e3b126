"""The second migration's part about law, credit and screening.

A clause gets a status, an owner, a language in its key, and what it does not go together with;
payment terms get instalments; receivables, related parties and screening reviews are new. What a
database already held keeps its meaning: its clauses are approved, `open_minor` is the opening
balance of a customer's receivables, and its payment terms have one instalment.
"""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

ID = 48
KEPT = (
    *("clause_id", "version", "language", "topic", "title", "text", "sha256"),
    *("approved_by", "approved_on", "valid_from", "valid_to", "conditions"),
)


def upgrade() -> None:
    """Bring the tables up."""
    _clauses()
    _payment_terms()
    _customers()
    _screening()
    _receivables()


def _clauses() -> None:
    op.rename_table("clause", "clause_before")
    op.create_table(
        "clause",
        sa.Column("clause_id", sa.String(60), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("topic", sa.String(40), nullable=False),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("owner", sa.String(ID), nullable=False),
        sa.Column("approved_by", sa.String(ID), nullable=False),
        sa.Column("approved_on", sa.Date),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("valid_to", sa.Date),
        sa.Column("jurisdiction", sa.String(2), nullable=False),
        sa.Column("mandatory", sa.Boolean, nullable=False),
        sa.Column("conflicts_with", sa.JSON, nullable=False),
        sa.Column("conditions", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("clause_id", "version", "language"),
        sa.CheckConstraint(
            "status IN ('draft', 'approved', 'retired')", name="clause_status_known"
        ),
        sa.CheckConstraint(
            "status = 'draft' OR (approved_by != '' AND approved_on IS NOT NULL)",
            name="clause_approval_is_named",
        ),
    )
    kept = ", ".join(KEPT)
    op.execute(
        f"INSERT INTO clause ({kept}, status, owner, jurisdiction, mandatory, conflicts_with) "  # noqa: S608 - constants
        f"SELECT {kept}, 'approved', approved_by, '', false, '[]' FROM clause_before"
    )
    op.drop_table("clause_before")


def _payment_terms() -> None:
    op.add_column("payment_term", sa.Column("lines", sa.JSON, nullable=False, server_default="[]"))
    bind = op.get_bind()
    rows = bind.execute(sa.text("SELECT code, days, prepaid FROM payment_term")).mappings()
    table = sa.table("payment_term", sa.column("code", sa.String), sa.column("lines", sa.JSON))
    for row in [dict(row) for row in rows]:
        one = table.update().where(table.c.code == row["code"])
        bind.execute(one.values(lines=[_line(row)]))


def _line(row: Mapping[str, Any]) -> dict[str, Any]:
    if row["prepaid"]:
        return {"percent": None, "due": "order", "days": 0}
    return {"percent": None, "due": "invoice", "days": row["days"]}


def _customers() -> None:
    for name, size in (("language", 8), ("industry", 40)):
        op.add_column(
            "customer", sa.Column(name, sa.String(size), nullable=False, server_default="")
        )
    op.create_table(
        "related_party",
        sa.Column("party_id", sa.String(ID), nullable=False),
        sa.Column("account_id", sa.String(ID), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.PrimaryKeyConstraint("party_id"),
        sa.ForeignKeyConstraint(["account_id"], ["customer.account_id"]),
    )
    op.create_index("ix_related_party_account_id", "related_party", ["account_id"])


def _screening() -> None:
    op.add_column(
        "screening_entry", sa.Column("aliases", sa.JSON, nullable=False, server_default="[]")
    )
    op.create_table(
        "screening_review",
        sa.Column("review_id", sa.String(ID), nullable=False),
        sa.Column("account_id", sa.String(ID), nullable=False),
        sa.Column("entry_id", sa.String(60), nullable=False),
        sa.Column("party_name", sa.String(200), nullable=False),
        sa.Column("listed_name", sa.String(200), nullable=False),
        sa.Column("decision", sa.String(20), nullable=False),
        sa.Column("note", sa.String(300), nullable=False),
        sa.Column("decided_by", sa.String(ID), nullable=False),
        sa.Column("decided_on", sa.Date, nullable=False),
        sa.Column("expires_on", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("review_id"),
        sa.ForeignKeyConstraint(["account_id"], ["customer.account_id"]),
        sa.CheckConstraint(
            "decision IN ('different_party', 'same_party')", name="screening_decision_known"
        ),
        sa.CheckConstraint("expires_on >= decided_on", name="screening_review_has_a_span"),
    )
    op.create_index("ix_screening_review_account_id", "screening_review", ["account_id"])


def _receivables() -> None:
    op.create_table(
        "receivable",
        sa.Column("invoice_no", sa.String(40), nullable=False),
        sa.Column("account_id", sa.String(ID), nullable=False),
        sa.Column("quote_id", sa.String(ID)),
        sa.Column("issued", sa.Date, nullable=False),
        sa.Column("due", sa.Date, nullable=False),
        sa.Column("total_minor", sa.BigInteger, nullable=False),
        sa.Column("open_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.PrimaryKeyConstraint("invoice_no"),
        sa.ForeignKeyConstraint(["account_id"], ["customer.account_id"]),
        sa.CheckConstraint("due >= issued", name="receivable_due_after_issue"),
        sa.CheckConstraint(
            "open_minor >= 0 AND open_minor <= total_minor", name="receivable_amounts_sane"
        ),
    )
    for name in ("account_id", "quote_id"):
        op.create_index(f"ix_receivable_{name}", "receivable", [name])
