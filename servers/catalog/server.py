"""The catalog server: products, what goes together, what goes where, and what a phrase means.

Every row is public and written by ourselves, so results are trusted; there is no price here.
"""

from collections.abc import Sequence
from importlib.metadata import version

from servers.catalog import prompts, resources
from servers.catalog.tools import configuration, needs, products, shipping
from servers.toolkit.app import Server, create_app, finish
from servers.toolkit.completing import completer
from servers.toolkit.components import add_components, job_story
from servers.toolkit.database import Database
from servers.toolkit.seeding import ensure_seeded


def create_server(database: Database) -> Server:
    said = job_story(__package__, "server").strip()
    app = create_app("catalog", database, instructions=said, version=version("dealdesk"))
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
