"""The catalog server: products, what goes together, what goes where, and what a phrase means.

Every row is public and written by ourselves, so results are trusted; there is no price here.
"""

# mypy: disable-error-code="untyped-decorator"
# app.tool is overloaded, and mypy cannot choose an overload for `**reads(...)`

from datetime import date
from importlib.metadata import version
from typing import Annotated

from pydantic import Field
from sqlmodel import Session

from servers.catalog import configuration, matching, prompts, resources, shipping
from servers.catalog import repository as repo
from servers.catalog import rulebook as rb
from servers.catalog import schemas as s
from servers.catalog.availability import promise
from servers.catalog.bundles import unpack
from servers.catalog.comparing import compare
from servers.catalog.eligibility import Destination
from servers.catalog.load import TABLES
from servers.catalog.phrases import read
from servers.catalog.selection import join
from servers.catalog.substitutes import suggest
from servers.toolkit.app import Server, create_app, finish
from servers.toolkit.completing import completer
from servers.toolkit.database import Database
from servers.toolkit.declare import prompt, reads
from servers.toolkit.errors import NotFoundError
from servers.toolkit.fields import Country, Cursor, Limit, OrderDate, Quantity, Query, Sku
from servers.toolkit.linking import first_that_fit
from servers.toolkit.seeding import ensure_seeded

INSTRUCTIONS = (
    "The seller's product catalog; it holds no prices. From a customer's words use match_need: it "
    "resolves a SKU only when one is clearly meant. complete_configuration adds what is missing; "
    "check_configuration, check_availability and shipping_options judge lines for a country and a "
    "date. Every judgement is a finding with its rule, its numbers and what would mend it. The "
    "dealdesk server crm says what a customer asked for and where it goes; finance takes the same "
    "lines, a ship_method of shipping_options, and the codes of findings of severity warning or "
    "needs_human as `warnings` of create_quote."
)
ROOM, SMALL = 22_000, 4_000
"""Bytes of one answer, and for its lines at least; findings are always whole."""
Category = Annotated[
    str, Field(max_length=24, pattern=r"^[a-z-]*$", description="family, say switches; '' for all")
]
Phrase = Annotated[
    str, Field(min_length=1, max_length=120, description="a few of the customer's words")
]
Skus = Annotated[list[Sku], Field(min_length=2, max_length=6, description="two to six SKUs")]
Parts = Annotated[
    str,
    Field(
        min_length=1,
        max_length=1000,
        description="what to check, a position per line, say 2 x SRV-R2-128",
    ),
]


def create_server(database: Database) -> Server:
    """Return the catalog on a database that is open and migrated."""
    app = create_app("catalog", database, instructions=INSTRUCTIONS, version=version("dealdesk"))
    _looking(app)
    _choosing(app)
    _judging(app)
    _moving(app)
    resources.register(app)
    _prompts(app)
    return finish(app, completion=completer(database, resources.FINDERS))


def _looking(app: Server) -> None:
    database = app.database

    @app.tool(**reads("Search products", rows="public", confidentiality="public"))
    def search_products(
        query: Query, category: Category = "", limit: Limit = 20, cursor: Cursor | None = None
    ) -> s.ProductPage:
        """Search products by words or the beginning of a SKU, the best first.

        Use it to look around; to turn a customer's words into one SKU use match_need. Categories
        are switches, routers, vpn, servers, psu, ups, batteries, sensors, cameras, cables, optics,
        mounts, power-cords, subscriptions, services and bundles.
        """
        with database.session() as session:
            return repo.search(session, query, category, limit, cursor)

    @app.tool(**reads("Get a product", rows="public", confidentiality="public"))
    def get_product(sku: Sku) -> s.ProductDetail:
        """Return all that is known of one SKU: attributes, lifecycle, export class, certificates.

        Of a bundle also its components: the optional ones may be lines with part_of. SKUs come
        from search_products and match_need.
        """
        with database.session() as session:
            return repo.detail(session, sku)

    @app.tool(**reads("Compare products", rows="public", confidentiality="public"))
    def compare_products(skus: Skus) -> s.Comparison:
        """Put two to six products side by side; the attributes that differ come first.

        Use it when match_need leaves several candidates.
        """
        with database.session() as session:
            found = repo.products(session, skus)
        return compare([_known(found, sku) for sku in dict.fromkeys(skus)])


