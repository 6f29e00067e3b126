"""Runs and their events: one SQLite file, or tables beside the engine's on PostgreSQL.

This is what people and views read; the engine's checkpoints are its own business. Two promises
live here as constraints: an opportunity has one open run, and what a run's body says happens
once however often the body is replayed.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from time import time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError

from orchestrator.errors import EnvironmentProblem, UsageError
from servers.toolkit.short_tables import add_table

SCHEMA = 1
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_AFTER_EVENT = {"waiting": "waiting", "decided": "open"}
"""The status a run has once such an event is stored."""

Row = dict[str, Any]
Rows = list[Row]

_meta = sa.MetaData()
_schema = add_table(_meta, "run_schema", "version int key")
_run = add_table(
    _meta,
    "run",
    "n int key, run_id 40 unique, goal text, account_id 50?, opportunity_id 50?, status 10, "
    "outcome 20?, quote_id 50?, requested_by 80, model 80, order_date 10, continues 40?, "
    "created_at 40, updated_at 40, result json?",
)
_event = add_table(
    _meta,
    "event",
    "run_id 40 key, seq int key, at 40, type 20, agent 40, data json, once 40?",
    said_once=("run_id", "once"),
)
_noted = add_table(_meta, "noted", "what 40 key, until 40")
_open = sa.and_(_run.c.status != "done", _run.c.opportunity_id.is_not(None))
sa.Index(
    "one_open_run_per_opportunity",
    _run.c.opportunity_id,
    unique=True,
    sqlite_where=_open,
    postgresql_where=_open,
)


@dataclass(frozen=True)
class NewEvent:
    """An event that has no number yet; `once` names what may be said only once in a run."""

    run_id: str
    type: str
    agent: str
    data: Mapping[str, Any]
    at: str
    once: str | None = None


class Store:
    """Reads and writes runs and events; `open_store` opens one."""

    def __init__(self, url: str) -> None:
        """Open the database, making its tables when it is new."""
        self._engine = make_engine(url)
        self._held: list[NewEvent] = []
        self._lock = Lock()
        with self._begin() as db:
            _prepare(db)

    def create(
        self,
        *,
        asked: Mapping[str, Any],
        requested_by: str,
        order_date: str,
        continues: str | None = None,
    ) -> str:
        """Store a new run with its first event, and return its id.

        Args:
            asked: All it takes to start the run: `goal`, `model`, and what the caller needs.
        """
        facts = {
            "goal": asked["goal"],
            "requested_by": requested_by,
            "model": asked["model"],
            "order_date": order_date,
            "continues": continues,
            "status": "open",
            "created_at": now(),
            "updated_at": now(),
        }
        while True:
            run_id = "run_" + "".join(secrets.choice(_ALPHABET) for _ in range(6))
            first = NewEvent(run_id, "run_started", "", asked, now(), "run_started")
            try:
                with self._begin() as db:
                    db.execute(_run.insert().values(run_id=run_id, **facts))
                    _append(db, run_id, [first])
            except IntegrityError:  # one in a thousand million
                continue
            return run_id

    def get(self, run_id: str) -> Row:
        with self._begin() as db:
            row = db.execute(_run.select().where(_run.c.run_id == run_id)).mappings().first()
        if row is None:
            raise UsageError(f"no run {run_id!r}", fix="`dealdesk runs list` shows them all")
        return {name: value for name, value in row.items() if name != "n"}

    def model_of(self, run_id: str) -> str | None:
        """Return who plays a run; None when there is no such run."""
        with self._begin() as db:
            found = db.execute(sa.select(_run.c.model).where(_run.c.run_id == run_id)).scalar()
        return None if found is None else str(found)

    def list(self) -> Rows:
        with self._begin() as db:
            rows = db.execute(_run.select().order_by(_run.c.n.desc())).mappings().all()
        return [{name: value for name, value in row.items() if name != "n"} for row in rows]

    def claim(self, run_id: str, account_id: str, opportunity_id: str) -> str | None:
        """Say what a run is about, or return the other open run that has the opportunity."""
        about = {"account_id": account_id, "opportunity_id": opportunity_id}
        while True:
            try:
                with self._begin() as db:
                    db.execute(_run.update().where(_run.c.run_id == run_id).values(**about))
                return None
            except IntegrityError:
                held = sa.select(_run.c.run_id).where(
                    _open, _run.c.opportunity_id == opportunity_id, _run.c.run_id != run_id
                )
                with self._begin() as db:
                    holder = db.execute(held).scalar()
                if holder is not None:
                    return str(holder)

    def finish(self, run_id: str, result: Mapping[str, Any]) -> None:
        """End a run with its result and its last event; the first end stands.

        That frees its opportunity. What was said before is stored first: what is not, ends nothing.
        """
        values: dict[str, Any] = {
            name: sa.func.coalesce(result.get(name), _run.c[name])
            for name in ("account_id", "opportunity_id", "quote_id")
        }
        values |= {"outcome": result["outcome"], "result": dict(result), "updated_at": now()}
        ends = _run.update().where(_run.c.run_id == run_id, _run.c.status != "done")
        said = {"outcome": result["outcome"]}
        last = NewEvent(run_id, "run_finished", "", said, now(), "run_finished")
        self.flush()
        with self._begin() as db:
            if db.execute(ends.values(status="done", **values)).rowcount:
                _append(db, run_id, [last])

    def reopen(self, run_id: str) -> None:
        """Let a waiting run go on; any other is left as it is."""
        waits = _run.update().where(_run.c.run_id == run_id, _run.c.status == "waiting")
        with self._begin() as db:
            db.execute(waits.values(status="open", updated_at=now()))

    def noted(self, what: str) -> str | None:
        """Return until when something was noted, as `note` was told."""
        with self._begin() as db:
            return db.scalar(sa.select(_noted.c.until).where(_noted.c.what == what))

    def note(self, what: str, until: str) -> None:
        with suppress(IntegrityError), self._begin() as db:  # another notes it at this moment
            db.execute(_noted.delete().where(_noted.c.what == what))
            db.execute(_noted.insert().values(what=what, until=until))

    def add(self, event: NewEvent) -> None:
        """Take an event; the next `flush` stores it."""
        with self._lock:
            self._held.append(event)

    def flush(self) -> None:
        """Store what was taken so far, in one transaction."""
        with self._lock:
            if not self._held:
                return
            with self._begin() as db:
                for run_id in dict.fromkeys(event.run_id for event in self._held):
                    _append(db, run_id, [e for e in self._held if e.run_id == run_id])
            self._held.clear()

    def events(self, run_id: str, *, after: int = 0) -> Rows:
        """Return a run's events after a sequence number, oldest first."""
        self.flush()
        wanted = _event.select().where(_event.c.run_id == run_id, _event.c.seq > after)
        with self._begin() as db:
            rows = db.execute(wanted.order_by(_event.c.seq)).mappings().all()
        return [{"v": SCHEMA, **{k: v for k, v in row.items() if k != "once"}} for row in rows]

    def close(self) -> None:
        try:
            self.flush()
        finally:
            self._engine.dispose()

    @contextmanager
    def _begin(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.begin() as db:
                yield db
        except IntegrityError:
            raise
        except DBAPIError as problem:
            raise unusable("the database of runs", problem) from problem


@contextmanager
def open_store(url: str) -> Iterator[Store]:
    """Open the store at a database URL, and close it afterwards."""
    with closing(Store(url)) as store:
        yield store


def make_engine(url: str, fill: Callable[[str], object] | None = None) -> sa.Engine:
    """Return an engine for the database at a URL; a SQLite file gets a safe journal mode.

    Args:
        fill: Makes the tables of a new SQLite file at a URL, before anybody sees it.

    Raises:
        EnvironmentProblem: the file is empty, or it or its folder cannot be made.
    """
    parsed = sa.make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return sa.create_engine(parsed, pool_pre_ping=True, hide_parameters=True)
    from servers.toolkit.database import journal_mode, watch_file
    from servers.toolkit.private_files import close_to_others, make_file, private_folder

    path, mode = Path(parsed.database or ""), journal_mode()
    try:
        private_folder(path.parent)
        if not path.exists():
            make_file(path, lambda new: (fill or _begin_file)(f"sqlite:///{new}"))
        close_to_others(path)
        if path.stat().st_size == 0:
            raise EnvironmentProblem(
                f"{path} is an empty file, not a database",
                fix="restore a backup, or remove the file",
            )
    except OSError as problem:
        raise EnvironmentProblem(
            f"{path} cannot be opened", fix="check the folder's permissions"
        ) from problem
    except DBAPIError as problem:
        raise unusable(str(path), problem) from problem
    engine = sa.create_engine(parsed, hide_parameters=True)
    watch_file(engine)

    @sa.event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = "IMMEDIATE"  # a write takes the lock before it reads
        settings = ("busy_timeout=30000", f"journal_mode={mode}", "synchronous=FULL")
        for pragma in (*settings, "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        if sqlite3.sqlite_version_info < (3, 42):  # DBOS's SQL asks for it
            connection.create_function("unixepoch", 1, lambda _modifier: time())

    return engine


def _begin_file(url: str) -> None:
    engine = sa.create_engine(url)
    with engine.connect() as db:
        db.exec_driver_sql("PRAGMA user_version=1")  # writes the header
    engine.dispose()


def unusable(what: str, problem: Exception) -> EnvironmentProblem:
    """Return a database's error in one line, without SQL."""
    cause = problem.orig if isinstance(problem, DBAPIError) and problem.orig else problem
    said = (str(cause).strip().splitlines() or [type(cause).__name__])[0]
    return EnvironmentProblem(f"{what} cannot be used: {said}", fix="`dealdesk doctor` looks at it")


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _prepare(db: sa.Connection) -> None:
    """Make the tables of a new database; refuse a newer or a foreign one."""
    sqlite = db.dialect.name == "sqlite"
    if not {_schema.name, _noted.name} <= {*sa.inspect(db).get_table_names()}:
        # one maker at a time: whoever comes second finds the tables there
        db.exec_driver_sql("BEGIN IMMEDIATE" if sqlite else "SELECT pg_advisory_xact_lock(7302419)")
        tables = sa.inspect(db).get_table_names()
        if _schema.name not in tables:
            if sqlite and tables:
                raise EnvironmentProblem(
                    f"{db.engine.url.database} is another program's database",
                    fix="name another data folder",
                )
            _schema.create(db)
            db.execute(_schema.insert().values(version=SCHEMA))
        _meta.create_all(db)  # also what is new since a file was made
    if db.execute(sa.select(_schema.c.version)).scalar_one() > SCHEMA:
        raise EnvironmentProblem(
            "the database of runs was written by a newer version", fix="upgrade dealdesk"
        )


def _append(db: sa.Connection, run_id: str, events: list[NewEvent]) -> None:
    """Number and store events of one run, leaving out what was said already."""
    # write first, which takes the lock, so that processes that append together leave no gap
    db.execute(_run.update().where(_run.c.run_id == run_id).values(updated_at=events[-1].at))
    mine = _event.c.run_id == run_id
    seq = db.execute(sa.select(sa.func.coalesce(sa.func.max(_event.c.seq), 0)).where(mine)).scalar()
    said = set(db.scalars(sa.select(_event.c.once).where(mine, _event.c.once.is_not(None))))
    rows: Rows = []
    for event in events:
        if event.once is not None and event.once in said:
            continue
        said.add(event.once)
        rows.append({**vars(event), "data": dict(event.data), "seq": int(seq or 0) + len(rows) + 1})
        if status := _AFTER_EVENT.get(event.type):
            going = _run.update().where(_run.c.run_id == run_id, _run.c.status != "done")
            quote = event.data.get("quote_id")
            db.execute(going.values(status=status, **({"quote_id": quote} if quote else {})))
    if rows:
        db.execute(_event.insert(), rows)
