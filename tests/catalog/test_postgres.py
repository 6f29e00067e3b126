"""The same catalog on PostgreSQL; skipped unless DEALDESK_TEST_POSTGRES names a server to use."""

import os
import secrets
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from servers.catalog.load import TABLES
from servers.catalog.matching import match
from servers.catalog.phrases import read
from servers.catalog.store.products import find_for_phrase, page_of_products
from servers.catalog.store.rules import find_vocabulary
from servers.toolkit.database import Database
from servers.toolkit.seeding import ensure_seeded

URL = os.environ.get("DEALDESK_TEST_POSTGRES", "")
if URL:
    pytest.importorskip("psycopg", reason="the PostgreSQL driver is not installed")
pytestmark = pytest.mark.skipif(not URL, reason="DEALDESK_TEST_POSTGRES is not set")


@pytest.fixture(scope="module")
def postgres() -> Iterator[Database]:
    name = f"dealdesk_catalog_{secrets.token_hex(4)}"
    keeper = sa.create_engine(URL, isolation_level="AUTOCOMMIT")
    with keeper.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    url = sa.engine.make_url(URL).set(database=name).render_as_string(hide_password=False)
    database = Database.open(url, server="catalog")
    assert ensure_seeded(database, TABLES)["products"] >= 150
    yield database
    database.close()
    with keeper.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    keeper.dispose()


@pytest.mark.parametrize(
    ("phrase", "sku"),
    [
        ("8-port PoE switches", "SW-P8-120"),
        ("Wärmebildkamera", "CAM-T2"),
        ("encrypting LTE routers", "RT-E4-LTE"),
        ("sw p16", "SW-P16-240"),
        ("DIN-rail servers with 32 GB", "SRV-D2-32"),
        ("VPN gateway", None),
        ("garden chairs", None),
    ],
)
def test_phrases(postgres: Database, phrase: str, sku: str | None) -> None:
    with postgres.session() as session:
        vocabulary = find_vocabulary(session)
        wanted = read(phrase, vocabulary)
        found = match(wanted, find_for_phrase(session, wanted), vocabulary)
    assert found.resolved == sku


@pytest.mark.parametrize("text", ["a' & !b | (c:* <-> \\", "'; DROP TABLE product --", "&", ":*"])
def test_operators_are_words(postgres: Database, text: str) -> None:
    with postgres.session() as session:
        page_of_products(session, text, "", 5, None)


def test_search_ranks_the_same_family_first(postgres: Database) -> None:
    with postgres.session() as session:
        page = page_of_products(session, "thermal camera", "", 3, None)
    assert {item.family for item in page.items} == {"cameras"}
