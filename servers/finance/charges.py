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
from servers.finance.facts.charges import FREIGHT_ZONE, WORLD, Fee, FreightRate
from servers.finance.facts.prices import Item
from servers.finance.facts.pricing import PricingFacts
from servers.finance.findings import finding, percent, plain, step
from servers.finance.line_in_work import Work
from servers.finance.tax.decisions import TaxDecision
from servers.toolkit.findings import Finding, Severity
from servers.toolkit.money import round_money, to_minor, whole_up

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


FREE = {"PICKUP": "Collected by the customer", "DIGITAL": "Delivered electronically"}
"""Methods that cost nothing in a house that states no rate of theirs."""


@dataclass
class Freight:
    """The freight of a quote; `gross` None means that no rate covers it."""

    method: str
    label: str
    weight_g: int
    gross: Decimal | None = None
    net: Decimal | None = None
    free_from: Decimal | None = None
    allowances: list[Allowance] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    trace: list[TraceStep] = field(default_factory=list)


def price_freight(
    method: str,
    country: str,
    weights: Iterable[tuple[str, int | None, Decimal]],
    rates: Iterable[FreightRate],
    zones: Mapping[str, frozenset[str]],
    currency: str,
    parts: Sequence[str] = (),
) -> Freight:
    """Return the freight of physical lines (line id, grams of one, how many); whole grams up.

    `parts` are the zones that hold a part of the country only; they go first.
    """
    rows = list(weights)
    total = whole_up(sum(((grams or 0) * many for _, grams, many in rows), ZERO))
    rates = [rate for rate in rates if rate.method == method]
    if not rates and method in FREE:
        rates = [_free(method, currency)]
    mine = [rate for rate in rates if rate.currency == currency]
    freight = Freight(method, mine[0].label if mine else method, total)
    order = (*parts, *nearest(country, zones))
    zone = next((zone for zone in order if any(rate.zone == zone for rate in mine)), "")
    there = sorted((r for r in mine if r.zone == zone), key=lambda r: (not r.up_to_g, r.up_to_g))
    found = next((r for r in there if not r.up_to_g or total <= r.up_to_g), None)
    unknown = [line_id for line_id, grams, _ in rows if grams is None]
    if found is None:
        heavy = f" for {total} g" if there else ""
        said = f"no rate for {method} to {country} in {currency}{heavy}"
        freight.findings.append(_error("NO_FREIGHT_RATE", said, method))
    elif (total or unknown) and not found.physical:
        said = f"{method} carries nothing, but the quote has goods"
        freight.findings.append(_error("FREIGHT_METHOD", said, method))
    elif found.per_kg or found.up_to_g:
        said, fix = "a weight is missing", "give the item its weight_g, or take a flat rate"
        freight.findings += [_error("WEIGHT_UNKNOWN", said, line, fix) for line in unknown]
    if found is None or freight.findings:
        return freight
    kilos = -(-total // 1000)
    gross, note = found.base + found.per_kg * kilos, "nothing physical to carry"
    if unknown:
        note = f"{plain(found.base)} whatever it weighs, zone {found.zone}"
    elif total:
        note = f"{plain(found.base)} + {kilos} kg x {plain(found.per_kg)}, zone {found.zone}"
    else:
        gross = ZERO
    freight.gross = freight.net = round_money(gross, currency)
    freight.free_from = found.free_from
    row, after = found.rate_id, freight.gross
    freight.trace.append(step("", "freight", row, source=row, after=after, note=note))
    return freight


def free_above(freight: Freight, goods: Decimal, currency: str) -> None:
    """Take the freight off where the goods, after every reduction, come to what frees them."""
    limit = freight.free_from
    if limit is None or not freight.net or goods < limit:
        return
    note = f"goods of {plain(goods)} are at least {plain(limit)} {currency}"
    freight.trace.append(
        step("", "freight", "FREIGHT-FREE", before=freight.net, after=ZERO, note=note)
    )
    freight.gross = freight.net = ZERO
    freight.allowances.clear()


def nearest(country: str, zones: Mapping[str, frozenset[str]]) -> list[str]:
    """Return the freight zones a country lies in, the smallest first, and the rest of the world."""
    mine = [
        (len(countries), name.removeprefix(FREIGHT_ZONE))
        for name, countries in zones.items()
        if name.startswith(FREIGHT_ZONE) and country in countries
    ]
    return [*(name for _, name in sorted(mine)), WORLD]


def no_postal_code(country: str) -> Finding:
    said = f"freight into {country} goes by postal code, and the address has none that tells"
    return _error("POSTAL_CODE_MISSING", said, country, "give the address its postal_code")


def _free(method: str, currency: str) -> FreightRate:
    physical = method != "DIGITAL"
    return FreightRate(
        "FREIGHT-FREE", method, FREE[method], WORLD, currency, ZERO, ZERO, physical=physical
    )


def _error(
    code: str,
    message: str,
    subject: str,
    fix: str = "choose a method that catalog shipping_options allows, or import its freight_rates",
) -> Finding:
    return finding(code, Severity.ERROR, message, subject=subject, rule_id="FREIGHT", fix=fix)
