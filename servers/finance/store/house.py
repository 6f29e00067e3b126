"""What a house has and lacks in finance: seller, prices, terms, customers, who decides."""

from sqlalchemy import func, select
from sqlmodel import Session, col

from servers.finance.law.clauses import STARTER
from servers.finance.store.legal import find_screening
from servers.finance.tables.customers import CustomerAddress, CustomerRow
from servers.finance.tables.house import Enrolled, Person, Seller, Setting
from servers.finance.tables.legal import ClauseRow
from servers.finance.tables.prices import ItemRow, PriceEntry
from servers.finance.tables.taxes import TaxRegistrationRow
from servers.toolkit.house import Look, rows_of

COMPANY = "dealdesk init --company FILE"


def look(session: Session) -> list[Look]:
    return [
        _seller(session),
        _registrations(session),
        rows_of(session, "items", ItemRow, "dealdesk import finance items FILE"),
        rows_of(session, "prices", PriceEntry, "dealdesk import finance prices FILE"),
        _terms(session),
        rows_of(session, "customers", CustomerRow, "dealdesk import finance customers FILE"),
        rows_of(session, "addresses", CustomerAddress, "dealdesk import finance addresses FILE"),
        _screening(session),
        _approvers(session),
    ]


def _seller(session: Session) -> Look:
    names = session.scalars(select(col(Seller.legal_name)).order_by(col(Seller.entity_id))).all()
    return Look("seller", ", ".join(names) or "none", "" if names else COMPANY)


def _registrations(session: Session) -> Look:
    order = col(TaxRegistrationRow.jurisdiction)
    places = session.scalars(select(order).distinct().order_by(order)).all()
    none = "none: name yours as tax_registrations in the company file, if there are any"
    return Look("tax registration", ", ".join(places) or none)


def _terms(session: Session) -> Look:
    approved_by = col(ClauseRow.approved_by)
    rows = session.execute(select(approved_by, func.count()).group_by(approved_by))
    texts = {str(by): int(count) for by, count in rows}
    said = f"{sum(texts.values())} texts"
    if ours := texts.get(STARTER):
        said += f", {ours} of them ours: read them, and import your own as clauses"
    return Look("terms", said, "" if texts else "dealdesk import finance clauses FILE")


def _screening(session: Session) -> Look:
    if session.get(Setting, "screening") is None:
        return Look("screening", "not decided", COMPANY)
    listed = find_screening(session)
    off = "off: the house decided to screen nobody"
    return Look("screening", off if listed.nobody else f"{listed.name}, of {listed.as_of}")


def _approvers(session: Session) -> Look:
    people = session.scalars(select(col(Person.person_id))).all()
    able = session.scalars(select(col(Enrolled.person_id)).where(col(Enrolled.digest) != "")).all()
    if not people:
        return Look("approvers", "nobody: what needs a person waits, until people are on file")
    tokens = ", ".join(sorted(able)) or "nobody (dealdesk person enroll PERSON gives one)"
    return Look("approvers", f"{len(people)} people; with a token: {tokens}")
