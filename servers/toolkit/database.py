"""One database per server: a SQLite file by default, PostgreSQL by URL.

Opening applies the server's migrations (with a backup of a SQLite file that holds data),
refuses a file that is corrupt, foreign or newer, and never makes a new one over it.
"""

import os
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    DisconnectionError,
    IntegrityError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as NoFreeConnection
from sqlmodel import Session

from servers.toolkit import migrate
from servers.toolkit.errors import StorageError
from servers.toolkit.private_files import close_to_others, make_file, private_folder

LOCKED = 5000
"""Milliseconds for which a call waits for a lock that another holds."""


GUARD = "P0001"
"""What PostgreSQL says when a trigger of ours refuses a change; SQLite says a row does not fit."""


def journal_mode(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> str:
    """Return the journal mode that is safe on this SQLite.

    WAL where the fix of the WAL-reset bug is in (3.51.3, and the backports 3.50.7 and 3.44.6),
    else the rollback journal, which the bug does not touch. See https://sqlite.org/wal.html.
    """
    fixed = (
        version >= (3, 51, 3)
        or (version[:2] == (3, 50) and version[2] >= 7)
        or (version[:2] == (3, 44) and version[2] >= 6)
    )
    return "WAL" if fixed else "DELETE"


class Database:
    """A server's database: `session()` reads, `write()` writes in one transaction."""

    def __init__(self, engine: Engine, server: str, folder: Path | None = None) -> None:
        self.engine = engine
        self.server = server
        self.folder = folder
        self.keys: Path | None = None  # the desk's, as whoever opens the server for a desk says
        self._writer = engine.execution_options(dealdesk_write=True)

    @classmethod
    def open(cls, url_or_path: str | Path, server: str) -> "Database":
        """Open, check and migrate a file, or a `sqlite:///` or `postgresql+psycopg://` URL.

        Raises:
            StorageError: unreachable, read-only, corrupt, another program's file, or newer.
        """
        url = str(url_or_path)
        if "://" not in url:
            url = f"sqlite:///{Path(url).absolute()}"
        try:
            parsed = make_url(url)
        except ArgumentError as problem:
            raise StorageError(f"the {server} database URL cannot be read") from problem
        in_file = parsed.drivername.startswith("sqlite") and parsed.database
        path = Path(parsed.database or "") if in_file else None
        try:
            if path is not None:
                _check_file(path, server)
            database = cls(_engine(url), server, path.absolute().parent if path else None)
            try:
                database._bring_up_to_date(path)
            except Exception:
                database.close()
                raise
        except (SQLAlchemyError, sqlite3.Error, OSError) as problem:
            raise _storage_error(problem, server, path) from problem
        return database

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.engine.dialect.name

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Open a session that reads.

        Raises:
            StorageError: the database is away, locked, full or cut off.
        """
        with self._in_words(), Session(self.engine) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open a session that commits at the end, or rolls back on any error.

        On SQLite it takes the write lock at once (BEGIN IMMEDIATE), so that a read inside it
        stays true until the commit.

        Raises:
            StorageError: the database is away, stayed locked, is full or cut off.
        """
        with self._in_words(), Session(self._writer, expire_on_commit=False) as session:
            yield session
            session.commit()

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        """Tell trouble with the database as STORAGE; a row that does not fit is no such trouble."""
        try:
            yield
        except (IntegrityError, DataError):
            raise
        except (DBAPIError, NoFreeConnection) as problem:
            if getattr(getattr(problem, "orig", None), "sqlstate", "") == GUARD:
                raise
            raise _storage_error(problem, self.server, None) from problem

    def setting(self, name: str) -> str | None:
        """Return a setting kept in this database, `seeded` for example."""
        table = migrate.setting_table
        with self.session() as session:
            row = session.connection().execute(table.select().where(table.c.name == name)).first()
            return None if row is None else str(row.value)

    def close(self) -> None:
        self.engine.dispose()

    def _bring_up_to_date(self, path: Path | None) -> None:
        with self.engine.connect() as connection:
            revision = migrate.revision_of(connection)
        if revision == migrate.head_of(self.server):
            return
        migrate.check_released(revision, self.server, f"the {self.server} database")
        if path is not None and migrate.knows(self.server, revision):
            _back_up(path, str(revision))
        with self._writer.connect() as connection, _tables_may_move(connection), connection.begin():
            if self.dialect == "postgresql":
                _lock_schema(connection)
            migrate.upgrade(connection, self.server)
            _check_references(connection)


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        engine = create_engine(url, pool_pre_ping=True, hide_parameters=True)

        @event.listens_for(engine, "connect")
        def _on_server_connect(connection: Any, _record: object) -> None:
            connection.autocommit = True  # else the first rollback would take it back
            connection.execute(f"SET lock_timeout = {LOCKED}")
            connection.autocommit = False

        return engine
    engine = create_engine(url, hide_parameters=True)
    mode = journal_mode()
    watch_file(engine)

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we emit BEGIN ourselves, below
        always = ("synchronous=FULL", "foreign_keys=ON", "recursive_triggers=ON")
        for pragma in (f"busy_timeout={LOCKED}", f"journal_mode={mode}", *always):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("dealdesk_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def watch_file(engine: Engine) -> None:
    """Let an engine use the SQLite file that lies at its path, and never make one.

    An open connection reads on from a file that was moved away, and a new one would be given an
    empty file.
    """
    path = str(engine.url.database)

    @event.listens_for(engine, "do_connect")
    def _on_do_connect(*_arguments: object) -> None:
        if not os.path.exists(path):
            raise sqlite3.OperationalError("unable to open database file: it is away")

    @event.listens_for(engine, "connect")
    def _on_connect(_connection: object, record: Any) -> None:
        record.info["file"] = _file_at(path)

    @event.listens_for(engine, "checkout")
    def _on_checkout(_connection: object, record: Any, _proxy: object) -> None:
        if record.info["file"] != _file_at(path):
            raise DisconnectionError


def _file_at(path: str) -> tuple[int, int] | None:
    with suppress(OSError):
        found = os.stat(path)
        return found.st_dev, found.st_ino
    return None


def _application_id(server: str) -> int:
    return zlib.crc32(f"dealdesk/{server}".encode()) & 0x7FFFFFFF


_HAS_REVISION = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"


def _check_file(path: Path, server: str) -> None:
    """Refuse a file that is not ours; make a new one whole, so that nobody sees half of it."""
    private_folder(path.parent)
    if not path.exists():
        make_file(path, lambda new: _mark(new, server))
    close_to_others(path)
    if path.stat().st_size == 0:
        raise StorageError(
            f"{path} is an empty file, not a database", fix="restore a backup, or remove the file"
        )
    with closing(sqlite3.connect(path, timeout=10)) as connection:
        (found,) = connection.execute("PRAGMA application_id").fetchone()
        if found != _application_id(server):
            raise StorageError(
                f"{path} is not a dealdesk {server} database", fix="name the right file"
            )
        (state,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if state != "ok":
            raise StorageError(f"{path} is corrupt", fix="restore a backup of it")
        if connection.execute(_HAS_REVISION).fetchone() is not None:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            migrate.check_released(row and row[0], server, str(path))


def _mark(path: Path, server: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA application_id={_application_id(server)}")
        connection.execute("PRAGMA user_version=1")  # writes the header


def _back_up(path: Path, revision: str) -> None:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    copy = path.with_name(f"{path.name}.{revision}.{stamp}.bak")
    copy.touch(0o600)
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)


@contextmanager
def _tables_may_move(connection: Connection) -> Iterator[None]:
    """Let a migration rebuild a SQLite table that others refer to.

    SQLite changes a constraint only by a new table in the old one's place, and asks for foreign
    keys to be off meanwhile, which works outside a transaction only. `_check_references` looks
    at every row before the commit, so that nothing dangling stays.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101 - it was just connected
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


def _check_references(connection: Connection) -> None:
    """Refuse a migration after which a row would refer to nothing; SQLite only."""
    if connection.dialect.name != "sqlite":
        return
    lost = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if lost is not None:
        raise StorageError(
            f"a row of {lost[0]} refers to no row of {lost[2]}", fix="restore a backup of it"
        )


def _lock_schema(connection: Connection) -> None:
    """Let one process migrate a PostgreSQL database at a time, and the others wait for it."""
    connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
    connection.execute(text("SELECT pg_advisory_xact_lock(:k)"), {"k": zlib.crc32(b"dealdesk")})


def _storage_error(problem: Exception, server: str, path: Path | None) -> StorageError:
    """Say in one line what a driver said in many, without SQL and without a URL's password."""
    cause = problem.orig if isinstance(problem, DBAPIError) and problem.orig else problem
    said = (str(cause).strip().splitlines() or [type(cause).__name__])[0].lower()
    where = str(path) if path is not None else f"the {server} database"
    for words, message, fix in (
        ("readonly", "cannot be written", "check the permissions of the file and its folder"),
        ("permission", "cannot be written", "check the permissions of the file and its folder"),
        ("unable to open", "cannot be opened", "check the path and the folder's permissions"),
        ("not a database", "is not a database", "restore a backup, or name another file"),
        ("malformed", "is corrupt", "restore a backup of it"),
        ("locked", "stayed locked", "try again when the other program is done"),
        ("lock timeout", "stayed locked", "try again when the other program is done"),
        ("full", "has no space left", "free some space and try again"),
        ("no space", "has no space left", "free some space and try again"),
        ("connection", "cannot be reached", "check that the database server runs and the URL"),
        ("does not exist", "does not exist", "create it, or check the URL"),
    ):
        if words in said:
            return StorageError(f"{where} {message}", fix=fix)
    return StorageError(
        f"{where} cannot be used ({type(cause).__name__})", fix="see `dealdesk doctor`"
    )
