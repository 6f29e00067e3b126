"""What is known of the taxes of a delivery."""

from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from servers.finance.facts.copies import fact
from servers.finance.facts.customers import Customer
from servers.finance.facts.taxes import Jurisdiction, Registration, TaxRate, TaxRule
from servers.finance.store.rows import facts
from servers.finance.tables.taxes import (
    TaxJurisdictionRow,
    TaxRateRow,
    TaxRegistrationRow,
    TaxRuleRow,
    ZoneCountry,
)


def find_taxes(
    session: Session, customer: Customer, address_id: str, countries: set[str], entity_id: str
) -> dict[str, Any]:
    ship_to = customer.address(address_id)
    places = countries | {customer.country} | ({ship_to.country} if ship_to else set())
    rates = select(TaxRateRow).where(col(TaxRateRow.country).in_(sorted(places)))
    mine = select(TaxRegistrationRow).where(col(TaxRegistrationRow.entity_id) == entity_id)
    return {
        "zones": _zones(session),
        "tax_rates": tuple(tax_rate(one) for one in session.scalars(rates)),
        "tax_rules": facts(session, TaxRule, select(TaxRuleRow)),
        "jurisdictions": {
            one.jurisdiction: jurisdiction(one)
            for one in session.scalars(select(TaxJurisdictionRow))
        },
        "registrations": facts(session, Registration, mine),
    }


def tax_rate(row: TaxRateRow) -> TaxRate:
    return fact(TaxRate, row, source=_source(row))


def jurisdiction(row: TaxJurisdictionRow) -> Jurisdiction:
    return fact(Jurisdiction, row, source=_source(row))


def _source(row: TaxRateRow | TaxJurisdictionRow) -> str:
    return f"{row.source} (as of {row.as_of})"


def _zones(session: Session) -> dict[str, frozenset[str]]:
    zones: dict[str, set[str]] = {}
    for one in session.scalars(select(ZoneCountry)):
        zones.setdefault(one.zone, set()).add(one.country)
    return {zone: frozenset(countries) for zone, countries in zones.items()}
