"""Law, credit and screening: clauses, payment terms, receivables, the list and its reviews."""

from datetime import date
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, Text
from sqlmodel import Field

from servers.finance.models import CUSTOMER, ID, FinanceTable


class PaymentTerm(FinanceTable, table=True):
    """A payment term by code; `lines` are its instalments, `days` the latest one's."""

    __tablename__ = "payment_term"

    code: str = Field(primary_key=True, max_length=20)
    days: int
    prepaid: bool
    description: str = Field(max_length=200)
    lines: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)


class ClauseRow(FinanceTable, table=True):
    """A version of a clause in one language; its text is fixed by its hash."""

    __tablename__ = "clause"
    __table_args__ = (
        CheckConstraint("status IN ('draft', 'approved', 'retired')", name="clause_status_known"),
        CheckConstraint(
            "status = 'draft' OR (approved_by != '' AND approved_on IS NOT NULL)",
            name="clause_approval_is_named",
        ),
    )

    clause_id: str = Field(primary_key=True, max_length=60)
    version: int = Field(primary_key=True)
    language: str = Field(primary_key=True, max_length=8)
    topic: str = Field(max_length=40)
    title: str = Field(max_length=120)
    text: str = Field(sa_type=Text)
    sha256: str = Field(max_length=64)
    status: str = Field(max_length=12)
    owner: str = Field(max_length=ID)
    approved_by: str = Field(default="", max_length=ID)
    approved_on: date | None = None
    valid_from: date
    valid_to: date | None = None
    jurisdiction: str = Field(default="", max_length=2)
    mandatory: bool = False
    conflicts_with: list[str] = Field(default_factory=list, sa_type=JSON)
    conditions: dict[str, list[str]] = Field(sa_type=JSON)


class ScreeningEntry(FinanceTable, table=True):
    """A name on the screening list; the list's own facts are in the setting `screening`."""

    __tablename__ = "screening_entry"

    entry_id: str = Field(primary_key=True, max_length=60)
    name: str = Field(max_length=200)
    country: str = Field(default="", max_length=2)
    aliases: list[str] = Field(default_factory=list, sa_type=JSON)


class ScreeningReview(FinanceTable, table=True):
    """What a named person decided about one hit, bound to the two names; a new one is a new row."""

    __tablename__ = "screening_review"
    __table_args__ = (
        CheckConstraint(
            "decision IN ('different_party', 'same_party')", name="screening_decision_known"
        ),
        CheckConstraint("expires_on >= decided_on", name="screening_review_has_a_span"),
    )

    review_id: str = Field(primary_key=True, max_length=ID)
    account_id: str = Field(foreign_key=CUSTOMER, index=True, max_length=ID)
    entry_id: str = Field(max_length=60)
    party_name: str = Field(max_length=200)
    listed_name: str = Field(max_length=200)
    decision: str = Field(max_length=20)
    note: str = Field(default="", max_length=300)
    decided_by: str = Field(max_length=ID)
    decided_on: date
    expires_on: date


class RelatedParty(FinanceTable, table=True):
    """Somebody who goes with a customer and is screened too: an owner, a consignee, a contact."""

    __tablename__ = "related_party"

    party_id: str = Field(primary_key=True, max_length=ID)
    account_id: str = Field(foreign_key=CUSTOMER, index=True, max_length=ID)
    role: str = Field(max_length=20)
    name: str = Field(max_length=200)
    country: str = Field(default="", max_length=2)


class ReceivableRow(FinanceTable, table=True):
    """An invoice: what is still open, and which accepted quote it bills, if any."""

    __tablename__ = "receivable"
    __table_args__ = (
        CheckConstraint("due >= issued", name="receivable_due_after_issue"),
        CheckConstraint(
            "open_minor >= 0 AND open_minor <= total_minor", name="receivable_amounts_sane"
        ),
    )

    invoice_no: str = Field(primary_key=True, max_length=40)
    account_id: str = Field(foreign_key=CUSTOMER, index=True, max_length=ID)
    quote_id: str | None = Field(default=None, index=True, max_length=ID)
    issued: date
    due: date
    total_minor: int = Field(sa_type=BigInteger)
    open_minor: int = Field(sa_type=BigInteger)
    currency: str = Field(max_length=3)
