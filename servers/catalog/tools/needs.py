"""Tools that turn words into products, and a product into others."""

from typing import Annotated

from pydantic import Field

from servers.catalog import matching
from servers.catalog import schemas as s
from servers.catalog.phrases import read
from servers.catalog.store.products import find_family, find_for_phrase, find_product, find_products
from servers.catalog.store.rules import (
    find_destination,
    find_goals,
    find_rules,
    find_substitutes,
    find_vocabulary,
)
from servers.catalog.substitutes import suggest
from servers.toolkit.components import tool
from servers.toolkit.database import Database
from servers.toolkit.declare import reads
from servers.toolkit.fields import Country, OrderDate, Quantity, Sku

Phrase = Annotated[
    str, Field(min_length=1, max_length=120, description="a few of the customer's words")
]


@tool(reads("Match a need", rows="public", confidentiality="public"))
def match_need(
    database: Database,
    phrase: Phrase,
    quantity: Quantity | None = None,
    order_date: OrderDate | None = None,
    limit: Annotated[int, Field(ge=1, le=20)] = 5,
) -> s.MatchResult:
    """Find the product that a short phrase of a customer means ("8-port PoE switches").

    `resolved` is a SKU only when one is clearly ahead. Otherwise it is null and a finding says
    what would decide (AMBIGUOUS_MATCH, NO_EXACT_MATCH) or that there is none (NO_MATCH). A
    product that is no longer sold resolves to its successor, with the finding EOL_SUCCESSOR.
    """
    with database.session() as session:
        vocabulary = find_vocabulary(session)
        wanted = read(phrase, vocabulary, quantity)
        return matching.match(
            wanted,
            find_for_phrase(session, wanted, phrase),
            vocabulary,
            day=order_date,
            limit=limit,
            goals=find_goals(session),
            phrase=phrase,
        )


@tool(reads("Suggest substitutes", rows="public", confidentiality="public"))
def suggest_substitutes(
    database: Database,
    sku: Sku,
    order_date: OrderDate | None = None,
    ship_to_country: Country | None = None,
) -> s.SubstituteList:
    """Return what may stand in for a SKU, the successor first; the choice is a person's.

    With order_date and ship_to_country each one is judged for that day and country.
    """
    with database.session() as session:
        product = find_product(session, sku)
        rows = find_substitutes(session, sku)
        catalog = find_family(session, product.family)
        catalog |= find_products(session, [sku, *(row.stand_in for row in rows)])
        rules = find_rules(session)
        where = None
        if order_date is not None and ship_to_country is not None:
            where = find_destination(session, ship_to_country, order_date, rules, catalog)
    items = suggest(product, rows, catalog, rules, where, order_date)
    return s.SubstituteList(items=items, total=len(items))
