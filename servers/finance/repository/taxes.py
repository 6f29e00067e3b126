"""Tax: its rows, and from them the facts that the rules read."""

from typing import Any, cast

from sqlmodel import Session, col, select

from servers.finance import models as m
from servers.finance.facts.customers import Customer
from servers.finance.facts.taxes import (
    Coverage,
    Jurisdiction,
    Kind,
    Prices,
    Registration,
    Rounding,
    Scheme,
    Shipping,
    TaxRate,
    TaxRule,
)
from servers.finance.facts.windows import Window
from servers.finance.models_tax import TaxJurisdictionRow, TaxRegistrationRow
from servers.toolkit.money import from_micro


def find_taxes(
    session: Session, customer: Customer, address_id: str, countries: set[str], entity_id: str
) -> dict[str, Any]:
    """Return what is known of the taxes of a delivery, as fields of PricingFacts."""
    ship_to = customer.address(address_id)
    places = countries | {customer.country} | ({ship_to.country} if ship_to else set())
    rates = select(m.TaxRateRow).where(col(m.TaxRateRow.country).in_(sorted(places)))
    mine = select(TaxRegistrationRow).where(TaxRegistrationRow.entity_id == entity_id)
    return {
        "tax_rates": tuple(rate(one) for one in session.exec(rates)),
        "tax_rules": tuple(rule(one) for one in session.exec(select(m.TaxRuleRow))),
        "jurisdictions": {
            one.jurisdiction: jurisdiction(one) for one in session.exec(select(TaxJurisdictionRow))
        },
        "registrations": tuple(registration(one) for one in session.exec(mine)),
    }


def rate(row: m.TaxRateRow) -> TaxRate:
    """Return a tax rate."""
    return TaxRate(
        row.rate_id,
        row.country,
        row.category,
        from_micro(row.percent_micro),
        Window(row.valid_from, row.valid_to),
        f"{row.source} (as of {row.as_of})",
        region=row.region,
        tax_class=row.tax_class,
        name=row.name,
        sequence=row.sequence,
        kind=cast(Kind, row.kind),
        enlarges_base=row.enlarges_base,
    )


def rule(row: m.TaxRuleRow) -> TaxRule:
    """Return a tax rule."""
    return TaxRule(
        row.rule_id,
        row.zone,
        tuple(row.customer_kinds),
        row.item,
        row.vat,
        row.category,
        row.note,
        row.finding,
    )


def jurisdiction(row: TaxJurisdictionRow) -> Jurisdiction:
    """Return a jurisdiction."""
    return Jurisdiction(
        jurisdiction=row.jurisdiction,
        name=row.name,
        tax_name=row.tax_name,
        rounding=cast(Rounding, row.rounding),
        shipping=cast(Shipping, row.shipping),
        shipping_class=row.shipping_class,
        consumer_prices=cast(Prices, row.consumer_prices),
        coverage=cast(Coverage, row.coverage),
        note=row.note,
        source=f"{row.source} (as of {row.as_of})",
    )


def registration(row: TaxRegistrationRow) -> Registration:
    """Return a registration of the seller."""
    return Registration(
        registration_id=row.registration_id,
        jurisdiction=row.jurisdiction,
        scheme=cast(Scheme, row.scheme),
        number=row.number,
        establishment=row.establishment,
        window=Window(row.valid_from, row.valid_to),
    )
