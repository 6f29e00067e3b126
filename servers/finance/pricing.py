"""The price of a quote: a pure function of facts and a request (the waterfall, in one order).

    book price -> contract -> options -> term -> volume tier -> promotions -> requested discount
        -> round -> freight -> tax -> totals -> limits

Optional and alternative lines are priced and taxed, but count in no total, weight or threshold.
A line that has no price leaves the totals empty; it never counts as nothing.
"""

from dataclasses import replace
from decimal import Decimal

from servers.finance import adjustments, digests
from servers.finance.approvals import broken, needed
from servers.finance.charges import (
    Charges,
    Freight,
    charges_of,
    free_above,
    no_postal_code,
    price_freight,
)
from servers.finance.documents import Pricing
from servers.finance.explain import complete
from servers.finance.facts.blocks import MarginBlock, TaxBlock, TotalsBlock, TraceStep
from servers.finance.facts.customers import Address
from servers.finance.facts.policy import Policy
from servers.finance.facts.pricing import PricingFacts
from servers.finance.findings import finding, step
from servers.finance.law.select import ship_to_of
from servers.finance.line_in_work import Work
from servers.finance.margin import cost_of, margin_of
from servers.finance.prices.lines import priced_lines, unknown_currency
from servers.finance.promotions.promote import Promoted, carry, promote
from servers.finance.schemas import PriceRequest
from servers.finance.subscriptions.recurring import recurring
from servers.finance.tax.decisions import TaxDecision, place_doubts
from servers.finance.tax.lines import Taxing
from servers.finance.totals import (
    cash_rounded,
    document_totals,
    freight_block,
    line_block,
    no_totals,
    present,
)
from servers.toolkit.findings import Finding, Severity

DIGESTED = (
    *("currency", "lines", "freight", "charges", "taxes", "totals", "recurring", "presentation"),
    *("findings", "approvals"),
)
"""What a price's digest covers, beside the request."""


def price(facts: PricingFacts, request: PriceRequest) -> Pricing:
    """Price a request from facts: no I/O, no clock, same inputs, same bytes."""
    request.checked()
    adjustments.check(request)
    ship_to = ship_to_of(facts.customer, request.ship_to_address_id)
    currency = request.currency or facts.customer.currency
    if unknown := unknown_currency(currency, facts.currencies):
        return _empty(request, currency, [unknown])
    return _Waterfall(facts, request, ship_to, currency).run()


def earned(facts: PricingFacts, request: PriceRequest) -> MarginBlock | None:
    """Return only the margin of what `price` returns, in half the time, for a request it takes."""
    ship_to = ship_to_of(facts.customer, request.ship_to_address_id)
    currency = request.currency or facts.customer.currency
    return _Waterfall(facts, request, ship_to, currency).earned()


