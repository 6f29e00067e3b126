"""Freight, and fees on the whole quote: small orders, dangerous goods, fixed charges (step 10).

Freight goes by method, zone and weight. What a fee asks for is measured on quantity times unit
price, before any reduction, so that a discount never brings a fee with it. A fee is taxed in its
own class; the class `carriage` follows the goods, as the freight does.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from servers.finance.facts.blocks import Allowance, ChargeBlock, TraceStep
from servers.finance.facts.charges import Fee, FreightRate
from servers.finance.facts.prices import Item
from servers.finance.facts.pricing import PricingFacts
from servers.finance.findings import finding, percent, plain, step
from servers.finance.line_in_work import Work
from servers.finance.tax.decisions import TaxDecision
from servers.toolkit.findings import Finding, Severity
from servers.toolkit.money import round_money, to_minor

FREIGHT = "carriage"
SERVICES = frozenset({"service", "digital"})
ZERO = Decimal(0)


@dataclass
class Charges:
    """The fees of a quote with their taxes; `whole` is false when one of them is not known."""

    rows: list[tuple[Fee, Decimal, TaxDecision]] = field(default_factory=list)
    whole: bool = True
    findings: list[Finding] = field(default_factory=list)
    trace: list[TraceStep] = field(default_factory=list)

    @property
    def net(self) -> Decimal:
        return sum((amount for _, amount, _ in self.rows), ZERO)

    def blocks(self, currency: str) -> list[ChargeBlock]:
        return [
            ChargeBlock(
                charge_id=fee.fee_id,
                label=fee.label,
                net_minor=to_minor(amount, currency),
                tax_category=tax.category,
                tax_rate=percent(tax.rate),
            )
            for fee, amount, tax in self.rows
        ]


def charges_of(
    facts: PricingFacts,
    works: Sequence[Work],
    place: tuple[str, str],
    day: date,
    currency: str,
    freight_tax: TaxDecision | None,
    tax_of: Callable[[Item], TaxDecision | None],
) -> Charges:
    """Return the fees that are due; `place` is the ship-to country and the ship method."""
    charges = Charges()
    counted = [work for work in works if work.in_total]
    gross = (work.before_tax(work.gross) for work in counted if work.gross is not None)
    merchandise = sum(gross, ZERO)
    for fee in sorted(facts.fees, key=lambda one: one.fee_id):
        why = _due(fee, counted, place, day, currency, merchandise)
        if not why:
            continue
        amount = fee.amount.get(currency)
        tax = freight_tax if fee.tax_class == FREIGHT else tax_of(_supply(fee))
        if amount is None:
            said = f"{fee.label} is due, but has no amount in {currency}"
            fix = f"give the fee an amount in {currency}, 0 for none"
            named = {"subject": fee.fee_id, "rule_id": fee.fee_id, "fix": fix}
            charges.findings.append(finding("FEE_CURRENCY", Severity.ERROR, said, **named))
        if amount is None or tax is None:
            charges.whole = False
            continue
        net = round_money(amount, currency)
        charges.rows.append((fee, net, tax))
        charges.trace.append(
            step("", "fee", fee.fee_id, source=fee.fee_id, before=ZERO, after=net, note=why)
        )
    return charges


def _due(
    fee: Fee,
    counted: Iterable[Work],
    place: tuple[str, str],
    day: date,
    currency: str,
    merchandise: Decimal,
) -> str:
    country, method = place
    items = [work.item for work in counted if work.item is not None and work.gross is not None]
    if not items or not fee.window.covers(day):
        return ""
    if fee.countries and country not in fee.countries:
        return ""
    if fee.ship_methods and method not in fee.ship_methods:
        return ""
    if fee.item_kinds and not any(item.kind in fee.item_kinds for item in items):
        return ""
    carrying = sorted(item.sku for item in items if item.flags & fee.flags)
    if fee.flags and not carrying:
        return ""
    if not fee.below:
        return f"for {', '.join(carrying)}" if carrying else "on every such quote"
    limit = fee.below.get(currency)
    if limit is None:
        return f"no limit is set in {currency}"
    if merchandise >= limit:
        return ""
    return f"merchandise {plain(merchandise)} is below {plain(limit)} {currency}"


def _supply(fee: Fee) -> Item:
    return Item(
        sku=fee.fee_id,
        name=fee.label,
        description="",
        family="fees",
        kind="service" if fee.tax_class in SERVICES else "goods",
        weight_g=None,
        cost=None,
        cost_currency="",
        tax_class=fee.tax_class,
    )


NEAREST = ("HOME", "UKCH", "EU", "WORLD")
"""Freight zones, the most specific first; WORLD is anywhere."""


@dataclass
class Freight:
    """The freight of a quote; `gross` None means that no rate covers it."""

    method: str
    label: str
    weight_g: int
    gross: Decimal | None = None
    net: Decimal | None = None
    allowances: list[Allowance] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    trace: list[TraceStep] = field(default_factory=list)


def price_freight(
    method: str,
    country: str,
    weights: Iterable[tuple[str, int | None, int]],
    rates: Iterable[FreightRate],
    zones: Mapping[str, frozenset[str]],
    currency: str,
) -> Freight:
    """Return the freight of physical lines (line id, grams per piece, pieces)."""
    rows = list(weights)
    total = sum((grams or 0) * pieces for _, grams, pieces in rows)
    mine = [r for r in rates if r.method == method and r.currency == currency]
    freight = Freight(method, mine[0].label if mine else method, total)
    for line_id, grams, _ in rows:
        if grams is None:
            freight.findings.append(_error("WEIGHT_UNKNOWN", "a weight is missing", line_id))
    if freight.findings:
        return freight
    places = [z for z in NEAREST if z == "WORLD" or country in zones.get(f"FREIGHT-{z}", ())]
    found = next((r for zone in places for r in mine if r.zone == zone), None)
    if found is None:
        said = f"no rate for {method} to {country} in {currency}"
        freight.findings.append(_error("NO_FREIGHT_RATE", said, method))
        return freight
    if total and not found.physical:
        said = f"{method} carries nothing, but the quote has goods"
        freight.findings.append(_error("FREIGHT_METHOD", said, method))
        return freight
    kilos = -(-total // 1000)
    if total:
        gross = round_money(found.base + found.per_kg * kilos, currency)
        note = f"{plain(found.base)} + {kilos} kg x {plain(found.per_kg)}, zone {found.zone}"
    else:
        gross, note = round_money(ZERO, currency), "nothing physical to carry"
    freight.gross = freight.net = gross
    row = found.rate_id
    freight.trace.append(step("", "freight", row, source=row, after=gross, note=note))
    return freight


def _error(code: str, message: str, subject: str) -> Finding:
    fix = "choose a method that catalog shipping_options allows"
    return finding(code, Severity.ERROR, message, subject=subject, rule_id="FREIGHT", fix=fix)
