"""The CRM server: tools, resources, completion of their ids, and two prompts.

Labels are strict: a result that can hold a word from outside (a name, a subject, a message, a
file) is `untrusted`. Only results made of ids, dates, numbers and our own closed words are not.
"""

from importlib.metadata import version

from servers.crm import prompts, resources
from servers.crm.store.completions import FINDERS
from servers.crm.tools import accounts, needs, opportunities, tasks, texts
from servers.toolkit.app import Server, create_app, finish
from servers.toolkit.completing import completer
from servers.toolkit.components import add_components, job_story
from servers.toolkit.database import Database
from servers.toolkit.seeding import ensure_seeded

PARTS = (accounts, opportunities, tasks, texts, needs, resources, prompts)


def create_server(database: Database) -> Server:
    said = job_story(__package__, "server").strip()
    app = create_app("crm", database, instructions=said, version=version("dealdesk"))
    add_components(app, database, *PARTS)
    return finish(app, completion=completer(database, FINDERS))


def open_server(url: str) -> tuple[Server, dict[str, int]]:
    """Open a database, and fill a new one; return the server and the rows per table loaded."""
    database = Database.open(url, server="crm")
    loaded = ensure_seeded(database)
    return create_server(database), loaded
