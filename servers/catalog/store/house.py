"""What the catalog of a house has and lacks."""

from sqlmodel import Session, select

from servers.catalog.tables import ProductRow, RuleRow, ShipMethodRow
from servers.toolkit.house import Look, rows_of


def look(session: Session) -> list[Look]:
    return [
        rows_of(session, "products", ProductRow, "dealdesk import catalog products FILE"),
        _delivery(session),
        _certification(session),
    ]


def _certification(session: Session) -> Look:
    kinds = select(RuleRow.kind).where(RuleRow.kind == "certification")
    rules = len(session.exec(kinds).all())
    none = "off: no rules are on file, so nobody checks what a country requires of goods"
    return Look("certification", f"{rules:,} rules" if rules else none)


def _delivery(session: Session) -> Look:
    ways = [row.data for row in session.exec(select(ShipMethodRow).order_by("place"))]
    said = ", ".join(way["method"] for way in ways)
    if ways and all(way["mode"] in ("digital", "pickup") for way in ways):
        said += "; nothing is sent, until the company file says what `delivery` costs"
    fix = "" if ways else "dealdesk init --company FILE"
    return Look("delivery", said or "no way to deliver", fix)
