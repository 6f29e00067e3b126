"""How tax law comes in: zones, places, rates, rules, and where we are registered."""

from collections.abc import Iterator
from typing import Any

from sqlmodel import Session, select

from servers.finance.facts.taxes import TaxRule
from servers.finance.load.base import table
from servers.finance.store.rows import facts, grouped
from servers.finance.store.taxes import tax_rate
from servers.finance.tables import taxes as t
from servers.finance.tables.house import Seller
from servers.finance.tax.decisions import rules_that_tie
from servers.finance.tax.places import equal_rank


def _place_problems(row: Any) -> Iterator[str]:
    if (row.shipping == "class") != bool(row.shipping_class):
        yield "shipping_class is given when, and only when, shipping is class"
    if row.coverage == "by_region" and not row.note:
        yield "note says what the rates depend on"


def _rate_problems(row: Any) -> Iterator[str]:
    if row.category != "S" and row.percent:
        yield f"category {row.category} has no percentage but 0"


def _rates_hold(session: Session) -> Iterator[str]:
    rates = grouped((r.postal_codes, tax_rate(r)) for r in session.exec(select(t.TaxRateRow)))
    for those in rates.values():
        if twins := equal_rank(those):
            yield f"RULE_CONFLICT: the tax rates {' and '.join(twins)} hold on the same day"


def _rules_hold(session: Session) -> Iterator[str]:
    if twins := rules_that_tie(facts(session, TaxRule, select(t.TaxRuleRow))):
        yield f"RULE_CONFLICT: the tax rules {' and '.join(twins)} fit the same supply"


ZONES = table(
    "zones",
    t.ZoneCountry,
    "a country of a zone of tax (EU) or of freight (FREIGHT-EU); a file says each zone whole",
    {"regions": "only these of its regions: WI"},
    whole=("zone",),
)
TAXES = (
    table(
        "tax_jurisdictions",
        t.TaxJurisdictionRow,
        "a country or region with a tax law of its own",
        problems=_place_problems,
    ),
    table(
        "tax_rates",
        t.TaxRateRow,
        "a tax rate with its days, its source and when that was read",
        {"postal_codes": "where in the region it holds: 54701-54703; empty is all of it"},
        problems=_rate_problems,
        holds=_rates_hold,
    ),
    table(
        "tax_rules",
        t.TaxRuleRow,
        "which category a supply falls in; an empty key matches anything",
        holds=_rules_hold,
    ),
    table(
        "tax_registrations",
        t.TaxRegistrationRow,
        "where a legal entity of ours is registered for tax",
        refers={"entity_id": (Seller, "entity_id")},
    ),
)