class _Waterfall:
    """One pricing on its way; every step adds its findings and trace."""

    def __init__(
        self, facts: PricingFacts, request: PriceRequest, ship_to: Address, currency: str
    ) -> None:
        self.facts, self.request, self.currency = facts, request, currency
        self.country, self.day = ship_to.country, request.order_date
        here = (ship_to.country, ship_to.postal_code)
        self.parts = [(one.zone, one.holds(*here)) for one in facts.postal_zones]
        self.taxing = Taxing(facts, ship_to, request.order_date, currency)
        self.findings: list[Finding] = []
        self.trace: list[TraceStep] = []
        assert facts.policy is not None  # noqa: S101 - the repository always loads it
        self.policy: Policy = facts.policy

    def earned(self) -> MarginBlock | None:
        works = self._works()[0].works
        return margin_of(works, self._costs(works), self.currency, self.policy)

    def run(self) -> Pricing:
        facts, request, currency = self.facts, self.request, self.currency
        promoted, freight, hand = self._works()
        works = promoted.works
        goods = sum((w.running for w in works if w.in_total and w.running is not None), Decimal(0))
        free_above(freight, goods, currency)
        services = any(w.item is not None and w.item.kind != "goods" for w in works)
        method = request.ship_method
        self.findings += place_doubts(facts, self.country, method, services=services)
        freight_tax = self.taxing.freight_tax(works)
        lines = [line_block(place, w, currency) for place, w in enumerate(works, start=1)]
        for work in works:
            self.findings += work.term.findings + work.price.findings
            self.trace += work.price.trace + work.trace
        self.findings += freight.findings
        self.trace += freight.trace
        charges = self._charges(works, freight_tax)
        taxes, totals = self._totals(works, freight, freight_tax, charges)
        costs = self._costs(works)
        margin = margin_of(works, costs, currency, self.policy)
        self._limits(hand)
        shown, unseen = present(facts, totals, currency, request.display_currency, self.day)
        self.findings += [] if unseen is None else [unseen]
        total, who = totals.total_minor, facts.requester
        made = Pricing(
            currency=currency,
            lines=lines,
            freight=freight_block(freight, freight_tax, currency),
            charges=charges.blocks(currency),
            taxes=taxes,
            totals=totals,
            recurring=recurring(works, totals, currency),
            presentation=shown,
            findings=self.findings,
            approvals=needed(self.policy, self.findings, total, currency, who),
            trace=self.trace,
            margin=margin,
            promotions=promoted.blocks,
            discount_bp=hand.highest_bp(),
            costs=costs,
        )
        decided = {name: getattr(made, name) for name in DIGESTED}
        digest = digests.digest({"request": request, **decided})
        return replace(made, digest=digest, trace=complete(facts, made))

    def _works(self) -> tuple[Promoted, Freight, adjustments.ByHand]:
        """Work every line out to its last reduction, before tax."""
        facts, request, currency = self.facts, self.request, self.currency
        works, said = priced_lines(facts, request, self.country, currency, self.taxing.begin)
        self.findings += said
        replaced = self._overrides(works)
        promoted, freight = self._promotions(works)
        hand = adjustments.take(promoted.works, freight, request, replaced, currency)
        for work in promoted.works:
            self._round(work)
        self.taxing.take_out(promoted.works)
        return promoted, freight, hand

    def _costs(self, works: list[Work]) -> dict[str, Decimal | None]:
        return {w.line.line_id: cost_of(w, self.facts.exchange, self.currency) for w in works}

    def _overrides(self, works: list[Work]) -> dict[str, Decimal]:
        asked, currency = self.request.adjustments, self.currency
        before = {w.line.line_id: adjustments.override(w, asked, currency) for w in works}
        return {name: amount for name, amount in before.items() if amount is not None}

    def _promotions(self, works: list[Work]) -> tuple[Promoted, Freight]:
        freight = self._freight(works)
        promoted = promote(works, freight, self.facts, self.request, self.currency)
        self.findings += promoted.findings
        self.trace += promoted.trace
        loaded = self._freight(promoted.works) if promoted.gifts else freight
        return promoted, carry(promoted, freight, loaded, self.currency)

    def _round(self, work: Work) -> None:
        if work.running is not None:
            note = "gross and every reduction were rounded half up by themselves"
            work.say("round", "ROUND-LINE", before=work.running, after=work.running, note=note)

    def _freight(self, works: list[Work]) -> Freight:
        weights = [
            (w.line.line_id, w.weight_g, w.line.quantity)
            for w in works
            if w.in_total and w.item is not None and w.item.kind == "goods"
        ]
        facts, method = self.facts, self.request.ship_method
        mine = [name for name, holds in self.parts if holds]
        unsure = {name for name, holds in self.parts if holds is None}
        freight = price_freight(
            method, self.country, weights, facts.freight, facts.zones, self.currency, mine
        )
        if unsure & {rate.zone for rate in facts.freight}:
            freight.findings.append(no_postal_code(self.country))
        return freight

    def _charges(self, works: list[Work], freight_tax: TaxDecision | None) -> Charges:
        place = (self.country, self.request.ship_method)
        charges = charges_of(
            self.facts, works, place, self.day, self.currency, freight_tax, self.taxing.of
        )
        self.findings += [found for found in charges.findings if found not in self.findings]
        self.trace += charges.trace
        return charges

    def _totals(
        self, works: list[Work], freight: Freight, freight_tax: TaxDecision | None, charges: Charges
    ) -> tuple[list[TaxBlock], TotalsBlock]:
        counted = [w for w in works if w.in_total]
        if not counted:
            self.findings.append(
                finding(
                    "NOTHING_IN_TOTAL",
                    Severity.ERROR,
                    "every line is optional or an alternative",
                    rule_id="TOTALS",
                    fix="make one line firm",
                )
            )
        taxes, totals = document_totals(counted, freight, freight_tax, charges, self.taxing)
        totals = cash_rounded(totals, self.policy.cash_rounding, self.currency)
        self.findings += self.taxing.findings
        return taxes, totals

    def _limits(self, hand: adjustments.ByHand) -> None:
        on_file, who = self.facts.customer.currency, self.facts.requester
        found = [
            *broken(self.policy, self.request, hand, self.trace, on_file, who),
            *self.taxing.coming(self.policy.validity_days),
        ]
        for one in found:
            self.findings.append(one)
            self.trace.append(step("", "limits", one.rule_id, note=one.message))


def _empty(request: PriceRequest, currency: str, findings: list[Finding]) -> Pricing:
    method = request.ship_method
    freight = freight_block(Freight(method, method, 0), None, currency)
    digest = digests.digest({"request": request, "currency": currency, "findings": findings})
    return Pricing(currency, [], freight, no_totals(), findings, digest)
