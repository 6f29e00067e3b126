"""From inputs to the exact quote: recomputes everything, and says what a person must decide.

A pure function of facts and inputs: the same call makes the draft and, at issue, checks that the
draft still holds. Its digest is what approvals are bound to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict

from servers.finance import digests
from servers.finance.approvals import (
    UNAPPROVABLE,
    band_end,
    claim_findings,
    needed,
    price_finding,
    validity,
    warning_findings,
)
from servers.finance.checks import Checked, check_findings, embargo_findings
from servers.finance.documents import Pricing, QuoteSnapshot
from servers.finance.facts.blocks import (
    AddressBlock,
    ApprovalNeed,
    ClauseBlock,
    Cover,
    CustomerBlock,
    MarginBlock,
    PaymentTermsBlock,
    TaxIdBlock,
)
from servers.finance.facts.copies import block
from servers.finance.facts.customers import Address, Customer
from servers.finance.facts.pricing import QuoteFacts
from servers.finance.findings import finding
from servers.finance.law import ageing, credit, screening
from servers.finance.law.payment import schedule
from servers.finance.law.risk import RiskFacts, summary
from servers.finance.law.select import (
    Terms,
    given_clauses,
    parties_of,
    policy_of,
    select_for,
    ship_to_of,
    term_findings,
)
from servers.finance.pricing import earned, price
from servers.finance.schemas import Claim, DeviationIn, PriceRequest
from servers.finance.tax.places import zone_of
from servers.toolkit.errors import RuleViolationError
from servers.toolkit.findings import Finding, Severity

UNCHECKED = "no run of the desk made this draft, so nobody checked the deal and its lines"


class Dropped(BaseModel):
    """A claim or a warning of the revision before that a person took away, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str
    reason: str
    person: str


class QuoteInputs(BaseModel):
    """What a quote is made from; stored with it, and the only thing that is not recomputed.

    `run` is the desk's run whose grant made the draft; empty for a profile, a grant minted by hand
    and a person. Without one, only a person who may decide issues it. `price_told`: the drafter may
    know that what the quote earns needs a decision; a profile, which chooses every input, may not.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    request: PriceRequest
    opportunity_id: str
    contact_id: str | None = None
    payment_terms: str
    clause_ids: tuple[str, ...]
    deviations: tuple[DeviationIn, ...] = ()
    claims: tuple[Claim, ...] = ()
    warnings: tuple[str, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    cover: Cover = "standard"
    revises: str | None = None
    generated_by: str = ""
    run: str = ""
    drafted_on: date
    lines_checked: Checked | None = None
    deal_checked: Checked | None = None
    price_told: bool = False
    locked_until: date | None = None
    validity_days: int | None = None


@dataclass(frozen=True)
class Assembled:
    """A quote ready to store: the snapshot, its digest, and apart from both what depends on cost.

    `price_approval` is the decision that the snapshot does not tell of.
    """

    snapshot: QuoteSnapshot
    digest: str
    total_minor: int
    margin: MarginBlock | None
    price_approval: ApprovalNeed | None
    controlled: tuple[str, ...]


def assemble(
    facts: QuoteFacts, inputs: QuoteInputs, quote_id: str, revision: int, replaces: str | None
) -> Assembled:
    """Work out a quote, or raise RuleViolationError for errors that nobody can approve away."""
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
    clauses = given_clauses(facts, inputs.clause_ids, request)
    parties = parties_of(facts.pricing.customer, facts.parties)
    ship_to = ship_to_of(facts.pricing.customer, request.ship_to_address_id)
    controlled = controlled_lines(facts, pricing)
    latest = max(request.order_date, inputs.drafted_on)  # no chosen day makes a table younger
    findings = [
        *pricing.findings,
        *_dated(facts, inputs, pricing),
        *validity(policy_of(facts), inputs.validity_days, facts.pricing.requester),
        *term_findings(facts, request, money, terms, clauses, inputs.deviations),
        *credit.judge(facts.credit, *money, terms.payment, request.order_date).findings,
        *screening.screen(parties, facts.screening, latest, facts.reviews),
        *ageing.late_tables(facts.checked, latest),
        *claim_findings(inputs.claims),
        *warning_findings(inputs.warnings),
        *(_dropped(one) for one in inputs.dropped),
        *check_findings(inputs.lines_checked, inputs.deal_checked, controlled),
        *embargo_findings(ship_to.country, facts.embargoed, controlled),
    ]
    _refuse_errors(findings, total)
    who, policy = facts.pricing.requester, policy_of(facts)
    asked = [one] if (one := _earning(facts, request, pricing)) else []
    findings += asked if inputs.price_told else []
    untold = [] if inputs.price_told else needed(policy, asked, None, pricing.currency)
    approvals = needed(policy, findings, total, pricing.currency, who)
    snapshot = block(
        QuoteSnapshot,
        pricing,
        quote_id=quote_id,
        revision=revision,
        replaces=replaces,
        seller=seller.block,
        clauses=[block(ClauseBlock, clause) for clause in clauses],
        findings=findings,
        approvals_needed=approvals,
        **_said(facts, inputs, pricing, terms, findings, approvals),
    )
    apart = (pricing.margin, untold[0] if untold else None)
    return Assembled(snapshot, digests.digest(snapshot), total, *apart, controlled)


def _dropped(one: Dropped) -> Finding:
    said = f"{one.person} dropped {one.code}: {one.reason}"
    return finding("DROPPED", Severity.INFO, said, rule_id=f"dropped:{one.code}")


def _earning(facts: QuoteFacts, request: PriceRequest, pricing: Pricing) -> Finding | None:
    """Judge what a quote earns, at the end of its band of discounts; a person's own price as is."""
    policy = policy_of(facts)
    margin = pricing.margin
    most = band_end(policy, request.discount_bp, facts.pricing.requester)
    if most != request.discount_bp and not request.adjustments:
        margin = earned(facts.pricing, request.model_copy(update={"discount_bp": most}))
    return price_finding(policy, margin)


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


