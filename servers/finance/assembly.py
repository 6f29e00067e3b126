"""From inputs to the exact quote: recomputes everything, and says what a person must decide.

A pure function of facts and inputs: the same call makes the draft and, at issue, checks that the
draft still holds. Its digest is what approvals are bound to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from servers.finance import canonical, credit, screening
from servers.finance.approvals import UNAPPROVABLE, claim_findings, needed, warning_findings
from servers.finance.blocks import (
    AddressBlock,
    ApprovalNeed,
    Block,
    ChargeBlock,
    ClauseBlock,
    Cover,
    CustomerBlock,
    FreightBlock,
    InternalLine,
    MarginBlock,
    PaymentTermsBlock,
    PresentationBlock,
    PromotionBlock,
    RecurringBlock,
    RiskRow,
    SellerBlock,
    TaxBlock,
    TaxIdBlock,
    TotalsBlock,
    TraceStep,
)
from servers.finance.facts import Address, Customer, Policy, PricingFacts
from servers.finance.pricing import Pricing, price
from servers.finance.say import finding
from servers.finance.schemas import Claim, PriceRequest
from servers.finance.seller import Entity
from servers.finance.tax_places import zone_of
from servers.finance.terms import (
    Clause,
    PaymentTerms,
    Terms,
    TermsFacts,
    check_set,
    deviation,
    flags_of,
    select,
)
from servers.toolkit.errors import InvalidInputError, RuleViolationError
from servers.toolkit.findings import Finding, Severity


@dataclass(frozen=True)
class QuoteFacts:
    """Everything that pricing, terms, credit and screening of one quote look at."""

    pricing: PricingFacts
    clauses: tuple[Clause, ...]
    payment_terms: dict[str, PaymentTerms]
    credit: credit.CreditLine
    screening: screening.ScreeningList
    seller: Entity | Finding


class QuoteInputs(BaseModel):
    """What a quote is made from; stored with it, and the only thing that is not recomputed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    request: PriceRequest
    opportunity_id: str
    contact_id: str | None = None
    payment_terms: str
    clause_ids: tuple[str, ...]
    claims: tuple[Claim, ...] = ()
    warnings: tuple[str, ...] = ()
    cover: Cover = "standard"
    revises: str | None = None
    generated_by: str = ""
    drafted_on: date
    locked_until: date | None = None


class QuoteSnapshot(Block):
    """What a quote says, whole: the digest covers every field."""

    quote_id: str
    revision: int
    replaces: str | None
    revises: str | None
    account_id: str
    opportunity_id: str
    contact_id: str | None
    currency: str
    order_date: date
    validity_days: int
    price_lock_days: int | None = None
    cover: Cover
    seller: SellerBlock
    customer: CustomerBlock
    ship_to: AddressBlock
    delivery_terms: str
    lines: list[InternalLine]
    freight: FreightBlock
    charges: list[ChargeBlock] = Field(default_factory=list)
    taxes: list[TaxBlock]
    totals: TotalsBlock
    recurring: RecurringBlock | None = None
    presentation: PresentationBlock | None = None
    payment_terms: PaymentTermsBlock
    clauses: list[ClauseBlock]
    findings: list[Finding]
    claims: list[str]
    warnings: list[str]
    promo_codes: list[str]
    promotions: list[PromotionBlock] = Field(default_factory=list)
    discount_bp: int
    effective_discount_bp: int | None = Field(default=None, description="with what is by hand")
    risks: list[RiskRow] = Field(default_factory=list)
    approvals_needed: list[ApprovalNeed]
    auto_issue: bool
    auto_issue_reasons: list[str]
    generated_by: str
    trace: list[TraceStep]


@dataclass(frozen=True)
class Assembled:
    """A quote ready to store: the snapshot, its digest, and the margin apart from both."""

    snapshot: QuoteSnapshot
    digest: str
    total_minor: int
    margin: MarginBlock | None


