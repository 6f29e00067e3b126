from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client
from sqlmodel import Session
from standing import seat

from servers.crm.load import TABLES
from servers.crm.server import create_server
from servers.profiles import profile_grant
from servers.toolkit import scope
from servers.toolkit.app import Server
from servers.toolkit.database import Database
from servers.toolkit.grants import Grant
from servers.toolkit.seeding import ensure_seeded

DATA = Path(__file__).parent / "data"


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file that is copied for each test, because loading mails takes a while."""
    path = tmp_path_factory.mktemp("crm") / "crm.db"
    database = Database.open(path, server="crm")
    ensure_seeded(database, TABLES, DATA)
    database.close()
    return path


@pytest.fixture
def database(seeded: Path, tmp_path: Path) -> Iterator[Database]:
    copy = tmp_path / "crm.db"
    copy.write_bytes(seeded.read_bytes())
    database = Database.open(copy, server="crm")
    yield database
    database.close()


@pytest.fixture(scope="session")
def standing(seeded: Path) -> Iterator[Server]:
    """One server; each test seats it on its own database."""
    database = Database.open(seeded, server="crm")
    yield create_server(Database(database.engine, "crm"))
    database.close()


@pytest.fixture
def app(database: Database, standing: Server) -> Iterator[Server]:
    server = seat(standing, database)
    yield server
    server.ledger.audit.flush()


@pytest.fixture
def grant() -> Iterator[Any]:
    """Give a test the grant that code below the gate sees."""
    marks = []

    def use(**changes: Any) -> Grant:
        found = Grant(**{"id": "g_1", "audience": "crm", **changes})
        marks.append(scope.current_grant.set(found))
        return found

    yield use
    for mark in reversed(marks):
        scope.current_grant.reset(mark)


@pytest.fixture
def reading(database: Database, grant: Any) -> Iterator[Session]:
    grant()
    with database.session() as session:
        yield session


@pytest.fixture
async def admin(app: Server) -> AsyncIterator[Client[Any]]:
    async with Client(app.view(profile_grant("crm", "admin"))) as client:
        yield client
