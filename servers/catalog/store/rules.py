"""Queries of the rules and of what is on file beside them: certificates, stock, ways to ship.

Every row is public and the same for every caller, so nothing here is narrowed by a grant.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, TypeVar

from sqlmodel import Session, col, select

from servers.catalog import rulebook as rb
from servers.catalog import tables as m
from servers.catalog.eligibility import Destination
from servers.catalog.phrases import Vocabulary
from servers.catalog.schemas import Product
from servers.catalog.shipping import ShippingNetwork

OTHER = "*"
Form = TypeVar("Form", bound=rb.Row)


def find_rules(session: Session, *kinds: str) -> list[rb.Rule]:
    """Return the rules, of some kinds or all, in the order they were written."""
    statement = select(m.RuleRow).order_by(col(m.RuleRow.place))
    if kinds:
        statement = statement.where(col(m.RuleRow.kind).in_(kinds))
    return [rb.RULE.validate_python(row.data) for row in session.exec(statement)]


def find_destination(
    session: Session, country: str, day: date, among: Sequence[rb.Rule], catalog: dict[str, Product]
) -> Destination:
    """Return what is on file about selling to a country on a day."""
    certificates = _all(session, rb.Certificate, m.CertificateRow)
    lists = _all(session, rb.ExportList, m.ExportListRow)
    known = {c for rule in among if isinstance(rule, rb.Certification) for c in rule.countries}
    return Destination(country, day, certificates, lists, frozenset(known), catalog)


def certificates_of(session: Session, item: Product) -> list[str]:
    return [
        f"{c.scheme} {c.certificate_no}" + (f", expires {c.expires}" if c.expires else "")
        for c in _all(session, rb.Certificate, m.CertificateRow)
        if c.covers.picks(item)
    ]


def find_substitutes(session: Session, sku: str) -> list[rb.SubstituteRow]:
    statement = select(m.SubstituteTable).where(m.SubstituteTable.sku == sku)
    return [
        rb.SubstituteRow.model_validate(row.model_dump(exclude={"id"}))
        for row in session.exec(statement.order_by(col(m.SubstituteTable.id)))
    ]


def find_stock(session: Session, skus: Iterable[str]) -> dict[str, rb.Stock]:
    rows = session.exec(select(m.StockRow).where(col(m.StockRow.sku).in_(set(skus))))
    return {row.sku: rb.Stock.model_validate(row.model_dump()) for row in rows}


def find_shipping_network(session: Session, among: Sequence[rb.Rule]) -> ShippingNetwork:
    zones = {row.country: row.zone for row in session.exec(select(m.ZoneRow))}
    return ShippingNetwork(
        methods=_all(session, rb.ShipMethod, m.ShipMethodRow, col(m.ShipMethodRow.place)),
        other_zone=zones.pop(OTHER, ""),
        zones=zones,
        hazmat=_all(session, rb.HazmatMode, m.HazmatRow),
        rules=among,
    )


def find_goals(session: Session) -> list[rb.SalesGoal]:
    return _all(session, rb.SalesGoal, m.GoalRow)


def find_vocabulary(session: Session) -> Vocabulary:
    return Vocabulary.model_validate(
        {r.part: r.data for r in session.exec(select(m.VocabularyRow))}
    )


def _all(session: Session, form: type[Form], table: Any, *order: Any) -> list[Form]:
    rows = session.exec(select(table).order_by(*order))
    return [form.model_validate(row.data) for row in rows]
