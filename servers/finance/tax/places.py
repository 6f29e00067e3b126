"""Where a supply is taxed, and as what: at home, inside the EU, under the OSS, or outside."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from servers.finance.facts.customers import Customer
from servers.finance.facts.items import Item
from servers.finance.facts.pricing import PricingFacts

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
    """Return the zone of a country seen from home: HOME, EU or OUTSIDE."""
    if country == home:
        return "HOME"
    return "EU" if country in zones["EU"] else "OUTSIDE"


def has_verified_vat(customer: Customer, home: str, eu: frozenset[str]) -> bool:
    return any(
        t.scheme == "eu_vat" and t.verified_at and t.country in eu and t.country != home
        for t in customer.tax_ids
    )


def place_of(facts: PricingFacts, item: Item, ship_to: str, region: str, day: date) -> Place:
    """Return the place of a supply.

    Goods are supplied where they are delivered, unless the customer's only VAT id has our own
    prefix and the goods stay in the EU: then the invoicing address decides, and it is a sale at
    home. Services to anybody but a consumer are supplied where the customer has its seat.
    A registration of ours at the destination makes it a sale at home there.
    """
    customer, home, eu = facts.customer, facts.home_country, facts.zones["EU"]
    kind: Literal["goods", "service"] = "goods" if item.kind == "goods" else "service"
    verified = home in eu and has_verified_vat(customer, home, eu)
    country, invoiced = ship_to, False
    if kind == "service" and customer.kind != "consumer":
        country = customer.country
    elif _same_prefix(customer, home, ship_to, eu) and not verified:
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


def _same_prefix(customer: Customer, home: str, ship_to: str, eu: frozenset[str]) -> bool:
    return (
        home in eu
        and ship_to in eu
        and ship_to != home
        and any(t.scheme == "eu_vat" and t.country == home for t in customer.tax_ids)
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
