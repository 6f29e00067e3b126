"""What finance's tools answer about stored quotes.

What `guide_price` answers is for named persons only, because its floor reveals cost.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from servers.finance.facts.blocks import ApprovalBlock, ApprovalNeed, NextStep, Status, ToCheck
from servers.finance.schemas import LEFT_OUT, Format, View
from servers.toolkit.fields import Digest, LineId, Measured, Quantity
from servers.toolkit.findings import Finding

QuoteNumber = Annotated[
    str, Field(min_length=1, max_length=40, description="as printed: Q-2026-000123, with -r2")
]
Within = Annotated[
    int | None, Field(ge=0, le=366, description="issued quotes whose validity ends in so many days")
]


class QuoteDraft(BaseModel):
    """The quote that was stored."""

    quote_id: str
    account_id: str = ""
    opportunity_id: str = ""
    revision: int
    status: Status
    digest: Digest
    currency: str
    total_minor: int
    approvals_needed: list[ApprovalNeed]
    auto_issue: bool
    auto_issue_reasons: list[str]
    findings: list[Finding]
    next_step: NextStep | None = Field(default=None, description="what it waits for, and whom")
    replayed: bool = False


class QuoteRow(BaseModel):
    """A quote in a list."""

    quote_id: str
    number: str | None
    revision: int
    status: Status
    account_id: str
    opportunity_id: str
    currency: str
    total_minor: int
    order_date: date
    created_at: str
    created_by: str = ""
    requested_by: str = ""
    entity_id: str = Field(default="", description="the legal entity that makes the offer")
    issued_at: str | None = None
    valid_until: date | None = None
    price_lock_until: date | None = None
    accepted_at: str | None = None
    superseded_by: str | None = None
    approvals_pending: list[str] = Field(default_factory=list, description="roles still asked")
    approval_requested_at: str | None = Field(default=None, description="the first request")
    approval_decided_at: str | None = Field(
        default=None, description="the last decision, once none is open"
    )


class QuotePage(BaseModel):
    """A page of quotes, newest first."""

    items: list[QuoteRow]
    total: int
    next_cursor: str | None


class ApprovalRequest(BaseModel):
    """The approvals a quote waits for."""

    quote_id: str
    status: Status
    approvals: list[ApprovalBlock]
    next_step: NextStep | None = Field(default=None, description="what it waits for, and whom")
    replayed: bool = False


class Decision(BaseModel):
    """What a person decided, and what the quote still waits for."""

    approval_id: str
    quote_id: str
    decision: Literal["approve", "reject"]
    decided_by: str
    quote_status: Status
    still_pending: list[str] = Field(description="roles that have yet to decide")
    next_step: NextStep | None = Field(default=None, description="what it waits for, and whom")
    replayed: bool = False


class Issued(BaseModel):
    """An issued quote: its number and how long it holds."""

    quote_id: str
    number: str
    revision: int
    status: Status
    digest: Digest
    issued_at: str
    valid_until: date
    price_lock_until: date | None = None
    total_minor: int
    currency: str
    next_step: NextStep | None = Field(default=None, description="what it waits for, and whom")
    replayed: bool = False


class Withdrawn(BaseModel):
    """A quote that was taken back."""

    quote_id: str
    number: str | None
    status: Status
    replayed: bool = False


class Accepted(BaseModel):
    """A quote that the customer accepted."""

    quote_id: str
    number: str
    status: Status
    digest: Digest
    accepted_at: str
    accepted_by: str
    acceptance_reference: str
    total_minor: int
    currency: str
    closed: list[str] = Field(
        default_factory=list, description="quotes of the opportunity that were still in work"
    )
    next_step: NextStep | None = Field(default=None, description="what it waits for, and whom")
    replayed: bool = False


class Superseded(BaseModel):
    """A quote that was closed in favour of another."""

    quote_id: str
    number: str | None
    status: Status
    superseded_by: str
    superseded_by_number: str | None
    replayed: bool = False


class LineChange(BaseModel):
    """How a line of a stored quote is to change; what is left out stays."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    line_id: LineId
    quantity: Quantity | None = None
    term_months: Annotated[int, Field(ge=1, le=120)] | None = None
    optional: bool | None = None


