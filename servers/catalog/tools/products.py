"""Tools that look around in the products."""

from typing import Annotated

from pydantic import Field

from servers.catalog import schemas as s
from servers.catalog.comparing import compare
from servers.catalog.store.products import detail_of, find_products, page_of_products
from servers.toolkit.components import tool
from servers.toolkit.database import Database
from servers.toolkit.declare import reads
from servers.toolkit.errors import NotFoundError
from servers.toolkit.fields import Cursor, Limit, Query, Sku

Category = Annotated[str, Field(max_length=40, description="family, say switches; '' for all")]
Skus = Annotated[list[Sku], Field(min_length=2, max_length=6, description="two to six SKUs")]


@tool(reads("Search products", rows="public", confidentiality="public"))
def search_products(
    database: Database,
    query: Query,
    category: Category = "",
    limit: Limit = 20,
    cursor: Cursor | None = None,
) -> s.ProductPage:
    """Search products by words or the beginning of a SKU, the best first.

    Use it to look around; to turn a customer's words into one SKU use match_need. Categories
    are switches, routers, vpn, servers, psu, ups, batteries, sensors, cameras, cables, optics,
    mounts, power-cords, subscriptions, services and bundles.
    """
    with database.session() as session:
        return page_of_products(session, query, category, limit, cursor)


@tool(reads("Get a product", rows="public", confidentiality="public"))
def get_product(database: Database, sku: Sku) -> s.ProductDetail:
    """Return all that is known of one SKU: attributes, lifecycle, export class, certificates.

    Of a bundle also its components: the optional ones may be lines with part_of. SKUs come
    from search_products and match_need.
    """
    with database.session() as session:
        return detail_of(session, sku)


@tool(reads("Compare products", rows="public", confidentiality="public"))
def compare_products(database: Database, skus: Skus) -> s.Comparison:
    """Put two to six products side by side; the attributes that differ come first.

    Use it when match_need leaves several candidates.
    """
    with database.session() as session:
        found = find_products(session, skus)
    return compare([_known(found, sku) for sku in dict.fromkeys(skus)])


def _known(found: dict[str, s.Product], sku: str) -> s.Product:
    if sku not in found:
        raise NotFoundError(f"no product {sku!r}", fix="search_products finds SKUs")
    return found[sku]
