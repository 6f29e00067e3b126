"""Quotes, approvals and numbers: what finance itself makes.

What a quote says (inputs, snapshot, digest, total) is written once and never changed: a change is
a new revision. Triggers (`migrations/guards.py`) keep that, whatever program writes to the file.
"""

from datetime import date

from sqlalchemy import BigInteger, Index, Text
from sqlmodel import Field

from servers.finance.tables.base import CUSTOMER, ID, FinanceTable
from servers.toolkit.short_tables import constraints, one_of

WORKING = "status IN ('draft', 'waiting', 'approved')"
LIVE = "status IN ('pending', 'approved')"
STATUSES = (
    "status IN ('draft', 'waiting', 'approved', 'issued', 'accepted', 'rejected', 'withdrawn', "
    "'superseded', 'expired')"
)


class Quote(FinanceTable, table=True):
    """One revision of a quote; `chain` is the id of the first.

    A quote that belongs to no opportunity has its chain in the place of one, so that what holds for
    the quotes of an opportunity holds for its revisions.
    """

    __table_args__ = constraints(
        one_of("quote_one_working_per_opportunity", "opportunity_id", where=WORKING),
        one_of("quote_one_issued_per_opportunity", "opportunity_id", where="status = 'issued'"),
        Index("quote_by_validity", "status", "entity_id", "valid_until"),
        quote_one_per_revision=("chain", "revision"),
        quote_status_known=STATUSES,
        quote_numbers_sane="revision >= 1 AND total_minor >= 0",
        quote_number_comes_with_issue="(number IS NULL) = (issued_at IS NULL)",
        quote_issued_has_number="status NOT IN ('issued', 'accepted') OR number IS NOT NULL",
        quote_acceptance_is_whole=(
            "(status = 'accepted') = (accepted_at IS NOT NULL) "
            "AND (accepted_at IS NULL) = (accepted_by IS NULL)"
        ),
    )

    quote_id: str = Field(primary_key=True, max_length=ID)
    account_id: str = Field(foreign_key=CUSTOMER, index=True, max_length=ID)
    opportunity_id: str = Field(index=True, max_length=ID)
    revision: int
    chain: str = Field(max_length=ID)
    revises: str | None = Field(default=None, max_length=ID)
    status: str = Field(max_length=12)
    currency: str = Field(max_length=3)
    total_minor: int = Field(sa_type=BigInteger)
    order_date: date
    digest: str = Field(max_length=64)
    inputs: str = Field(sa_type=Text)
    snapshot: str = Field(sa_type=Text)
    margin: str | None = Field(default=None, sa_type=Text)
    price_approval: str | None = Field(default=None, sa_type=Text)
    """The decision for what it earns, where the snapshot does not tell of it."""
    number: str | None = Field(default=None, unique=True, max_length=40)
    issued_at: str | None = Field(default=None, max_length=32)
    valid_until: date | None = None
    entity_id: str = Field(default="", max_length=ID)
    price_lock_until: date | None = None
    accepted_at: str | None = Field(default=None, max_length=32)
    accepted_by: str | None = Field(default=None, max_length=60)
    acceptance_reference: str = Field(default="", max_length=120)
    superseded_by: str | None = Field(default=None, max_length=ID)
    withdrawn_reason: str = Field(default="", max_length=300)
    created_at: str = Field(index=True, max_length=32)
    created_by: str = Field(max_length=120)
    requested_by: str = Field(max_length=60)


class Approval(FinanceTable, table=True):
    """A failing rule that a person of a role lets pass or not, bound to one exact quote."""

    __table_args__ = constraints(
        one_of("approval_one_live_per_rule", "quote_id", "rule_id", "role", where=LIVE),
        approval_status_known=(
            "status IN ('pending', 'approved', 'rejected', 'expired', 'cancelled')"
        ),
        approval_decision_is_whole="(decided_by IS NULL) = (decided_at IS NULL)",
    )

    approval_id: str = Field(primary_key=True, max_length=ID)
    quote_id: str = Field(foreign_key="quote.quote_id", index=True, max_length=ID)
    rule_id: str = Field(max_length=80)
    role: str = Field(max_length=40)
    reason: str = Field(max_length=500)
    digest: str = Field(max_length=64)
    status: str = Field(max_length=12)
    requested_by: str = Field(max_length=60)
    requested_at: str = Field(max_length=32)
    expires_at: str = Field(max_length=32)
    decided_by: str | None = Field(default=None, max_length=60)
    decided_at: str | None = Field(default=None, max_length=32)
    note: str = Field(default="", max_length=300)
    used_at: str | None = Field(default=None, max_length=32)
    sequence: int = 1


class QuoteNumber(FinanceTable, table=True):
    """The last quote number of an entity in a year."""

    entity_id: str = Field(primary_key=True, max_length=ID)
    year: int = Field(primary_key=True)
    last: int
