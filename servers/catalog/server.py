"""The catalog server: products, what goes together, what goes where, and what a phrase means.

Every row is public and written by ourselves, so results are trusted; there is no price here.
"""

from collections.abc import Sequence
from importlib.metadata import version

from servers.catalog import prompts, resources
from servers.catalog.tools import configuration, needs, products, shipping
from servers.toolkit.app import Server, create_app, finish
from servers.toolkit.completing import completer
from servers.toolkit.components import add_components
from servers.toolkit.database import Database
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


def create_server(database: Database) -> Server:
    app = create_app("catalog", database, instructions=INSTRUCTIONS, version=version("dealdesk"))
    add_components(app, database, products, needs, configuration, shipping, resources, prompts)
    return finish(app, completion=completer(database, resources.FINDERS))


def set_up(database: Database, zones: Sequence[str]) -> list[str]:
    """Write how a new house delivers; `zones` (a country, EU, WORLD) have a price in finance."""
    from servers.catalog.load.own_delivery import put_delivery

    with database.write() as session:
        return put_delivery(session, zones)


def open_server(url: str) -> tuple[Server, dict[str, int]]:
    """Open (and fill, when new: rows per table) the database at a URL or path."""
    database = Database.open(url, server="catalog")
    loaded = ensure_seeded(database)
    return create_server(database), loaded
