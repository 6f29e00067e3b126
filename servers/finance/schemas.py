"""What finance's tools take and return."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from servers.finance.facts import blocks
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.fields import Digest, LineId, Measured, Quantity, Sku
from servers.toolkit.findings import Finding
from servers.toolkit.units import Unit, check_quantities

Claim = Literal["ship_to", "exemption", "discount", "approval", "payment_terms", "bank"]
View = Literal["customer", "internal"]
Format = Literal["html", "markdown", "json", "ubl", "letter"]
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


Verdict = Literal["clear", "blocked", "needs_human"]
ReviewDecision = Literal["different_party", "same_party"]
DeviationReason = Literal[
    "customer_request",
    "tender_terms",
    "framework_agreement",
    "local_law",
    "product_scope",
    "earlier_deal",
]


class DeviationIn(BaseModel):
    """Why a quote carries another clause than the rules select; the text is always finance's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    clause_id: ClauseId = Field(description="the clause that was added or left out")
    reason: DeviationReason


Deviations = Annotated[
    list[DeviationIn],
    Field(
        max_length=20,
        description="a reason per clause id that differs from select_terms; each asks legal",
    ),
]


OptionCode = Annotated[str, Field(pattern=r"^[A-Z0-9][A-Z0-9-]{0,31}$", max_length=32)]
SubscriptionId = Annotated[str, Field(pattern=r"^sub_[A-Za-z0-9_-]{1,40}$", max_length=48)]
AdjustmentReason = Literal[
    "competitive_match",
    "volume_commitment",
    "service_recovery",
    "strategic_account",
    "pricing_error",
    "demo_equipment",
    "agreed_rounding",
    "price_on_request",
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
    end: Annotated[
        date | None, Field(description="last day, to end with another subscription (co-term)")
    ] = None
    segment_of: Annotated[
        LineId | None, Field(description="line_id of the ramp segment before this one")
    ] = None
    options: Annotated[
        tuple[OptionCode, ...], Field(max_length=20, description="configuration options")
    ] = ()
    part_of: Annotated[
        LineId | None, Field(description="line_id of the bundle this optional part belongs to")
    ] = None
    change: Annotated[
        Literal["amend", "renew"] | None,
        Field(description="amend adds to a running subscription, renew continues it"),
    ] = None
    subscription_id: Annotated[
        SubscriptionId | None, Field(description="the subscription that `change` is about")
    ] = None


class Adjustment(BaseModel):
    """What a named person takes off by hand, with the reason; no agent's tool accepts one.

    `line_id` None is a discount on the whole document (lines and freight), split pro rata.
    `value` is percent, an amount in the quote's currency, or for `override` the unit price.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    line_id: LineId | None = None
    kind: Literal["percent", "amount", "override"]
    value: Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=6)]
    reason_code: AdjustmentReason
    author: str = ""


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
    adjustments: tuple[Adjustment, ...] = ()
    display_currency: str | None = None

    def checked(self) -> "PriceRequest":
        """Return the request, or raise InvalidInputError where its lines do not fit together."""
        ids = [line.line_id for line in self.lines]
        if len(set(ids)) != len(ids):
            raise InvalidInputError("two lines share a line_id", fix="number them l1, l2, ...")
        for line in self.lines:
            if line.alternative_of is not None and (
                line.alternative_of == line.line_id or line.alternative_of not in ids
            ):
                said = f"{line.line_id} is an alternative of no other line"
                raise InvalidInputError(said, fix="set alternative_of to another line's line_id")
        check_quantities(self.lines)
        return self


class Priced(BaseModel):
    """The price of a quote that is not stored; same inputs, same answer."""

    currency: str
    lines: list[blocks.InternalLine]
    freight: blocks.FreightBlock
    charges: list[blocks.ChargeBlock] = Field(default_factory=list)
    tax: list[blocks.TaxBlock]
    totals: blocks.TotalsBlock
    recurring: blocks.RecurringBlock | None = None
    presentation: blocks.PresentationBlock | None = None
    findings: list[Finding]
    approvals_needed: list[blocks.ApprovalNeed]
    digest: Digest
    next_line: int | None = Field(default=None, description=LEFT_OUT)


class QuantityBreak(BaseModel):
    """A quantity from which a piece costs something else; the first is what was asked for."""

    quantity: Measured
    unit_price: str | None = Field(description="before what comes off")
    allowances: list[str] = Field(description="'Volume discount 5%' ...")
    net_minor: int | None
    net_each: str | None = Field(description="what one comes to, after what comes off")


class WayOut(BaseModel):
    """A change after which fewer approvals are needed, or none; finance decided by pricing it."""

    change: Literal["discount_bp", "quantity"]
    line_id: str | None = None
    before: Measured
    after: Measured
    avoids: list[str] = Field(default_factory=list, description="rules that ask no more")
    still_needed: list[str] = Field(default_factory=list, description="rules that then ask")
    total_minor: int | None = None


class WhatIf(BaseModel):
    """Two prices side by side, and what else was asked."""

    currency: str
    before_currency: str
    before_total_minor: int | None
    after_total_minor: int | None
    difference_minor: int | None = Field(description="None where the currencies differ")
    breaks: list[QuantityBreak] = Field(default_factory=list)
    ways_out: list[WayOut] = Field(default_factory=list, description="nearest first, of each kind")
    unavoidable: list[str] = Field(
        default_factory=list, description="rules that no discount or quantity tried avoids"
    )
    after: Priced


class Explanation(BaseModel):
    """How a price came about, step by step."""

    currency: str
    steps: list[blocks.ToldStep]
    findings: list[Finding]
    next_from: int | None = Field(default=None, description="from_step of the next call, if any")


class CreditCheck(BaseModel):
    """Whether an amount fits a customer's credit line, with the numbers; minor units."""

    verdict: Verdict
    limit_minor: int | None
    exposure_minor: int | None = Field(
        description="open receivables, accepted quotes not billed, and this amount on credit"
    )
    currency: str
    rating: str = ""
    payment_terms: str = ""
    open_minor: int | None = None
    unbilled_minor: int | None = None
    asked_minor: int | None = Field(default=None, description="what is not paid in advance")
    overdue: dict[str, int] = Field(default_factory=dict, description="days overdue -> open")
    overdue_days: int = Field(default=0, description="of the oldest open invoice")
    other_currencies: dict[str, int] = Field(
        default_factory=dict, description="open amounts that are not in the exposure"
    )
    family_limit_minor: int | None = Field(default=None, description="a parent's limit it shares")
    family_exposure_minor: int | None = None
    policy_rule: str | None = Field(default=None, description="row of the credit policy that fits")
    max_days: int | None = Field(default=None, description="longest terms that row allows")
    in_advance_percent: str | None = Field(default=None, description="what that row asks for")
    advance_percent_needed: int | None = Field(
        default=None, description="in advance, to stay within every limit; 0 when it fits"
    )
    findings: list[Finding]


class OldestBill(BaseModel):
    """The open invoice that was due first."""

    invoice_no: str
    due: date
    open_minor: int
    overdue_days: int


class Owed(BaseModel):
    """What a customer owes in one currency; minor units."""

    currency: str
    owed_minor: int = Field(description="open invoices, and what was open before they were kept")
    overdue_minor: int = 0
    overdue: dict[str, int] = Field(default_factory=dict, description="days overdue -> open")
    oldest: OldestBill | None = None


class Balance(BaseModel):
    """What a customer owes by currency, and what is left of its credit limit; minor units."""

    account_id: str
    as_of: date
    owed: list[Owed]
    limit_minor: int | None
    limit_currency: str
    left_minor: int | None = Field(
        description="the limit less what is owed, or accepted and not billed, in its currency"
    )
    family_left_minor: int | None = Field(description="the same of a parent's limit it shares")
    hold: bool = Field(description="finance holds its credit")


class Screening(BaseModel):
    """What the screening lists say about a customer; a hit is for a person to judge."""

    verdict: Verdict
    list_name: str
    list_as_of: str
    screened: list[str] = Field(default_factory=list, description="roles whose names were compared")
    findings: list[Finding]


class ScreeningReviewed(BaseModel):
    """A person's decision about the hits of a customer on one entry."""

    account_id: str
    entry_id: str
    review_ids: list[str]
    decision: ReviewDecision
    decided_by: str
    decided_on: date
    expires_on: date
    replayed: bool = False


class SelectedTerms(BaseModel):
    """The clauses and payment terms of a quote, selected by rules."""

    clause_ids: list[str]
    payment_terms: str
    reasons: dict[str, str] = Field(description="clause id -> why it applies")
    findings: list[Finding]
