"""The tax of one pricing on its way: decisions, tax-inclusive prices, freight, the breakdown."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from servers.finance.facts.customers import Address
from servers.finance.facts.prices import Item
from servers.finance.facts.pricing import PricingFacts
from servers.finance.facts.taxes import Rounding, Tax
from servers.finance.findings import finding, percent, step
from servers.finance.line_in_work import Work
from servers.finance.tax.decisions import (
    TaxDecision,
    conflict,
    decide,
    doubtful,
    provider_of,
    rate_changes,
    undetermined,
)
from servers.finance.tax.places import effective
from servers.finance.tax.stack import (
    Breakdown,
    TaxedAmount,
    breakdown,
    included,
    price_elsewhere,
    step_of,
    weighted_rate,
)
from servers.toolkit.findings import Finding, Severity
from servers.toolkit.money import six_decimals

ZERO = Decimal(0)
TAXED = ("S", "Z", "E")


class Taxing:
    """Decides, takes out and adds up the tax of one pricing; collects what there is to say."""

    def __init__(self, facts: PricingFacts, ship_to: Address, day: date, currency: str) -> None:
        self.facts, self.day, self.currency = facts, day, currency
        self.country = ship_to.country
        self.region = ship_to.state
        self.findings: list[Finding] = []
        self._known: dict[tuple[str, str], TaxDecision | None] = {}
        self._used: set[tuple[str, str]] = set()

    def begin(self, work: Work) -> None:
        if work.item is None:
            return
        work.tax = self.of(work.item)
        if work.price.tax_inclusive and work.tax is not None:
            self._reprice(work, work.item, work.tax)

    def of(self, item: Item) -> TaxDecision | None:
        key = ("goods" if item.kind == "goods" else "service", item.tax_class)
        if key not in self._known:
            found = decide(self.facts, item, self.country, self.day, self.region)
            self._known[key] = found[0]
            self._say(found[1])
        decision = self._known[key]
        if decision is not None and decision.category in TAXED:
            self._used.add((decision.jurisdiction, item.tax_class))
        return decision

    def _say(self, findings: Iterable[Finding]) -> None:
        self.findings += [one for one in findings if one not in self.findings]

    def _reprice(self, work: Work, item: Item, there: TaxDecision) -> None:
        price = work.price
        country = price.book_country or self.facts.home_country
        here = provider_of(self.facts).find(country, "", item.tax_class, self.day)
        if price.amount is None or not here.rates:
            what = f"the tax inside the prices of {price.book} is not known"
            evidence = [f"{country}, class {item.tax_class}"]
            fix = f"supply {here.missing or 'one rate of each rank'}"
            if here.conflict:
                self._say([conflict("tax rates", here.conflict, what)])
            elif price.amount is not None:
                self._say([undetermined(what, evidence, fix)])
            price.amount = None
            return
        before, inside, mine = price.amount, included(here.taxes), included(there.stack)
        if effective(inside) == effective(mine):
            return

        def moved(amount: Decimal | None) -> Decimal | None:
            if amount is None:
                return None
            return six_decimals(price_elsewhere(amount, inside, mine))

        price.amount, price.rest = moved(price.amount), moved(price.rest)
        price.list_amount = moved(price.list_amount)
        note = (
            f"the book's price includes {percent(effective(inside))}%, "
            f"here {percent(there.rate)}% holds: the net price stays"
        )
        price.note("tax_price", "TAX-INCLUSIVE", before, note, source=there.source)

    def take_out(self, works: Sequence[Work]) -> None:
        for work in works:
            if work.tax is None and work.item is not None:  # a promotion's free item
                work.tax = self.of(work.item)
        mine = [w for w in works if w.price.tax_inclusive and w.running is not None]
        self._split([work for work in mine if work.in_total])
        for work in mine:
            if not work.in_total:
                self._split([work])
        for work in works:
            self._trace(work)
        self._display(works)

    def _split(self, works: Sequence[Work]) -> None:
        parts = [part for work in works if (part := self._part(work)) is not None]
        if len(parts) < len(works):
            return
        done = breakdown(parts, step_of(self.currency), self.rounding()[0])
        for work, net, inside in zip(works, done.nets, done.inside, strict=True):
            work.running, work.included_tax = net, inside

    def _part(self, work: Work) -> TaxedAmount | None:
        if work.tax is None or work.running is None:
            return None
        tax = work.tax
        return TaxedAmount(
            tax.category,
            tax.rate,
            work.running + work.included_tax,
            stack=included(tax.stack) if work.price.tax_inclusive else tax.stack,
            quantity=work.line.quantity,
            jurisdiction=tax.jurisdiction,
            key=work.line.line_id,
        )

    def _trace(self, work: Work) -> None:
        tax = work.tax
        if tax is None:
            return
        before, after = None, None
        note = f"{tax.category} {percent(tax.rate)}%, {tax.confidence}"
        if work.price.tax_inclusive and work.running is not None:
            before, after = work.running + work.included_tax, work.running
            note += ", included in the price"
        about = (work.line.line_id, "tax", tax.rule_id)
        work.trace.append(step(*about, source=tax.source, before=before, after=after, note=note))

    def _display(self, works: Iterable[Work]) -> None:
        row = self.facts.jurisdictions.get(self._taxed_in() or "")
        if self.facts.customer.kind != "consumer" or row is None or row.consumer_prices != "gross":
            return
        bare = [w.line.line_id for w in works if w.item and not w.price.tax_inclusive]
        if bare:
            said = (
                f"consumers in {row.name} are shown prices with tax, but "
                f"{', '.join(bare[:5])} come from a price book without"
            )
            code, rule, source = "TAX_PRICE_DISPLAY", row.jurisdiction, [row.source]
            fix = "quote from a tax-inclusive price book"
            self._say(
                [finding(code, Severity.WARNING, said, rule_id=rule, evidence=source, fix=fix)]
            )

    def _taxed_in(self) -> str | None:
        places = {d.jurisdiction for d in self._known.values() if d and d.category in TAXED}
        return places.pop() if len(places) == 1 else None

    def rounding(self) -> tuple[Rounding, str]:
        """Return how tax is rounded and the row that says so; EN 16931 where no row does."""
        place = self._taxed_in() or self.facts.home_country
        row = self.facts.jurisdictions.get(place) or self.facts.jurisdictions.get(place[:2])
        if row is None:
            return "document", "EN 16931"
        return row.rounding, f"tax_jurisdiction {row.jurisdiction}"

    def freight_tax(self, works: Sequence[Work]) -> TaxDecision | None:
        """Return the tax of freight and fees, by the policy of the place that taxes the goods.

        It follows most of the goods' net, else most of the net; where those are taxed, a policy
        may give it a class of its own, or the lines' average rate weighted by net.
        """
        most = follow_most(works)
        if most is None or most.category != "S":
            return most
        row = self.facts.jurisdictions.get(most.jurisdiction)
        if row is not None and row.shipping == "class":
            return self._class_rate(most, row.shipping_class)
        if row is not None and row.shipping == "weighted":
            return self._weighted(most, works)
        return most

    def _class_rate(self, most: TaxDecision, tax_class: str) -> TaxDecision | None:
        country, _, region = most.jurisdiction.partition("-")
        answer = provider_of(self.facts).find(country, region, tax_class, self.day)
        if not answer.rates:
            what = f"there is no rate for freight in {most.jurisdiction}"
            self._say([undetermined(what, [answer.coverage], f"supply {answer.missing}")])
            return None
        self._used.add((most.jurisdiction, tax_class))
        return replace(
            most,
            category=answer.rates[0].category,
            rate=effective(answer.taxes),
            taxes=answer.taxes,
            rule_id="TAX-SHIPPING-CLASS",
            source="; ".join(r.source for r in answer.rates),
        )

    def _weighted(self, most: TaxDecision, works: Sequence[Work]) -> TaxDecision:
        firm = [work for work in works if work.in_total]
        rate = weighted_rate([(w.running, w.tax.rate) for w in firm if w.tax and w.running])
        if rate is None or rate == most.rate:
            return most
        taxes = (Tax(rate, name=most.stack[0].name),)
        return replace(most, rate=rate, taxes=taxes, rule_id="TAX-SHIPPING-WEIGHTED")

    def document(
        self, works: Sequence[Work], extras: Sequence[tuple[TaxDecision, Decimal]]
    ) -> Breakdown | None:
        """Return the taxes of counted lines and of freight and fees; None when one is unknown."""
        parts = [part for work in works if (part := self._part(work)) is not None]
        if len(parts) < len(works):
            return None
        parts += [
            TaxedAmount(tax.category, tax.rate, net, stack=tax.stack, jurisdiction=tax.jurisdiction)
            for tax, net in extras
        ]
        taxing = {p.jurisdiction for p in parts if p.category in TAXED and p.amount}
        if len(taxing) > 1:
            both = f"{' and '.join(sorted(taxing))} both tax parts of this quote"
            said = f"{both}: one document cannot state both"
            fix = "make a quote for each, or ask tax to confirm"
            self._say([doubtful("TAX_TWO_PLACES", said, fix)])
        return breakdown(parts, step_of(self.currency), self.rounding()[0])

    def coming(self, days: int) -> list[Finding]:
        return rate_changes(self.facts.tax_rates, self._used, self.day, days)


def follow_most(works: Sequence[Work]) -> TaxDecision | None:
    """Return the tax of most of the goods' net, else of most of the net."""
    for wanted in ("goods", ""):
        sums: dict[tuple[str, Decimal, str], tuple[Decimal, TaxDecision]] = {}
        for work in works:
            if work.tax is None or work.item is None or not work.in_total:
                continue
            if wanted and work.item.kind != wanted:
                continue
            key = (work.tax.category, work.tax.rate, work.tax.jurisdiction)
            net = (work.running or ZERO) + sums.get(key, (ZERO, work.tax))[0]
            sums[key] = (net, work.tax)
        if sums:
            return sums[max(sums, key=lambda k: (sums[k][0], k))][1]
    return None