class FieldChange(BaseModel):
    """One thing that differs between two revisions, in words and amounts of the quote."""

    name: str = Field(description="quantity, net_minor, totals.tax_minor, payment_terms ...")
    before: str | None
    after: str | None


class LineDiff(BaseModel):
    """A line that differs between two revisions."""

    line_id: str
    sku: str
    name: str
    change: Literal["added", "removed", "changed"]
    fields: list[FieldChange]


class QuoteDiff(BaseModel):
    """What differs between two revisions; empty lists where nothing does."""

    before_id: str
    after_id: str
    before_number: str | None = None
    after_number: str | None = None
    before_currency: str
    after_currency: str
    same: bool = Field(description="nothing that is printed or decided differs")
    lines: list[LineDiff]
    numbers: list[FieldChange] = Field(description="freight, charges, taxes and totals")
    terms: list[FieldChange] = Field(description="payment, delivery, clauses, customer, seller")
    approvals: list[FieldChange] = Field(description="rules that a person has to let pass")
    next_from: int | None = Field(
        default=None, description="from_change of the next call, where more lines differ"
    )


class Revised(BaseModel):
    """The next revision, stored or only worked out, and what differs from the one before."""

    stored: bool = Field(description="False: this was a preview")
    quote_id: str | None
    revises: str
    revision: int
    status: Status | None
    digest: Digest | None
    currency: str
    total_minor: int
    approvals_needed: list[ApprovalNeed]
    findings: list[Finding]
    diff: QuoteDiff
    next_step: NextStep | None = Field(default=None, description="what it waits for, and whom")
    to_check: ToCheck | None = Field(default=None, description="of a preview only")
    replayed: bool = False


class Rendered(BaseModel):
    """A quote as text."""

    quote_id: str
    number: str | None
    format: Format
    view: View
    mime_type: str
    text: str = Field(description="at most 20,000 characters from `offset`, unless asked for whole")
    offset: int
    next_offset: int | None
    total_characters: int
    uri: str | None = Field(description="the resource that holds all of it; None for internal")


class GuidedPrice(BaseModel):
    """An amount for the whole line, and what it means for the price of one."""

    amount_minor: int
    unit_price: str = Field(description="per unit for the whole term, cut to six decimals")
    discount_bp: int | None = Field(
        description="the requested discount that comes to it or just above; None for a surcharge"
    )
    why: str


class Comparable(BaseModel):
    """A line of an earlier quote of ours, and what became of the quote."""

    quote_id: str
    number: str
    account_id: str
    line_id: str
    sku: str
    quantity: Measured
    of_list: str = Field(description="percent of the price list at which it was offered")
    outcome: Literal["accepted", "open", "not_taken"]
    order_date: str


class LineGuidance(BaseModel):
    """Floor, target and stretch of one line; none of them sets anything."""

    line_id: str
    sku: str
    quantity: Measured
    list_minor: int
    standard_minor: int = Field(description="what it costs without a requested discount")
    offered_minor: int | None = Field(description="what the quote says now")
    floor: GuidedPrice | None
    target: GuidedPrice | None
    stretch: GuidedPrice | None
    said: list[str] = Field(description="where it comes from, and what could not be said")
    comparables: list[Comparable]


class PriceGuidance(BaseModel):
    """Guidance about a quote: a proposal inside the house's band, for a person to weigh."""

    quote_id: str
    currency: str
    band: str
    lines: list[LineGuidance]
    next_line: int | None = Field(default=None, description=LEFT_OUT)
    notice: str = (
        "Guidance proposes and sets nothing; a discount goes through the quote's own rules."
    )
