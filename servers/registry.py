"""The one list of servers: settings, choices, profiles, documents and tests derive from it.

A server is a folder beside this file, made of the files that `README.md` names, and is found by
its name. Importing this is light: a server's own modules are imported when it is opened.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from servers.toolkit.app import Server
    from servers.toolkit.database import Database
    from servers.toolkit.grants import Grant
    from servers.toolkit.house import Look
    from servers.toolkit.tables import Table


@dataclass(frozen=True)
class ServerRow:
    """One server, and what a client's settings say of it.

    Its name is its folder, the scheme of its resources, the audience of its grants, and its
    database: `<name>.db` in the data folder, or what `DEALDESK_<NAME>_URL` says.
    """

    name: str
    about: str


SERVERS = (
    ServerRow("crm", "Accounts, deals, mails and needs"),
    ServerRow("catalog", "Products, compatibility, stock and shipping"),
    ServerRow("finance", "Prices, terms, quotes and approvals"),
)
NAMES = tuple(row.name for row in SERVERS)
ABOUT = {row.name: row.about for row in SERVERS}


def create_server(name: str, database: "Database") -> "Server":
    """Return a server on a database that is open and migrated."""
    server: Server = import_module(f"servers.{name}.server").create_server(database)
    return server


def open_server(name: str, url: str) -> "tuple[Server, dict[str, int]]":
    """Open a server's database, and fill a new one; return the server and the rows per table."""
    opened: tuple[Server, dict[str, int]] = import_module(f"servers.{name}.server").open_server(url)
    return opened


def ask_directly(
    name: str, url: str, grant: "Grant", tool: str, arguments: "Mapping[str, Any]"
) -> dict[str, Any] | None:
    """Ask one of a server's `tools.direct.READS`, without importing its tools and FastMCP.

    None means that the server itself has to be asked; see `toolkit.direct`.
    """
    from servers.toolkit.database import Database
    from servers.toolkit.direct import ask

    database = Database.open(url, name)
    try:
        read = import_module(f"servers.{name}.tools.direct").READS[tool]
        return ask(database, grant, tool, read, arguments)
    finally:
        database.close()


def enrolment(url: str) -> Any:
    """Open who is enrolled at a URL or path, for whoever owns the desk; no grant reaches it."""
    return import_module("servers.finance.store.enrolment").open_enrolment(url)


def import_watch(**options: Any) -> Any:
    """Return finance's watch over an import: what it changes, and who may do it."""
    return import_module("servers.finance.store.import_watch").ImportWatch(**options)


def checked_tables(url: str, day: "date") -> Any:
    """Return when finance's tables of law were checked, and how old each may become."""
    return import_module("servers.finance.store.ageing").every_checked(url, day)


def look_at(name: str, url: str) -> "list[Look]":
    """Return what a server's tables have and lack for a first quote; not every server says."""
    from servers.toolkit.database import Database

    try:
        house = import_module(f"servers.{name}.store.house")
    except ModuleNotFoundError:
        return []
    database = Database.open(url, name)
    try:
        with database.session() as session:
            looks: list[Look] = house.look(session)
            return looks
    finally:
        database.close()


def tables_of(name: str) -> "dict[str, Table]":
    """Return how files fill a server's tables, by name, in the order in which they are filled."""
    tables: dict[str, Table] = import_module(f"servers.{name}.load").TABLES
    return tables


def held_by(name: str) -> Any:
    """Return what a server says of its columns that hold something of a person (`HELD` ...)."""
    try:
        return import_module(f"servers.{name}.store.privacy")
    except ModuleNotFoundError:
        return import_module("servers.toolkit.privacy")


def after_restore(url: str, last_number: int | None) -> Any:
    """Make the finance of a restored house safe to go on with; return the gaps of numbers."""
    from datetime import UTC, datetime

    from servers.toolkit.database import Database

    database = Database.open(url, "finance")
    try:
        with database.write() as session:
            settle = import_module("servers.finance.store.restored").after_restore
            return settle(session, datetime.now(UTC), last_number)
    finally:
        database.close()
