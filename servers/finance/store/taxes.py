"""What is known of the taxes of a delivery."""

from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from servers.finance.facts.charges import PostalZone
from servers.finance.facts.copies import fact
from servers.finance.facts.customers import Address, Customer
from servers.finance.facts.taxes import Jurisdiction, Registration, TaxRate, TaxRule
from servers.finance.store.rows import facts, grouped, kept
from servers.finance.tables import taxes as t
from servers.finance.tables.charges import PostalZoneRow


def find_taxes(
    session: Session, customer: Customer, address_id: str, countries: set[str], entity_id: str
) -> dict[str, Any]:
    ship_to = customer.address(address_id)
    places = countries | {customer.country} | ({ship_to.country} if ship_to else set())
    parts = select(PostalZoneRow).where(
        col(PostalZoneRow.country) == (ship_to.country if ship_to else "")
    )
    mine = select(t.TaxRegistrationRow).where(col(t.TaxRegistrationRow.entity_id) == entity_id)
    return {
        **_law(session),
        "zones": _zones(session, ship_to.state if ship_to else ""),
        "tax_rates": tuple(
            one for one in _rates(session, tuple(sorted(places))) if _holds(one, ship_to)
        ),
        "registrations": facts(session, Registration, mine),
        "postal_zones": facts(session, PostalZone, parts),
    }


@kept
def _zones(session: Session, state: str) -> dict[str, frozenset[str]]:
    rows = session.scalars(select(t.ZoneCountry))
    zones = grouped((x.zone, x.country) for x in rows if not x.regions or state in x.regions)
    return {zone: frozenset(countries) for zone, countries in zones.items()}


@kept
def _law(session: Session) -> dict[str, Any]:
    """Return what is the same wherever it goes."""
    return {
        "tax_rules": facts(session, TaxRule, select(t.TaxRuleRow)),
        "jurisdictions": {
            one.jurisdiction: jurisdiction(one)
            for one in session.scalars(select(t.TaxJurisdictionRow))
        },
    }


@kept
def _rates(session: Session, places: tuple[str, ...]) -> tuple[TaxRate, ...]:
    rates = select(t.TaxRateRow).where(col(t.TaxRateRow.country).in_(places))
    return tuple(tax_rate(one) for one in session.scalars(rates))


def _holds(rate: TaxRate, ship_to: Address | None) -> bool:
    """Say whether a rate is for all of its place, or for the postal code of an address."""
    if not rate.postal_codes or ship_to is None:
        return not rate.postal_codes
    first, _, last = rate.postal_codes.partition("-")
    code = "".join(filter(str.isalnum, ship_to.postal_code)).upper()[: len(first)]
    return rate.country == ship_to.country and len(code) == len(first) and first <= code <= last


def tax_rate(row: t.TaxRateRow) -> TaxRate:
    return fact(TaxRate, row, source=_source(row))


def jurisdiction(row: t.TaxJurisdictionRow) -> Jurisdiction:
    return fact(Jurisdiction, row, source=_source(row))


def _source(row: t.TaxRateRow | t.TaxJurisdictionRow) -> str:
    return f"{row.source} (as of {row.as_of})"
