import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from toy import toy_database

from servers.toolkit.database import Database, journal_mode
from servers.toolkit.errors import StorageError
from servers.toolkit.migrate import setting_table


@pytest.mark.parametrize(
    ("version", "mode"),
    [
        ((3, 40, 1), "DELETE"),
        ((3, 44, 5), "DELETE"),
        ((3, 44, 6), "WAL"),
        ((3, 45, 0), "DELETE"),
        ((3, 50, 6), "DELETE"),
        ((3, 50, 7), "WAL"),
        ((3, 51, 2), "DELETE"),
        ((3, 51, 3), "WAL"),
        ((3, 52, 0), "WAL"),
    ],
)
def test_the_journal_rule(version: tuple[int, ...], mode: str) -> None:
    assert journal_mode(version) == mode


def test_a_new_database_is_migrated_private_and_durable(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "deep" / "crm.db", "crm")
    with database.session() as session:
        connection = session.connection()
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    database.close()
    again = Database.open(tmp_path / "deep" / "crm.db", "crm")
    assert list((tmp_path / "deep").glob("*.bak")) == []
    again.close()


def spoil_text(path: Path) -> None:
    path.write_text("this is no database" * 100)


def spoil_empty(path: Path) -> None:
    path.write_bytes(b"")


def spoil_foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE other (x)")


def spoil_page(path: Path) -> None:
    Database.open(path, "crm").close()
    data = bytearray(path.read_bytes())
    data[4096:8192] = b"\xff" * 4096
    path.write_bytes(bytes(data))


def spoil_newer(path: Path) -> None:
    Database.open(path, "crm").close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (spoil_text, "is not a database"),
        (spoil_empty, "empty file"),
        (spoil_foreign, "is not a dealdesk crm database"),
        (spoil_page, "corrupt"),
        (spoil_newer, "does not know"),
    ],
)
def test_a_file_that_is_not_ours_or_not_whole_is_refused_and_left_alone(
    tmp_path: Path, spoil: object, says: str
) -> None:
    path = tmp_path / "crm.db"
    spoil(path)  # type: ignore[operator]
    before = path.read_bytes()
    with pytest.raises(StorageError, match=says):
        Database.open(path, "crm")
    assert path.read_bytes() == before
    assert list(tmp_path.glob("*.bak")) == []


def test_two_that_start_together_make_one_database(tmp_path: Path) -> None:
    path, problems = tmp_path / "crm.db", []

    def start() -> None:
        try:
            Database.open(path, "crm").close()
        except StorageError as problem:
            problems.append(problem)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert [p.name for p in tmp_path.iterdir() if p.suffix != ".db-journal"] == ["crm.db"]


def test_another_servers_database_is_refused(tmp_path: Path) -> None:
    Database.open(tmp_path / "crm.db", "crm").close()
    with pytest.raises(StorageError, match=r"is not a dealdesk finance database"):
        Database.open(tmp_path / "crm.db", "finance")


def test_a_folder_where_the_file_should_be_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "crm.db").mkdir()
    with pytest.raises(StorageError) as caught:
        Database.open(tmp_path / "crm.db", "crm")
    assert "\n" not in str(caught.value)


def test_an_unreachable_server_names_no_password() -> None:
    url = "postgresql+psycopg://me:s3cret@127.0.0.1:1/none"
    with pytest.raises(StorageError) as caught:
        Database.open(url, "crm")
    assert "s3cret" not in str(caught.value)


@pytest.fixture
def toy(tmp_path: Path) -> Iterator[Database]:
    database = toy_database(tmp_path / "toy.db")
    yield database
    database.close()


def test_a_write_that_fails_leaves_nothing(toy: Database) -> None:
    def fail() -> None:
        with toy.write() as session:
            session.connection().execute(setting_table.insert().values(name="a", value="b"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert toy.setting("a") is None


def test_two_writers_take_turns(toy: Database) -> None:
    with toy.write() as session:
        session.connection().execute(setting_table.insert().values(name="n", value="0"))

    def count() -> None:
        for _ in range(10):
            with toy.write() as session:
                connection = session.connection()
                value = connection.execute(sa.select(setting_table.c.value)).scalar_one()
                connection.execute(setting_table.update().values(value=str(int(value) + 1)))

    threads = [threading.Thread(target=count) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert toy.setting("n") == "30"
