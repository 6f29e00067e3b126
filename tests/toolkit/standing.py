"""A server that stands for many tests: making one takes longer than most tests."""

from servers.toolkit.app import Server
from servers.toolkit.database import Database
from servers.toolkit.ledger import Ledger


def seat(server: Server, database: Database) -> Server:
    """Put a server on one test's database, as if it had been made there."""
    vars(server.database).update(vars(database))
    vars(server.ledger).update(vars(Ledger(server.database)))
    return server