def _choosing(app: Server) -> None:
    database = app.database

    @app.tool(**reads("Match a need", rows="public", confidentiality="public"))
    def match_need(
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
            vocabulary = repo.vocabulary(session)
            wanted = read(phrase, vocabulary, quantity)
            return matching.match(
                wanted,
                repo.for_phrase(session, wanted),
                vocabulary,
                day=order_date,
                limit=limit,
                goals=repo.goals(session),
            )

    @app.tool(**reads("Suggest substitutes", rows="public", confidentiality="public"))
    def suggest_substitutes(
        sku: Sku, order_date: OrderDate | None = None, ship_to_country: Country | None = None
    ) -> s.SubstituteList:
        """Return what may stand in for a SKU, the successor first; the choice is a person's.

        With order_date and ship_to_country each one is judged for that day and country.
        """
        with database.session() as session:
            product = repo.product(session, sku)
            rows = repo.substitutes(session, sku)
            catalog = repo.family(session, product.family)
            catalog |= repo.products(session, [sku, *(row.stand_in for row in rows)])
            rules = repo.rules(session)
            where = None
            if order_date is not None and ship_to_country is not None:
                where = repo.destination(session, ship_to_country, order_date, rules, catalog)
        items = suggest(product, rows, catalog, rules, where, order_date)
        return s.SubstituteList(items=items, total=len(items))


def _judging(app: Server) -> None:
    database = app.database

    @app.tool(**reads("Check a configuration", rows="public", confidentiality="public"))
    def check_configuration(
        lines: s.Lines, ship_to_country: Country, order_date: OrderDate
    ) -> s.ConfigurationCheck:
        """Judge whether lines fit together and may be sold to a country on a day.

        `ok` is false when any finding is an error or blocked; those that need a person leave it
        true. A finding's subject is the line_id, and its fix names the parts to add or change.
        """
        with database.session() as session:
            rules, catalog, where = _facts(session, lines, ship_to_country, order_date)
        return configuration.check(lines, rules, catalog, where)

    @app.tool(**reads("Complete a configuration", rows="public", confidentiality="public"))
    def complete_configuration(
        lines: s.Lines, ship_to_country: Country, order_date: OrderDate
    ) -> s.Completion:
        """Return the parts to add so that check_configuration passes: supplies, plans, gateways.

        Each addition names the rule that asks for it and the line it is for. Errors that no
        addition mends come back as findings; change those lines.
        """
        with database.session() as session:
            rules, catalog, where = _facts(session, lines, ship_to_country, order_date)
        return configuration.complete(lines, rules, catalog, where)


def _moving(app: Server) -> None:
    database = app.database

    @app.tool(**reads("Check availability", rows="public", confidentiality="public"))
    def check_availability(
        lines: s.Lines,
        order_date: OrderDate,
        needed_by: date | None = None,
        from_line: s.FromLine = 1,
    ) -> s.Availability:
        """Say when each line is ready to leave, from the shelf, from inbound goods or newly built.

        Stock carries the day it was counted. A line that is ready after needed_by is a warning
        LEAD_TIME; transit days come on top, see shipping_options. The findings are of all lines;
        with next_line, ask again for the other lines.
        """
        with database.session() as session:
            catalog = repo.products(session, {line.sku for line in lines})
            given, findings = join(lines, catalog)
            items = unpack(given, catalog)
            stock = repo.stock(session, {item.product.sku for item in items})
            rules = repo.rules(session, "lead_time")
        made = promise(items, stock, order_date, needed_by, rules)
        said = [*findings, *made.findings]
        room = max(SMALL, ROOM - sum(len(one.model_dump_json()) for one in said))
        shown, after = first_that_fit(made.lines, from_line, room)
        return s.Availability(lines=shown, findings=said, next_line=after)

    @app.tool(**reads("Shipping options", rows="public", confidentiality="public"))
    def shipping_options(
        lines: s.Lines, ship_to_country: Country, prefer: s.Mode | None = None
    ) -> s.ShippingOptions:
        """Return the ways to send lines to a country, each allowed or not and why.

        `recommended` follows `prefer` when that mode is allowed. Lithium batteries do not travel
        by air: the finding HAZMAT_MODE names the UN number.
        """
        with database.session() as session:
            catalog = repo.products(session, {line.sku for line in lines})
            items, findings = join(lines, catalog)
            carriage = repo.carriage(session, repo.rules(session, "hazmat"))
        return shipping.options(unpack(items, catalog), ship_to_country, carriage, prefer, findings)


def _prompts(app: Server) -> None:
    @app.prompt(**prompt("Check a configuration"))
    def check_configuration(parts: Parts, ship_to_country: Country) -> str:
        """Let this client's own model check and complete a list of parts."""
        return prompts.check_configuration(parts, ship_to_country)


def _known(found: dict[str, s.Product], sku: str) -> s.Product:
    if sku not in found:
        raise NotFoundError(f"no product {sku!r}", fix="search_products finds SKUs")
    return found[sku]


def _facts(
    session: Session, lines: list[s.LineIn], country: str, day: date
) -> tuple[list[rb.Rule], dict[str, s.Product], Destination]:
    """Read what a judgement of some lines needs; the judgement itself needs no session."""
    rules = repo.rules(session)
    catalog = repo.catalog_for(session, lines, rules)
    return rules, catalog, repo.destination(session, country, day, rules, catalog)


def open_server(url: str) -> tuple[Server, dict[str, int]]:
    """Open (and fill, when it is new) the database at a URL or path.

    Returns:
        The server, and what was loaded into a new database: rows per table.
    """
    database = Database.open(url, server="catalog")
    loaded = ensure_seeded(database, TABLES)
    return create_server(database), loaded
