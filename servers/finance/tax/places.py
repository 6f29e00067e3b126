"""Where a supply is taxed, and as what: at home, inside the EU, under the OSS, or outside.

A provider answers which rates hold at a place on a day, and says what it covers. The one built in
reads the table of rates; where a tax depends on more than the table knows (a street in the USA,
a province in Canada) it says so, and nobody guesses. Another provider is any object of this shape.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Literal

from servers.finance.facts.prices import Item
from servers.finance.facts.pricing import PricingFacts
from servers.finance.facts.taxes import Jurisdiction, RateAnswer, Tax, TaxRate
from servers.finance.tax.stack import with_included

Zone = Literal["HOME", "EU", "OSS", "OUTSIDE"]


@dataclass(frozen=True)
class Place:
    """Where a supply is made: `country` decides the zone, `taxed_in` has the rate if it is taxed.

    `invoiced` says that the invoicing address decided instead of the delivery address.
    """

    country: str
    region: str
    zone: Zone
    taxed_in: str
    item: Literal["goods", "service"]
    verified: bool
    invoiced: bool
    path: str


def zone_of(country: str, home: str, zones: Mapping[str, frozenset[str]]) -> str:
    if country == home:
        return "HOME"
    return "EU" if country in zones["EU"] else "OUTSIDE"


def place_of(facts: PricingFacts, item: Item, ship_to: str, region: str, day: date) -> Place:
    """Return the place of a supply.

    Goods are supplied where they are delivered, unless the customer's only VAT id has our own
    prefix and the goods stay in the EU: then the invoicing address decides, and it is a sale at
    home. Services to anybody but a consumer are supplied where the customer has its seat.
    A registration of ours at the destination makes it a sale at home there.
    """
    customer, home, eu = facts.customer, facts.home_country, facts.zones["EU"]
    kind: Literal["goods", "service"] = "goods" if item.kind == "goods" else "service"
    ids, abroad = [t for t in customer.tax_ids if t.scheme == "eu_vat"], eu - {home}
    verified = home in eu and any(t.verified_at and t.country in abroad for t in ids)
    own_prefix = home in eu and ship_to in abroad and any(t.country == home for t in ids)
    country, invoiced = ship_to, False
    if kind == "service" and customer.kind != "consumer":
        country = customer.country
    elif own_prefix and not verified:
        country, invoiced = home, True
    at = region if country == ship_to else ""
    zone, taxed_in = _zone(facts, customer.kind, kind, country, at, day)
    path = (
        f"ship-to {ship_to}, supplied in {country} ({zone}), {customer.kind}, {kind}, VAT id "
        + ("verified" if verified else "not verified")
    )
    return Place(country, at, zone, taxed_in, kind, verified, invoiced, path)


def registered(
    facts: PricingFacts, country: str, region: str, day: date, *, service: bool = False
) -> bool:
    """Say whether the seller is registered at a place; services need an establishment there."""
    return any(
        r.scheme != "oss"
        and r.jurisdiction in (country, f"{country}-{region}")
        and r.window.covers(day)
        and (r.establishment or not service)
        for r in facts.registrations
    )


def _zone(
    facts: PricingFacts, who: str, kind: str, country: str, region: str, day: date
) -> tuple[Zone, str]:
    home, eu = facts.home_country, facts.zones["EU"]
    if country == home:
        return "HOME", home
    if registered(facts, country, region, day, service=kind == "service" and who != "consumer"):
        return "HOME", country
    if home in eu and country in eu:
        oss = any(r.scheme == "oss" and r.window.covers(day) for r in facts.registrations)
        if oss and who == "consumer":
            return "OSS", country
        return "EU", home
    return "OUTSIDE", home


UNDER_STANDARD = frozenset({"standard", "service", "digital"})
"""Product classes that the standard rate covers where a place has no rate of their own."""


@dataclass(frozen=True)
class TableProvider:
    """The rates in finance's own table, no more and no less."""

    rates: Sequence[TaxRate]
    jurisdictions: Mapping[str, Jurisdiction]
    name: str = "tax table"

    def find(self, country: str, region: str, tax_class: str, day: date) -> RateAnswer:
        here = self.jurisdictions.get(f"{country}-{region}") if region else None
        nation = self.jurisdictions.get(country)
        place = f"{country}-{region}" if here else country
        if here is None and nation is not None and nation.coverage == "by_region":
            where = f"{country}-{region}" if region else f"a region of {country}"
            return RateAnswer((), country, coverage_of(nation), missing=f"rates of {where}")
        row = here or nation
        coverage = coverage_of(row) if row else "no row for the place"
        if row is not None and row.coverage == "outside":
            return RateAnswer((), place, coverage, missing=f"rules and rates of {place}")
        fits = [
            r
            for r in self.rates
            if r.country == country
            and (r.category in ("S", "Z") or (r.region and r.category in ("E", "O")))
            and r.region in ("", region if here else "")
            and r.window.covers(day)
        ]
        mine = [r for r in fits if r.tax_class == tax_class]
        if not mine and tax_class in UNDER_STANDARD:
            mine = [r for r in fits if r.tax_class == "standard"]
        if not mine:
            missing = f"a rate of {place} for the class {tax_class} on {day}"
            return RateAnswer((), place, coverage, missing=missing)
        if twins := equal_rank(mine):
            return RateAnswer((), place, coverage, conflict=twins)
        stacked = {r.sequence: r for r in sorted(mine, key=_narrowness)}
        return RateAnswer(tuple(stacked[n] for n in sorted(stacked)), place, coverage)


def _narrowness(rate: TaxRate) -> tuple[str, bool]:
    return rate.region, bool(rate.postal_codes)


def coverage_of(row: Jurisdiction) -> str:
    return f"{row.note or row.name}; {row.source}"


def equal_rank(rates: Iterable[TaxRate]) -> tuple[str, ...]:
    """Return the ids of two rates of equal rank that hold on one day, if there are any.

    Equal rank is the same country, region, class and sequence, with postal codes or without. A
    region's rate stands above its country's of the same sequence, and one of postal codes above
    its region's; different sequences are added up.
    """
    seen: dict[tuple[str, str, bool, str, int], list[TaxRate]] = {}
    for rate in sorted(rates, key=lambda r: r.rate_id):
        of = rate.tax_class if rate.category in ("S", "Z") else f"{rate.category} {rate.tax_class}"
        key = (rate.country, rate.region, bool(rate.postal_codes), of, rate.sequence)
        for other in seen.setdefault(key, []):
            if rate.window.overlaps(other.window):
                return other.rate_id, rate.rate_id
        seen[key].append(rate)
    return ()


def effective(taxes: Sequence[Tax]) -> Decimal:
    """Return what a stack's percentages come to, in percent of the net; 5 and 9.975 is 14.975."""
    hundred = Decimal(100)
    inside = [replace(t, included=True) for t in taxes if t.kind != "fixed"]
    if len(taxes) == 1 and inside and inside[0].kind == "percent":
        return taxes[0].amount
    return with_included(inside, hundred, Decimal(1)) - hundred