def _refuse_errors(findings: Sequence[Finding], total: int | None) -> None:
    stops = [f for f in findings if f.severity in UNAPPROVABLE]
    if total is None and not stops:
        stops = [f for f in findings if f.severity == "needs_human"]
    if stops or total is None:
        said = "; ".join(f"{f.code} {f.subject}".strip() for f in stops[:5])
        raise RuleViolationError(
            f"this cannot be quoted: {said}", fix="price_quote explains each finding"
        )


def _said(
    facts: QuoteFacts,
    inputs: QuoteInputs,
    pricing: Pricing,
    terms: Terms,
    findings: list[Finding],
    approvals: list[ApprovalNeed],
) -> dict[str, Any]:
    """Return what a quote says beside its prices: parties, terms, risks, what was asked for."""
    request, customer = inputs.request, facts.pricing.customer
    ship_to = ship_to_of(customer, request.ship_to_address_id)
    policy, totals = policy_of(facts), pricing.totals
    template = policy.incoterms.get(request.ship_method, "")
    due = totals.total_minor if totals.payable_minor is None else totals.payable_minor
    instalments = schedule(terms.payment, due or 0, pricing.currency, request.order_date)
    as_given = ("revises", "opportunity_id", "contact_id", "cover", "generated_by")
    return {
        **{name: getattr(inputs, name) for name in as_given},
        "account_id": customer.account_id,
        "order_date": request.order_date,
        "validity_days": inputs.validity_days or policy.validity_days,
        "price_lock_days": policy.price_lock_days,
        "customer": _customer_block(customer),
        "ship_to": block(AddressBlock, ship_to),
        "delivery_terms": template.format(city=ship_to.city, country=ship_to.country),
        "payment_terms": block(PaymentTermsBlock, terms.payment, instalments=instalments),
        "claims": sorted(set(inputs.claims)),
        "warnings": sorted(set(inputs.warnings)),
        "promo_codes": list(request.promo_codes),
        "discount_bp": request.discount_bp,
        "effective_discount_bp": pricing.discount_bp,
        "risks": summary(findings, _risk_facts(facts, pricing, ship_to, terms, approvals)),
        "auto_issue": not approvals and bool(inputs.run),
        "auto_issue_reasons": [f"{need.role}: {need.reason}" for need in approvals]
        + ([] if inputs.run else [f"{policy.default_role}: {UNCHECKED}"]),
    }


def controlled_lines(facts: QuoteFacts, pricing: Pricing) -> tuple[str, ...]:
    """Return the lines of items that are under export control, as `l1 SKU`."""
    items = facts.pricing.items
    return tuple(
        f"{line.line_id} {line.sku}"
        for line in pricing.lines
        if line.sku in items and "export_control" in items[line.sku].flags
    )


def _risk_facts(
    facts: QuoteFacts,
    pricing: Pricing,
    ship_to: Address,
    terms: Terms,
    approvals: list[ApprovalNeed],
) -> RiskFacts:
    return RiskFacts(
        export_lines=controlled_lines(facts, pricing),
        destination=ship_to.country,
        destination_zone=zone_of(ship_to.country, facts.pricing.home_country, facts.pricing.zones),
        payment=terms.payment,
        standard=facts.payment_terms.get(policy_of(facts).standard_terms),
        approvals=tuple(approvals),
    )


def _customer_block(customer: Customer) -> CustomerBlock:
    registered = next((a for a in customer.addresses if a.kind == "registered"), None)
    return block(
        CustomerBlock,
        customer,
        address=None if registered is None else block(AddressBlock, registered),
        tax_ids=[block(TaxIdBlock, one) for one in customer.tax_ids],
    )
