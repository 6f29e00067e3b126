"""A stored quote as others see it: all of it for people of the seller, part of it for the customer.

`CustomerQuote` has no field for cost, margin, findings, approvals, claims or who played the
agents, and every model here is closed (`extra="forbid"`), so such a thing cannot slip into what a
customer reads: the type has no place for it. `QuoteDocument` is the internal view. It is not a
base class of the customer's, on purpose: `customer_view` copies field by field.

Amounts are integer minor units of the quote's one `currency`; unit prices and percentages are
decimal strings ("389.00", "12.5"). An amount is None only in a draft that could not be priced.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import Field

from servers.finance.facts import blocks
from servers.finance.facts.copies import block
from servers.finance.schemas import Priced
from servers.toolkit.findings import Finding


@dataclass(frozen=True)
class Pricing:
    """The whole answer of a pricing, the margin included; what leaves the server is `public()`."""

    currency: str
    lines: list[blocks.InternalLine]
    freight: blocks.FreightBlock
    totals: blocks.TotalsBlock
    findings: list[Finding]
    digest: str = ""
    taxes: list[blocks.TaxBlock] = field(default_factory=list)
    approvals: list[blocks.ApprovalNeed] = field(default_factory=list)
    trace: list[blocks.TraceStep] = field(default_factory=list)
    margin: blocks.MarginBlock | None = None
    charges: list[blocks.ChargeBlock] = field(default_factory=list)
    recurring: blocks.RecurringBlock | None = None
    presentation: blocks.PresentationBlock | None = None
    promotions: list[blocks.PromotionBlock] = field(default_factory=list)
    discount_bp: int = 0
    costs: Mapping[str, Decimal | None] = field(default_factory=dict)

    def public(self) -> Priced:
        return block(Priced, self, tax=self.taxes, approvals_needed=self.approvals)


class CustomerQuote(blocks.Block):
    """What the customer may see. Nothing else about the quote leaves the house."""

    view: Literal["customer"] = "customer"
    schema_version: Literal["1"] = Field(
        default="1", description="of the published schema, docs/quote.schema.json"
    )
    quote_id: str
    number: str | None = Field(description="Q-2026-000123, or None while it is no offer yet")
    revision: int
    replaces: str | None = Field(default=None, description="number of the offer it replaces")
    status: blocks.Status
    currency: str
    order_date: date = Field(description="the day that decided prices and rates")
    issued_on: date | None
    valid_until: date | None = Field(description="end of that day in the seller's time zone")
    price_lock_until: date | None = Field(
        default=None, description="until then a revision keeps these prices"
    )
    cover: blocks.Cover = Field(description="which approved cover text introduces it")
    seller: blocks.SellerBlock
    customer: blocks.CustomerBlock
    ship_to: blocks.AddressBlock
    delivery_terms: str = Field(description="Incoterms 2020 and place; empty for services only")
    lines: list[blocks.QuoteLine]
    freight: blocks.FreightBlock
    charges: list[blocks.ChargeBlock] = Field(default_factory=list)
    taxes: list[blocks.TaxBlock]
    totals: blocks.TotalsBlock
    recurring: blocks.RecurringBlock | None = None
    presentation: blocks.PresentationBlock | None = None
    payment_terms: blocks.PaymentTermsBlock
    clauses: list[blocks.ClauseBlock]
    notice: str = blocks.NOTICE
    next_line: int | None = Field(
        default=None, description="position of the first line left out; from_line of the next call"
    )


class QuoteSnapshot(blocks.Block):
    """What a quote says, whole: the digest covers every field."""

    quote_id: str
    revision: int
    replaces: str | None = None
    revises: str | None = Field(default=None, description="quote_id of the revision before")
    account_id: str
    opportunity_id: str
    contact_id: str | None
    currency: str
    order_date: date
    validity_days: int | None = Field(
        default=None, description="how long it holds from its issue; the digest covers it"
    )
    price_lock_days: int | None = None
    cover: blocks.Cover
    seller: blocks.SellerBlock
    customer: blocks.CustomerBlock
    ship_to: blocks.AddressBlock
    delivery_terms: str
    lines: list[blocks.InternalLine]
    freight: blocks.FreightBlock
    charges: list[blocks.ChargeBlock] = Field(default_factory=list)
    taxes: list[blocks.TaxBlock]
    totals: blocks.TotalsBlock
    recurring: blocks.RecurringBlock | None = None
    presentation: blocks.PresentationBlock | None = None
    payment_terms: blocks.PaymentTermsBlock
    clauses: list[blocks.ClauseBlock]
    findings: list[Finding]
    claims: list[str] = Field(description="what texts asserted and only a person can make true")
    warnings: list[str] = Field(description="codes the catalog found")
    promo_codes: list[str]
    promotions: list[blocks.PromotionBlock] = Field(default_factory=list)
    discount_bp: int
    effective_discount_bp: int | None = Field(default=None, description="with what is by hand")
    risks: list[blocks.RiskRow] = Field(
        default_factory=list, description="one row per rule that fired"
    )
    approvals_needed: list[blocks.ApprovalNeed]
    auto_issue: bool
    auto_issue_reasons: list[str] = Field(description="why it does not issue by itself; or empty")
    generated_by: str = Field(description="what played the agents, 'playbook' say; or empty")
    trace: list[blocks.TraceStep]

    @property
    def most_discount_bp(self) -> int:
        return self.effective_discount_bp or self.discount_bp


class QuoteDocument(QuoteSnapshot):
    """The whole stored quote, for people of the house."""

    view: Literal["internal"] = "internal"
    number: str | None
    status: blocks.Status
    issued_on: date | None
    valid_until: date | None
    price_lock_until: date | None = None
    notice: str = blocks.NOTICE
    digest: str
    approvals: list[blocks.ApprovalBlock]
    created_by: str
    created_at: str
    requested_by: str
    withdrawn_reason: str = ""
    accepted_at: str | None = None
    accepted_by: str | None = Field(default=None, description="who recorded the acceptance")
    acceptance_reference: str = Field(default="", description="the customer's purchase order, say")
    superseded_by: str | None = Field(default=None, description="quote_id that replaced it")
    margin: blocks.MarginBlock | None = None
    next_step: blocks.NextStep | None = Field(default=None, description="what it waits for now")
    to_check: blocks.ToCheck | None = None
    next_line: int | None = Field(
        default=None, description="position of the first line left out; from_line of the next call"
    )


def customer_view(document: QuoteDocument) -> CustomerQuote:
    """Return what the customer may see of a quote, copied field by field."""
    lines = [block(blocks.QuoteLine, line) for line in document.lines]
    return block(CustomerQuote, document, view="customer", lines=lines)


ROOM, SMALL = 24_000, 4_000
"""Bytes of one answer, and for its lines (and their trace) at least."""


def lines_that_fit(quote: QuoteDocument, from_line: int, *, with_trace: bool) -> QuoteDocument:
    """Return a quote with the lines from a position on that fit, and the trace of those lines.

    Totals, taxes, terms, findings and approvals stay those of the whole quote. Where these alone
    fill the answer, clauses are only named: `finance://clauses/{clause_id}` has their texts.
    """
    steps: dict[str, list[blocks.TraceStep]] = defaultdict(list)
    for step in quote.trace:
        steps[step.line_id].append(step)
    rest = quote.model_copy(update={"lines": [], "trace": steps[""] if with_trace else []})
    if len(rest.model_dump_json().encode()) > ROOM - SMALL:
        unsaid = {"text": "", "sha256": ""}
        named = [one.model_copy(update=unsaid) for one in quote.clauses]
        quote = quote.model_copy(update={"clauses": named})
        rest = rest.model_copy(update={"clauses": quote.clauses})
    room = max(SMALL, ROOM - len(rest.model_dump_json().encode()))
    kept = quote.lines[from_line - 1 :]
    for place, line in enumerate(kept):
        parts = [line, *(steps[line.line_id] if with_trace else ())]
        room -= sum(len(part.model_dump_json().encode()) for part in parts)
        if room < 0 and place:
            kept = kept[:place]
            break
    left = from_line + len(kept)
    shown = {line.line_id for line in kept} | {""}
    return quote.model_copy(
        update={
            "lines": kept,
            "trace": [step for step in quote.trace if step.line_id in shown],
            "next_line": left if left <= len(quote.lines) else None,
        }
    )
