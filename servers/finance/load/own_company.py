"""Write who the seller is: for a new database, and when the company changes."""

from collections.abc import Iterator
from importlib.resources import as_file, files

from sqlalchemy import delete, select
from sqlmodel import Session, col

from servers.finance.load import TABLES
from servers.finance.load.company import CompanyFile, SellerRegistration, person_row, seller_row
from servers.finance.tables.base import FinanceTable
from servers.finance.tables.house import Person, Seller, Setting
from servers.finance.tables.quotes import Quote, QuoteNumber
from servers.finance.tables.taxes import TaxRegistrationRow
from servers.toolkit.importing import load_folder
from servers.toolkit.seeding import mark_own, seed_folder

STARTER = files("servers.finance") / "starter"
LAW = ("tax_jurisdictions", "tax_rates", "tax_rules")


def start(session: Session, company: CompanyFile) -> list[str]:
    """Fill an empty database with what pricing cannot do without beside the company: our defaults.

    Policies, payment terms and the like, and the tax law of the demo with its sources. Items,
    prices, customers and clauses are the user's own; until they are there, a price says which of
    them is missing.
    """
    if session.get(Setting, "policies") is not None:
        return []
    with as_file(STARTER) as folder:
        loading = load_folder(session, TABLES, folder)
    for name in LAW:
        loading.take(TABLES[name], seed_folder("finance") / f"{name}.csv")
    loading.finish()
    session.merge(Setting(name="taxes", value={"home_country": company.home.country}))
    session.flush()
    return [
        "policies, payment terms and tax law are our defaults: read them before you rely on them",
        "still to come from you: items, costs, prices, customers, freight, clauses, a screening "
        "list",
    ]


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
    said += [f"{one.entity_id} is {one.legal_name}" for one in company.entities]
    return said
