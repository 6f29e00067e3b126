"""Every server's migrations: an empty database gets exactly the tables that the code describes,
and one that stands at the first migration is brought up with every row kept.
"""

import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from servers.registry import NAMES
from servers.toolkit import migrate
from servers.toolkit.database import Database
from servers.toolkit.errors import StorageError
from servers.toolkit.grants import Grant
from servers.toolkit.ledger import Ledger
from servers.toolkit.seeding import ensure_seeded

POSTGRES = os.environ.get("DEALDESK_TEST_POSTGRES", "")
FIRST = "0001_schema"
UPGRADED = [name for name in NAMES if migrate.head_of(name) != FIRST]
Make = Callable[[str], Database]
HOUSE_TRIGGERS = {
    "sqlite": {"audit_is_append_only_UPDATE", "audit_is_append_only_DELETE"},
    "postgresql": {"audit_is_append_only"},
}
QUOTE_GUARDS = {f"quote_guard_{place}" for place in (0, 1, 2, 3, 9, 10)}
APPROVAL_GUARDS = {f"approval_guard_{place}" for place in (4, 5, 6, 7, 8)}
LATEST = {"opportunity_created", "opportunity_dated", "activity_is_latest", "activity_is_gone"}
NAME_INDEX = {
    f"text_index_{table}_normalized_{what}"
    for table in ("account_alias", "contact")
    for what in ("added", "changed", "gone")
}
TRIGGERS = {
    ("crm", "sqlite"): {
        *LATEST,
        *NAME_INDEX,
        *("activity_indexed", "document_indexed"),
        *("activity_is_append_only_update", "activity_is_append_only_delete"),
        *("quote_step_is_append_only_update", "quote_step_is_append_only_delete"),
        "activity_moves_with_a_merge",
    },
    ("crm", "postgresql"): {
        *LATEST,
        *("activity_is_append_only", "quote_step_is_append_only"),
        "activity_moves_with_a_merge",
    },
    ("catalog", "sqlite"): {"product_fts_insert", "product_fts_update", "product_fts_delete"},
    ("finance", "sqlite"): {
        *QUOTE_GUARDS,
        *APPROVAL_GUARDS,
        *("quote_guard_replace", "approval_guard_replace"),
    },
    ("finance", "postgresql"): {*QUOTE_GUARDS, *APPROVAL_GUARDS},
}
TEXT_INDEX = (
    "product_fts",
    "text_index",
    "ix_product_search_vector",
    "search_vector",
    "activity_words",
    "document_words",
)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of each kind; PostgreSQL only where a server is named."""
    if request.param == "sqlite":
        yield str(tmp_path / "new.db")
        return
    if not POSTGRES:
        pytest.skip("DEALDESK_TEST_POSTGRES is not set")
    name = f"dealdesk_migrated_{secrets.token_hex(4)}"
    keeper = sa.create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    with keeper.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    yield sa.make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    with keeper.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    keeper.dispose()


@pytest.fixture
def described(monkeypatch: pytest.MonkeyPatch) -> list[sa.MetaData]:
    """The tables that each server's `env.py` names, as they are opened."""
    seen: list[sa.MetaData] = []
    run_env = migrate.run_env

    def keep(metadata: sa.MetaData) -> None:
        seen.append(metadata)
        run_env(metadata)

    monkeypatch.setattr(migrate, "run_env", keep)
    return seen


@pytest.mark.parametrize("server", NAMES)
def test_an_empty_database_gets_exactly_the_tables_that_the_code_describes(
    server: str, url: str, described: list[sa.MetaData]
) -> None:
    database = Database.open(url, server)
    tables = [described[0], migrate.shared]
    with database.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_name": lambda name, *_: not str(name).startswith(TEXT_INDEX),
            },
        )
        assert compare_metadata(context, tables) == []  # type: ignore[arg-type]
        inspector = sa.inspect(connection)
        for table in (one for metadata in tables for one in metadata.sorted_tables):
            made = {c["name"]: c["sqltext"] for c in inspector.get_check_constraints(table.name)}
            said = {c.name: c for c in table.constraints if isinstance(c, sa.CheckConstraint)}
            assert made.keys() == said.keys(), table.name
            if database.dialect == "sqlite":  # the other keeps them in its own words
                assert made == {name: str(c.sqltext) for name, c in said.items()}
                where = {str(i.name): _where(i) for i in table.indexes}
                for index in inspector.get_indexes(table.name):
                    kept = index.get("dialect_options", {}).get("sqlite_where")
                    assert where[str(index["name"])] == (None if kept is None else str(kept))
    database.close()


