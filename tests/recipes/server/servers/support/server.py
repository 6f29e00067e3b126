"""The support server: two tools that look at tickets."""

# mypy: disable-error-code="untyped-decorator"

from importlib.metadata import version
from typing import Annotated

from pydantic import Field

from servers.support import repository
from servers.support.load import TABLES
from servers.support.schemas import Ticket, TicketPage
from servers.toolkit.app import Server, create_app, finish
from servers.toolkit.database import Database
from servers.toolkit.declare import reads
from servers.toolkit.fields import AccountId, Cursor, Limit
from servers.toolkit.seeding import ensure_seeded

INSTRUCTIONS = "Tickets of customers. Account ids come from the dealdesk server crm."
ACCOUNT = ("account_id",)
TicketId = Annotated[str, Field(max_length=48, description="ticket id, from list_tickets")]


def create_server(database: Database) -> Server:
    """Return the support server on a database that is open and migrated."""
    app = create_app("support", database, instructions=INSTRUCTIONS, version=version("dealdesk"))

    @app.tool(**reads("List tickets", rows="bound", binds=ACCOUNT))
    def list_tickets(account_id: AccountId, limit: Limit = 20, cursor: Cursor = "") -> TicketPage:
        """List the tickets of an account, the newest first."""
        with database.session() as session:
            return repository.tickets(session, account_id, limit, cursor)

    @app.tool(**reads("Get a ticket", rows="bound", binds=ACCOUNT))
    def get_ticket(account_id: AccountId, ticket_id: TicketId) -> Ticket:
        """Return one ticket of an account; ticket_id comes from list_tickets."""
        with database.session() as session:
            return repository.ticket(session, account_id, ticket_id)

    return finish(app)


def open_server(url: str) -> tuple[Server, dict[str, int]]:
    """Open (and fill, when it is new) the database at a URL or path."""
    database = Database.open(url, server="support")
    loaded = ensure_seeded(database, TABLES)
    return create_server(database), loaded
