"""Write who the seller is: for a new database, and when the company changes."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from importlib.resources import as_file, files
from typing import Any

from sqlalchemy import delete, select, update
from sqlmodel import Session, col

from servers.finance.facts.charges import FREIGHT_ZONE, WORLD
from servers.finance.load import TABLES
from servers.finance.load.company import CompanyFile, SellerRegistration, person_row, seller_row
from servers.finance.tables.base import FinanceTable
from servers.finance.tables.charges import FreightRateRow
from servers.finance.tables.house import Person, Seller, Setting
from servers.finance.tables.prices import PriceBook
from servers.finance.tables.quotes import Quote, QuoteNumber
from servers.finance.tables.taxes import TaxRegistrationRow, TaxRuleRow, ZoneCountry
from servers.toolkit.importing import load_folder
from servers.toolkit.seeding import mark_own, seed_folder

STARTER = files("servers.finance") / "starter"
LAW = ("tax_jurisdictions", "tax_rates", "tax_rules")
ABROAD = "TAX-OUTSIDE-SERVICE-O"
"""The rule whose words name the country of the demo."""
FLAT = "FLAT"
BEGINNING = date(2000, 1, 1)


def start(session: Session, company: CompanyFile) -> list[str]:
    """Fill an empty database with what pricing cannot do without beside the company: our defaults.

    Policies, payment terms, short terms in English and German, the tax law of the demo with its
    sources, and an empty price book. Items, prices and customers are the user's own; until they
    are there, a price says which of them is missing.
    """
    if session.get(Setting, "policies") is not None:
        return []
    with as_file(STARTER) as folder:
        loading = load_folder(session, TABLES, folder)
    for name in LAW:
        loading.take(TABLES[name], seed_folder("finance") / f"{name}.csv")
    loading.finish()
    note = "Not taxable here: the place of supply is the customer's country."
    session.execute(update(TaxRuleRow).where(col(TaxRuleRow.rule_id) == ABROAD).values(note=note))
    session.merge(Setting(name="taxes", value={"home_country": company.home.country}))
    book = PriceBook(book="LIST", name="List prices", currency=company.money, valid_from=BEGINNING)
    session.merge(book)
    session.flush()
    said = [
        f"the price book LIST in {company.money} is empty: import items and prices",
        "policies, payment terms, tax law and the texts of the terms are our defaults: read them "
        "before you rely on them",
        "nobody is screened: that is said on every quote's internal view, until you import a list",
    ]
    limits: Any = session.get_one(Setting, "policies").value["total_limits"]
    if company.money not in limits:
        said.append(
            f"the policies have no limits in {company.money}: until you import some, a "
            "finance_director decides about every total"
        )
    return said


def put_delivery(session: Session, company: CompanyFile) -> list[str]:
    """Put what the file says that delivery costs in the place of what it said before."""
    if not company.delivery:
        return []
    currency = company.money
    session.execute(delete(FreightRateRow).where(col(FreightRateRow.method) == FLAT))
    inside = select(col(ZoneCountry.country)).where(col(ZoneCountry.zone) == "EU")
    groups = {"EU": session.scalars(inside).all(), WORLD: []}
    for zone, amount in company.delivery.items():
        for country in groups.get(zone, [zone]):
            session.merge(ZoneCountry(zone=FREIGHT_ZONE + zone, country=country))
        session.add(
            FreightRateRow(
                rate_id=f"FR-{FLAT}-{zone}-{currency}",
                method=FLAT,
                label="Flat rate",
                zone=zone,
                currency=currency,
                base=amount,
                per_kg=Decimal(0),
            )
        )
    session.flush()
    costs = ", ".join(f"{zone} {amount} {currency}" for zone, amount in company.delivery.items())
    return [f"delivery costs, whatever it weighs: {costs}"]


def _registrations(company: CompanyFile) -> Iterator[TaxRegistrationRow]:
    """Yield where each entity is registered: where its VAT id is from, and what the file adds."""
    for entity in company.entities:
        given = list(entity.tax_registrations)
        if entity.vat_id and all(one.jurisdiction != entity.country for one in given):
            own = SellerRegistration(
                jurisdiction=entity.country, scheme="vat", number=entity.vat_id, establishment=True
            )
            given.insert(0, own)
        for one in given:
            yield TaxRegistrationRow(
                registration_id=f"REG-{entity.entity_id}-{one.jurisdiction}-{one.scheme}"[:60],
                entity_id=entity.entity_id,
                **one.model_dump(),
            )


def put_company(session: Session, company: CompanyFile) -> list[str]:
    """Put a company in the place of the one there; say in words who is new, changed or gone.

    An entity that has made quotes stays for them, but makes no new offer. People are replaced
    when the file names any.
    """
    said = []
    named = {one.entity_id for one in company.entities}
    used = set(session.scalars(select(col(Quote.entity_id)).distinct()))
    used |= set(session.scalars(select(col(QuoteNumber.entity_id)).distinct()))
    for old in session.scalars(select(Seller).where(col(Seller.entity_id).not_in(named))).all():
        if old.entity_id in used:
            old.countries, old.is_default = frozenset(), False
            said.append(f"{old.entity_id} makes no new offers")
        else:
            session.delete(old)
            said.append(f"{old.entity_id} is gone")
    stale = delete(TaxRegistrationRow).where(col(TaxRegistrationRow.entity_id).in_(named))
    session.execute(stale)
    mark_own(session)
    if company.people:
        for person in session.scalars(select(Person)).all():
            session.delete(person)
    session.flush()
    rows: list[FinanceTable] = [Seller(**seller_row(one)) for one in company.entities]
    rows += [Person(**person_row(one)) for one in company.people]
    for row in (*rows, *_registrations(company)):
        session.merge(row)
    session.flush()
    for one in company.entities:
        said.append(f"{one.entity_id} is {one.legal_name}, in the time of {one.time_zone}")
        if one.bank is None:
            said.append(f"{one.entity_id} has no bank account, so its quotes print none")
    return said