def assemble(
    facts: QuoteFacts, inputs: QuoteInputs, quote_id: str, revision: int, replaces: str | None
) -> Assembled:
    """Work out a quote from its inputs.

    Raises:
        InvalidInputError: the inputs name clauses or payment terms that do not exist.
        RuleViolationError: the quote has errors that nobody can approve away.
    """
    request = inputs.request
    pricing = price(facts.pricing, request)
    total = pricing.totals.total_minor
    seller = facts.seller
    if isinstance(seller, Finding):
        raise RuleViolationError(f"{seller.code}: {seller.message}", fix=seller.fix)
    _refuse_errors(pricing.findings, total)
    assert total is not None  # noqa: S101 - refused above
    money = (total, pricing.currency)
    terms = select_for(facts, request, money, chosen=inputs.payment_terms)
    clauses = _clauses(facts, inputs)
    findings = [
        *pricing.findings,
        *_dated(facts, inputs, pricing),
        *_term_findings(facts, request, money, terms, clauses),
        *credit.check(facts.credit, total, pricing.currency, prepaid=terms.payment.prepaid),
        *screening.screen(facts.pricing.customer.legal_name, facts.screening, request.order_date),
        *claim_findings(inputs.claims),
        *warning_findings(inputs.warnings),
    ]
    _refuse_errors(findings, total)
    approvals = needed(_policy(facts), findings, total, pricing.currency)
    identity = (quote_id, revision, replaces)
    snapshot = _snapshot(
        facts, inputs, pricing, terms, clauses, findings, approvals, identity, seller
    )
    return Assembled(snapshot, canonical.digest(snapshot), total, pricing.margin)


def _dated(facts: QuoteFacts, inputs: QuoteInputs, pricing: Pricing) -> list[Finding]:
    """Ask a person when another day than today gives another price: a window was chosen.

    While the prices of an issued revision are locked, its order date is nobody's choice.
    """
    request, today = inputs.request, inputs.drafted_on
    if request.order_date == today or (inputs.locked_until and today <= inputs.locked_until):
        return []
    now = price(facts.pricing, request.model_copy(update={"order_date": today}))
    if now.totals == pricing.totals:
        return []
    return [
        finding(
            "ORDER_DATE",
            Severity.NEEDS_HUMAN,
            f"the order date {request.order_date} gives another price than {today}, "
            "the day of the draft",
            rule_id="ORDER-DATE",
            fix="use the day of the draft, or ask a sales_manager to approve",
        )
    ]


def select_for(
    facts: QuoteFacts,
    request: PriceRequest,
    total: tuple[int, str],
    *,
    asked: str | None = None,
    chosen: str | None = None,
) -> Terms:
    """Select the terms of a request.

    Raises:
        InvalidInputError: the ship-to is not on file, or there are no such payment terms.
    """
    if chosen is not None and chosen not in facts.payment_terms:
        raise InvalidInputError(
            f"there are no payment terms {chosen}",
            fix=f"use one of {', '.join(sorted(facts.payment_terms))}",
        )
    about = _terms_facts(facts, request, total)
    known = facts.payment_terms
    return select(about, facts.clauses, known, _policy(facts), asked=asked, chosen=chosen)


def _terms_facts(facts: QuoteFacts, request: PriceRequest, total: tuple[int, str]) -> TermsFacts:
    customer, items = facts.pricing.customer, facts.pricing.items
    ship_to = ship_to_of(customer, request.ship_to_address_id)
    return TermsFacts(
        customer_kind=customer.kind,
        country=customer.country,
        zone=zone_of(ship_to.country, facts.pricing.home_country, facts.pricing.zones),
        flags=flags_of([items[line.sku] for line in request.lines if line.sku in items]),
        day=request.order_date,
        on_file=customer.payment_terms_code,
        total_minor=total[0],
        currency=total[1],
        credit_hold=facts.credit.hold,
    )


def ship_to_of(customer: Customer, address_id: str) -> Address:
    """Return the ship-to address.

    Raises:
        InvalidInputError: it is not on file for this customer.
    """
    found = customer.address(address_id)
    if found is None:
        raise InvalidInputError(
            "the ship-to address is not on file for this account",
            fix="use an address_id from list_addresses",
        )
    return found


def _policy(facts: QuoteFacts) -> Policy:
    assert facts.pricing.policy is not None  # noqa: S101 - the repository always loads it
    return facts.pricing.policy


def _refuse_errors(findings: Sequence[Finding], total: int | None) -> None:
    stops = [f for f in findings if f.severity in UNAPPROVABLE]
    if total is None and not stops:
        stops = [f for f in findings if f.severity == "needs_human"]
    if stops or total is None:
        said = "; ".join(f"{f.code} {f.subject}".strip() for f in stops[:5])
        raise RuleViolationError(
            f"this cannot be quoted: {said}", fix="price_quote explains each finding"
        )


