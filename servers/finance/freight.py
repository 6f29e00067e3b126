"""Freight: what the transport of a quote costs, by method, zone and weight (step 10)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from servers.finance.facts.blocks import Allowance, TraceStep
from servers.finance.facts.charges import FreightRate
from servers.finance.findings import finding, plain, step
from servers.toolkit.findings import Finding, Severity
from servers.toolkit.money import round_money

ZERO = Decimal(0)
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


def freight_zones(country: str, zones: Mapping[str, frozenset[str]]) -> list[str]:
    """Return the freight zones a country lies in, the most specific first."""
    return [z for z in NEAREST if z == "WORLD" or country in zones.get(f"FREIGHT-{z}", ())]


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
    places = freight_zones(country, zones)
    found = next((r for zone in places for r in mine if r.zone == zone), None)
    if found is None:
        freight.findings.append(
            _error("NO_FREIGHT_RATE", f"no rate for {method} to {country} in {currency}", method)
        )
        return freight
    if total and not found.physical:
        freight.findings.append(
            _error("FREIGHT_METHOD", f"{method} carries nothing, but the quote has goods", method)
        )
        return freight
    kilos = -(-total // 1000)
    if total:
        gross = round_money(found.base + found.per_kg * kilos, currency)
        note = f"{plain(found.base)} + {kilos} kg x {plain(found.per_kg)}, zone {found.zone}"
    else:
        gross, note = round_money(ZERO, currency), "nothing physical to carry"
    freight.gross = freight.net = gross
    freight.trace.append(
        step("", "freight", found.rate_id, source=found.rate_id, after=gross, note=note)
    )
    return freight


def _error(code: str, message: str, subject: str) -> Finding:
    return finding(
        code,
        Severity.ERROR,
        message,
        subject=subject,
        rule_id="FREIGHT",
        fix="choose a method that catalog shipping_options allows",
    )
