"""The support server: two tools that look at tickets."""

from importlib.metadata import version

from servers.support import tools
from servers.support.load import TABLES
from servers.toolkit.app import Server, create_app, finish
from servers.toolkit.components import add_components
from servers.toolkit.database import Database
from servers.toolkit.seeding import ensure_seeded

INSTRUCTIONS = "Tickets of customers. Account ids come from the dealdesk server crm."


def create_server(database: Database) -> Server:
    """Return the support server on a database that is open and migrated."""
    app = create_app("support", database, instructions=INSTRUCTIONS, version=version("dealdesk"))
    add_components(app, database, tools)
    return finish(app)


def open_server(url: str) -> tuple[Server, dict[str, int]]:
    """Open (and fill, when it is new) the database at a URL or path."""
    database = Database.open(url, server="support")
    loaded = ensure_seeded(database, TABLES)
    return create_server(database), loaded