def _clauses(facts: QuoteFacts, inputs: QuoteInputs) -> list[Clause]:
    day = inputs.request.order_date
    known: dict[str, Clause] = {}
    for clause in sorted(facts.clauses, key=lambda c: c.version):
        if clause.window.covers(day):
            known[clause.clause_id] = clause
    unknown = [clause_id for clause_id in inputs.clause_ids if clause_id not in known]
    if unknown or len(set(inputs.clause_ids)) != len(inputs.clause_ids):
        raise InvalidInputError(
            f"no approved clause {unknown[0]}" if unknown else "a clause is named twice",
            fix="take the clause_ids of select_terms",
        )
    return [known[clause_id] for clause_id in inputs.clause_ids]


def _term_findings(
    facts: QuoteFacts,
    request: PriceRequest,
    total: tuple[int, str],
    terms: Terms,
    clauses: list[Clause],
) -> list[Finding]:
    found = deviation(terms.clause_ids, [clause.clause_id for clause in clauses])
    if found is None:
        return list(terms.findings)
    about = _terms_facts(facts, request, total)
    return [found, *check_set(clauses, about, _policy(facts)), *terms.findings]


def _snapshot(
    facts: QuoteFacts,
    inputs: QuoteInputs,
    pricing: Pricing,
    terms: Terms,
    clauses: list[Clause],
    findings: list[Finding],
    approvals: list[ApprovalNeed],
    identity: tuple[str, int, str | None],
    seller: Entity,
) -> QuoteSnapshot:
    request, customer = inputs.request, facts.pricing.customer
    ship_to = ship_to_of(customer, request.ship_to_address_id)
    policy = _policy(facts)
    template = policy.incoterms.get(request.ship_method, "")
    quote_id, revision, replaces = identity
    return QuoteSnapshot(
        quote_id=quote_id,
        revision=revision,
        replaces=replaces,
        revises=inputs.revises,
        account_id=customer.account_id,
        opportunity_id=inputs.opportunity_id,
        contact_id=inputs.contact_id,
        currency=pricing.currency,
        order_date=request.order_date,
        validity_days=policy.validity_days,
        price_lock_days=policy.price_lock_days,
        cover=inputs.cover,
        seller=seller.block,
        customer=_customer_block(customer),
        ship_to=address_block(ship_to),
        delivery_terms=template.format(city=ship_to.city, country=ship_to.country),
        lines=pricing.lines,
        freight=pricing.freight,
        charges=pricing.charges,
        taxes=pricing.taxes,
        totals=pricing.totals,
        recurring=pricing.recurring,
        presentation=pricing.presentation,
        payment_terms=PaymentTermsBlock(
            code=terms.payment.code,
            description=terms.payment.description,
            days=terms.payment.days,
        ),
        clauses=[clause_block(clause) for clause in clauses],
        findings=findings,
        claims=sorted(set(inputs.claims)),
        warnings=sorted(set(inputs.warnings)),
        promo_codes=list(request.promo_codes),
        promotions=pricing.promotions,
        discount_bp=request.discount_bp,
        effective_discount_bp=pricing.discount_bp,
        approvals_needed=approvals,
        auto_issue=not approvals,
        auto_issue_reasons=[f"{need.role}: {need.reason}" for need in approvals],
        generated_by=inputs.generated_by,
        trace=pricing.trace,
    )


def _customer_block(customer: Customer) -> CustomerBlock:
    registered = next((a for a in customer.addresses if a.kind == "registered"), None)
    return CustomerBlock(
        account_id=customer.account_id,
        legal_name=customer.legal_name,
        country=customer.country,
        address=None if registered is None else address_block(registered),
        tax_ids=[
            TaxIdBlock(scheme=t.scheme, country=t.country, value=t.value) for t in customer.tax_ids
        ],
    )


def address_block(address: Address) -> AddressBlock:
    """Return an address as the document states it."""
    return AddressBlock(
        address_id=address.address_id,
        lines=list(address.lines),
        city=address.city,
        region=address.region,
        postal_code=address.postal_code,
        country=address.country,
    )


def clause_block(clause: Clause) -> ClauseBlock:
    """Return a clause as the document states it."""
    return ClauseBlock(
        clause_id=clause.clause_id,
        version=clause.version,
        topic=clause.topic,
        title=clause.title,
        text=clause.text,
        sha256=clause.sha256,
    )
