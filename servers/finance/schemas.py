"""What finance's tools take and return."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from servers.finance.documents import (
    ApprovalBlock,
    ApprovalNeed,
    FreightBlock,
    InternalLine,
    NextStep,
    Status,
    TaxBlock,
    TotalsBlock,
    TraceStep,
)
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.fields import Digest, LineId, Quantity, Sku
from servers.toolkit.findings import Finding

Unit = Literal["each", "box", "license", "hour", "day", "month"]
Claim = Literal["ship_to", "exemption", "discount", "approval", "payment_terms", "bank"]
View = Literal["customer", "internal"]
Format = Literal["html", "markdown", "json"]
PromoCode = Annotated[str, Field(pattern=r"^[A-Z0-9][A-Z0-9-]{1,19}$", max_length=20)]
PromoCodes = Annotated[list[PromoCode], Field(max_length=5, description="codes the buyer named")]
DiscountBp = Annotated[
    int, Field(ge=0, le=10_000, description="requested discount in basis points (500 = 5%)")
]
ShipMethod = Annotated[
    str,
    Field(
        pattern=r"^[A-Z][A-Z0-9-]{1,19}$",
        max_length=20,
        description="method, from catalog shipping_options; DIGITAL when nothing is physical",
    ),
]
TermsCode = Annotated[
    str, Field(pattern=r"^[A-Z][A-Z0-9-]{1,19}$", max_length=20, description="NET30, PREPAY ...")
]
ClauseId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,60}$", max_length=60)]
Code = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{1,39}$", max_length=40)]
AmountMinor = Annotated[int, Field(ge=0, le=10**15, description="integer minor units (cents)")]
GeneratedBy = Annotated[
    str,
    Field(pattern=r"^[\w .:@/+-]*$", max_length=80, description="what played the agents, if any"),
]


LEFT_OUT = "position of the first line left out; from_line of the next call"
FromLine = Annotated[
    int, Field(ge=1, le=200, description="first line to show, by position, where not all fit")
]
FromStep = Annotated[
    int, Field(ge=1, le=10_000, description="first step to show, where not all fit")
]


class LineIn(BaseModel):
    """One line to price: what, how many, for how long. Prices are never an input."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    line_id: LineId
    sku: Sku
    quantity: Quantity
    unit: Unit = "each"
    term_months: Annotated[int, Field(ge=1, le=120)] | None = None
    start: date | None = None
    optional: bool = False
    alternative_of: LineId | None = None


Lines = Annotated[
    list[LineIn], Field(min_length=1, max_length=200, description="the lines of the quote")
]


class PriceRequest(BaseModel):
    """The inputs that decide a price, whole."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account_id: str
    lines: tuple[LineIn, ...]
    ship_to_address_id: str
    ship_method: str
    order_date: date
    currency: str | None = None
    promo_codes: tuple[str, ...] = ()
    discount_bp: int = 0

    def checked(self) -> "PriceRequest":
        """Return the request if its lines fit together.

        Raises:
            InvalidInputError: two lines share an id, or an alternative names no other line.
        """
        ids = [line.line_id for line in self.lines]
        if len(set(ids)) != len(ids):
            raise InvalidInputError("two lines share a line_id", fix="number them l1, l2, ...")
        for line in self.lines:
            if line.alternative_of is not None and (
                line.alternative_of == line.line_id or line.alternative_of not in ids
            ):
                raise InvalidInputError(
                    f"{line.line_id} is an alternative of no other line",
                    fix="set alternative_of to another line's line_id",
                )
        return self


class Priced(BaseModel):
    """The price of a quote that is not stored; same inputs, same answer."""

    currency: str
    lines: list[InternalLine]
    freight: FreightBlock
    tax: list[TaxBlock]
    totals: TotalsBlock
    findings: list[Finding]
    approvals_needed: list[ApprovalNeed]
    digest: Digest
    next_line: int | None = Field(default=None, description=LEFT_OUT)


class WhatIf(BaseModel):
    """Two prices side by side."""

    currency: str
    before_total_minor: int | None
    after_total_minor: int | None
    difference_minor: int | None
    after: Priced


class Explanation(BaseModel):
    """How a price came about, step by step."""

    currency: str
    steps: list[TraceStep]
    findings: list[Finding]
    next_from: int | None = Field(default=None, description="from_step of the next call, if any")


class CreditCheck(BaseModel):
    """Whether an amount fits a customer's credit line."""

    verdict: Literal["clear", "needs_human"]
    limit_minor: int | None
    exposure_minor: int | None = Field(description="open receivables and the amount asked about")
    currency: str
    findings: list[Finding]


class Screening(BaseModel):
    """What the screening lists say about a customer; a hit is for a person to judge."""

    verdict: Literal["clear", "needs_human"]
    list_name: str
    list_as_of: str
    findings: list[Finding]


class SelectedTerms(BaseModel):
    """The clauses and payment terms of a quote, selected by rules."""

    clause_ids: list[str]
    payment_terms: str
    reasons: dict[str, str] = Field(description="clause id -> why it applies")
    findings: list[Finding]


class QuoteDraft(BaseModel):
    """The quote that was stored."""

    quote_id: str
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
