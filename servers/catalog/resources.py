"""What a person opens in a client: categories, products, ways to ship; and their completion.

Everything is public: the same JSON for every caller.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field
from pydantic_core import to_json
from sqlalchemy import func, or_
from sqlmodel import Session, col, select

from servers.catalog.schemas import ProductSummary
from servers.catalog.store.products import detail_of, find_families, find_family
from servers.catalog.store.rules import find_shipping_network
from servers.catalog.store.search import normalised
from servers.catalog.tables import ProductRow
from servers.toolkit.completing import WINDOW, Finder
from servers.toolkit.components import resource_at
from servers.toolkit.database import Database
from servers.toolkit.declare import resource
from servers.toolkit.errors import NotFoundError
from servers.toolkit.fields import Sku

MOST = 200
PUBLIC: dict[str, Any] = {"rows": "public", "confidentiality": "public"}
CategoryName = Annotated[str, Field(min_length=1, max_length=40)]


@resource_at("catalog://categories", resource("Categories", **PUBLIC))
def categories(database: Database) -> str:
    """Every category of products and how many it has."""
    with database.session() as session:
        found = session.exec(
            select(ProductRow.family, func.count())
            .group_by(col(ProductRow.family))
            .order_by(col(ProductRow.family))
        )
        return _json(items=[{"category": name, "products": n} for name, n in found])


@resource_at("catalog://shipping", resource("Ways to ship", **PUBLIC))
def shipping(database: Database) -> str:
    """The ways to send goods with their transit days, and the zones of countries."""
    with database.session() as session:
        network = find_shipping_network(session, ())
    zones: dict[str, list[str]] = {}
    for country, zone in sorted(network.zones.items()):
        zones.setdefault(zone, []).append(country)
    return _json(methods=network.methods, zones=zones, other_countries=network.other_zone)


@resource_at("catalog://categories/{category}", resource("Category", **PUBLIC))
def category_sheet(database: Database, category: CategoryName) -> str:
    """The products of a category, by SKU, each in a line."""
    with database.session() as session:
        found = find_family(session, category)
    if not found:
        raise NotFoundError(f"no category {category!r}", fix="read catalog://categories")
    rows = [ProductSummary.of(found[sku]) for sku in sorted(found)]
    left_out = max(0, len(rows) - MOST)  # search_products finds them
    return _json(category=category, products=rows[:MOST], left_out=left_out)


@resource_at("catalog://products/{sku}", resource("Product", **PUBLIC))
def product(database: Database, sku: Sku) -> str:
    """A product with its attributes, certificates and substitutes."""
    with database.session() as session:
        return detail_of(session, sku).model_dump_json()


def _json(**data: Any) -> str:
    return to_json(data).decode()


def find_skus(session: Session, typed: str, known: Mapping[str, str]) -> list[str]:
    """Complete a SKU: by how it begins, with or without hyphens, or by the product's name."""
    means = col(ProductRow.name).icontains(typed, autoescape=True)
    if norm := normalised(typed):
        means = or_(col(ProductRow.sku_norm).startswith(norm, autoescape=True), means)
    statement = select(ProductRow.sku).where(means)
    if known.get("category"):
        statement = statement.where(ProductRow.family == known["category"])
    return list(session.exec(statement.order_by(ProductRow.sku).limit(WINDOW)).all())


def find_categories(session: Session, typed: str, _known: Mapping[str, str]) -> list[str]:
    """Complete a category by any part of its name."""
    return [name for name in find_families(session) if typed.lower() in name]


def find_countries(_session: Session, typed: str, _known: Mapping[str, str]) -> list[str]:
    """Complete a country: by its ISO 3166-1 code or its name; what begins so comes first."""
    import pycountry

    word = typed.lower()
    found = []
    for one in pycountry.countries:
        by_code = one.alpha_2.lower().startswith(word)
        named = [name for name in _names(one) if len(word) > 2 and word in name]
        if by_code or named:
            begins = any(name.startswith(word) for name in named)
            found.append((not by_code, not begins, one.alpha_2))
    return [code for *_, code in sorted(found)]


def _names(country: Any) -> list[str]:
    kinds = ("name", "common_name", "official_name")
    return [getattr(country, kind, "").lower() for kind in kinds]


FINDERS: dict[str, Finder] = {
    "sku": find_skus,
    "category": find_categories,
    "ship_to_country": find_countries,
}
