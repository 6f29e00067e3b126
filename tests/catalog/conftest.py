from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from fastmcp import Client
from sqlmodel import Session

from servers.catalog import rulebook
from servers.catalog.eligibility import Destination
from servers.catalog.load import TABLES
from servers.catalog.schemas import LineIn, Product
from servers.catalog.server import create_server
from servers.catalog.store.products import find_families, find_family
from servers.catalog.store.rules import find_destination, find_rules
from servers.profiles import profile_grant
from servers.toolkit.app import Server
from servers.toolkit.database import Database
from servers.toolkit.seeding import ensure_seeded

TODAY = date(2026, 11, 23)


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The demo catalog; nothing writes to it, so all tests share it."""
    database = Database.open(tmp_path_factory.mktemp("catalog") / "catalog.db", server="catalog")
    ensure_seeded(database, TABLES)
    yield database
    database.close()


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.session() as session:
        yield session


@pytest.fixture(scope="session")
def rules(database: Database) -> list[rulebook.Rule]:
    with database.session() as session:
        return find_rules(session)


@pytest.fixture(scope="session")
def catalog(database: Database) -> dict[str, Product]:
    with database.session() as session:
        names = find_families(session)
        return {sku: p for name in names for sku, p in find_family(session, name).items()}


@pytest.fixture(scope="session")
def to(database: Database, rules: list[rulebook.Rule], catalog: dict[str, Product]) -> Any:
    """Return a destination on file: `to("IE")`."""

    def where(country: str, day: date = TODAY) -> Destination:
        with database.session() as session:
            return find_destination(session, country, day, rules, catalog)

    return where


@pytest.fixture(scope="session")
def app(database: Database) -> Server:
    return create_server(database)


@pytest.fixture
async def client(app: Server) -> AsyncIterator[Client[Any]]:
    grant = replace(profile_grant("catalog", "read"), id="g_catalog", agent="tester", run="run_1")
    async with Client(app.view(grant, output_schemas=False)) as client:
        yield client


def lines_of(*parts: tuple[str, int] | dict[str, Any]) -> list[LineIn]:
    """Lines l1, l2, ... from `("SKU", quantity)` or from the fields of a line."""
    made = []
    for place, part in enumerate(parts, start=1):
        fields = part if isinstance(part, dict) else {"sku": part[0], "quantity": part[1]}
        made.append(LineIn.model_validate({"line_id": f"l{place}", **fields}))
    return made


@pytest.fixture(scope="session")
def lines() -> Any:
    return lines_of