def _where(index: sa.Index) -> str | None:
    kept = index.dialect_options["sqlite"]["where"]
    return None if kept is None else str(kept)


@pytest.mark.parametrize("server", NAMES)
def test_an_empty_database_gets_exactly_these_triggers(server: str, url: str) -> None:
    database = Database.open(url, server)
    named = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
    }
    with database.engine.connect() as connection:
        found = connection.exec_driver_sql(named[database.dialect]).scalars()
        expected = HOUSE_TRIGGERS[database.dialect] | TRIGGERS.get(
            (server, database.dialect), set()
        )
        assert set(found) == expected
        assert migrate.revision_of(connection) == migrate.head_of(server)
    database.close()


def newer_columns(there: sa.Inspector, tables: Any) -> list[tuple[str, str, str]]:
    """The columns that files fill today and the tables at the first migration did not have."""
    found = []
    for name in dict.fromkeys(one.stored.name for one in tables.values()):
        if there.has_table(name):
            known = {column["name"] for column in there.get_columns(name)}
            stored = next(one.stored for one in tables.values() if one.stored.name == name)
            found += [
                (name, column.name, str(column.type.compile(there.dialect)))
                for column in stored.c
                if column.name not in known
            ]
    return found


def at_first(url: str, server: str, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A database at the first migration, with the demo's rows and a revoked grant in it."""
    upgrade = migrate.upgrade
    with monkeypatch.context() as patch:
        patch.setattr(migrate, "upgrade", lambda c, s: upgrade(c, s, FIRST))
        database = Database.open(url, server)
    there = sa.inspect(database.engine)
    tables = import_module(f"servers.{server}.load").TABLES
    newer = [one.stored for one in tables.values() if not there.has_table(one.stored.name)]
    for table in newer:  # the demo's folder fills them too; they go before the upgrade
        table.create(database.engine)
    columns = newer_columns(there, tables)
    with database.write() as session:
        for table_name, column, kind in columns:
            session.connection().exec_driver_sql(
                f"ALTER TABLE {table_name} ADD COLUMN {column} {kind}"
            )
    ensure_seeded(database, tables)
    with database.write() as session:
        for table_name, column, _ in columns:
            session.connection().exec_driver_sql(f"ALTER TABLE {table_name} DROP COLUMN {column}")
    for table in newer:
        table.drop(database.engine)
    with database.write() as session:
        session.connection().exec_driver_sql(
            "INSERT INTO revoked_grant (grant_id, at) VALUES "
            "('g_gone', '2026-11-20T10:00:00+00:00'), ('g_recent', '2126-11-20T10:00:00+00:00')"
        )
    return database


def rows_of(database: Database) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, but the revision."""
    known = sa.MetaData()
    with database.engine.connect() as connection:
        known.reflect(connection)
        return {
            table.name: sorted(
                (dict(row) for row in connection.execute(table.select()).mappings()), key=str
            )
            for table in known.sorted_tables
            if not table.name.startswith(("alembic_version", "text_index", "product_fts"))
        }


@pytest.mark.parametrize("server", UPGRADED)
def test_one_at_the_first_migration_is_backed_up_and_brought_up_with_every_row(
    server: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = at_first(url, server, monkeypatch)
    before = rows_of(old)
    old.close()
    database = Database.open(url, server)
    after = rows_of(database)
    revoked = {row["grant_id"]: row for row in after.pop("revoked_grant")}
    assert {row["grant_id"] for row in before.pop("revoked_grant")} == revoked.keys()
    for name, rows in before.items():  # new tables are empty, new columns say nothing
        columns = set(rows[0]) if rows else set()
        kept = [{n: v for n, v in row.items() if n in columns} for row in after[name]]
        assert sorted(kept, key=str) == rows, name
    assert sum(map(len, before.values())) > 100
    assert revoked["g_gone"]["expires"] == 1795255200  # the day after, at the longest
    ledger = Ledger(database)
    assert ledger.is_revoked("g_gone")
    ledger.revoke(Grant(id="g_new", audience=server, agent="price", expires=4000000000))
    assert {row["grant_id"] for row in rows_of(database)["revoked_grant"]} == {"g_recent", "g_new"}
    database.close()
    Database.open(url, server).close()
    if "://" not in url:
        (backup,) = Path(url).parent.glob(f"new.db.{FIRST}.*.bak")
        with closing(sqlite3.connect(backup)) as copy:
            kept = copy.execute("SELECT grant_id, at FROM revoked_grant ORDER BY 1").fetchall()
        assert [grant_id for grant_id, _ in kept] == ["g_gone", "g_recent"]


def test_a_need_of_before_is_of_as_much_after(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    old = at_first(url, "crm", monkeypatch)
    with old.write() as session:
        session.connection().exec_driver_sql(
            "INSERT INTO need SELECT 'need_old', opportunity_id, account_id, 'act_1', 0, 5, 'k', "
            "'words', 12, 'each', optional, 'proposed', 1, '2026-11-20T10:00:00Z', 'import' "
            "FROM (SELECT opportunity_id, account_id, 1 = 0 AS optional FROM opportunity LIMIT 1) o"
        )
    old.close()
    database = Database.open(url, "crm")
    with database.engine.connect() as connection:
        kept = connection.exec_driver_sql("SELECT quantity FROM need").scalar_one()
    assert kept == 12_000_000  # in micro units
    database.close()


def test_a_company_of_ones_own_in_the_demos_place_is_not_taken_for_the_demo(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = at_first(url, "finance", monkeypatch)
    with old.write() as session:
        session.connection().exec_driver_sql(
            "INSERT INTO person (person_id, name, title, roles) "
            "SELECT 'per_own', name, title, roles FROM person WHERE person_id = 'per_lena'"
        )
    assert old.setting("seeded") == "demo"
    old.close()
    database = Database.open(url, "finance")
    assert database.setting("seeded") == "own"
    database.close()


def test_a_migration_that_loses_a_reference_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "new.db"
    at_first(str(path), "finance", monkeypatch).close()
    upgrade = migrate.upgrade

    def careless(connection: sa.Connection, server: str) -> None:
        upgrade(connection, server)
        connection.exec_driver_sql("DELETE FROM customer WHERE account_id = 'acc_001'")

    monkeypatch.setattr(migrate, "upgrade", careless)
    with pytest.raises(StorageError, match="refers to no row of customer"):
        Database.open(path, "finance")
    with closing(sqlite3.connect(path)) as kept:
        assert kept.execute("SELECT version_num FROM alembic_version").fetchall() == [(FIRST,)]
        assert kept.execute("SELECT count(*) FROM customer").fetchone()[0] > 0


@pytest.mark.parametrize("revision", sorted(migrate.BEFORE_THE_FIRST_RELEASE))
def test_one_from_before_the_first_release_is_refused_named_and_left_as_it_is(
    revision: str, url: str
) -> None:
    database = Database.open(url, "crm")
    with database.write() as session:
        session.connection().exec_driver_sql(
            f"UPDATE alembic_version SET version_num = '{revision}'"  # noqa: S608 - ours
        )
    before = rows_of(database)
    database.close()
    file = Path(url) if "://" not in url else None
    written = file and file.read_bytes()
    named = str(file) if file else "the crm database"
    with pytest.raises(StorageError) as caught:
        Database.open(url, "crm")
    said = f"{caught.value} {caught.value.fix}"
    assert named in said
    assert f"before the first release (revision {revision})" in said
    assert "--home" in said
    if file:
        assert file.read_bytes() == written
        assert [path.name for path in file.parent.iterdir()] == ["new.db"]
    again = Database(sa.create_engine(f"sqlite:///{file}" if file else url), "crm")
    assert rows_of(again) == before
    again.close()
