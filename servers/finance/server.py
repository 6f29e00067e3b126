"""The finance server: every price, tax, term, approval and quote of the seller."""

from collections.abc import Callable
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from servers.finance import card, prompts, resources
from servers.finance.store.clock import now as wall_clock
from servers.finance.store.database import FinanceDatabase
from servers.finance.store.people import EnrolledPeople
from servers.finance.tools import decisions, parties, pricing, quotes
from servers.toolkit.app import Server, create_app, finish
from servers.toolkit.completing import completer
from servers.toolkit.components import add_components, job_story
from servers.toolkit.database import Database
from servers.toolkit.seeding import ensure_seeded


def create_server(database: Database, *, now: Callable[[], datetime] = wall_clock) -> Server:
    """Return the finance server on a database that is migrated and filled.

    The clock `now` is for approvals, issue times and numbers; prices go by the order date.
    """
    said = job_story(__package__, "server").strip()
    app = create_app("finance", database, instructions=said, version=version("dealdesk"))
    app.people = EnrolledPeople(database, now)
    modules = (pricing, parties, quotes, decisions, resources, prompts, card)
    add_components(app, FinanceDatabase(database, now), *modules)
    return finish(app, completion=completer(database, resources.FINDERS))


def open_server(url: str) -> tuple[Server, dict[str, int]]:
    """Open (and, when new, fill) finance's database; return the server and the rows loaded."""
    database = Database.open(url, "finance")
    try:
        loaded = ensure_seeded(database)
    except BaseException:
        database.close()
        raise
    return create_server(database), loaded


def set_up(database: Database, company: Path) -> tuple[list[str], list[str]]:
    """Write who the seller is, from a company file.

    Returns one sentence per change, and the zones that delivery has a price for. A database
    without policies gets our defaults as well. What is wrong with the file is an
    InvalidInputError that names the field.
    """
    from servers.finance.company import read_company
    from servers.finance.load.own_company import put_company, put_delivery, start

    said = read_company(company)
    with database.write() as session:
        started = start(session, said)
        done = [*put_company(session, said), *put_delivery(session, said), *started]
    return done, [*said.delivery]
