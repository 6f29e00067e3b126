"""What the house holds of a person: found by what a server says of its tables, shown, and erased.

Every row is read, and compared in Python: an index could not find a name inside a text.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from servers.toolkit.migrate import setting_table
from servers.toolkit.shipped import shipped

SETTING = "erasures"
ERASED = "[erased "
"""How the mark begins that stands where something of a person was; a day ends it."""
LEAST_LINE = 25
"""Characters of a line by which a person's words are known again where others repeat them."""


@dataclass(frozen=True)
class Held:
    """Which columns of a table may hold something of a person; a test asks for the rest as `free`.

    Attributes:
        texts: Their names, addresses and words are taken out of these.
        whose: The column that says whose a row is: of one that is theirs, `own` goes as a whole.
        repeats: What was said before in the deal; it goes as a whole in deals of theirs.
        copies: JSON that repeats records; about theirs or their deals, every text in it goes.
        free: Ids, codes, days: nothing of a person.
    """

    texts: str = ""
    whose: str = ""
    own: str = ""
    repeats: str = ""
    copies: str = ""
    free: str = ""


SHARED: Mapping[str, Held] = {
    "audit": Held("actor component reason"),
    "idempotency": Held(copies="result"),
    "external_id": Held("theirs same"),
}
HELD = SHARED
"""Of the tables that every server has; a server with more has its own list."""


def held_in(package: str) -> dict[str, Held]:
    """Return the tables that a package's `privacy.toml` lists."""
    return {table: Held(**said) for table, said in shipped(package, "privacy").items()}


@dataclass(frozen=True)
class Person:
    """Whom to look for.

    `ids` are their contacts and what they wrote or sent, `deals` where they take part. `terms` mean
    them anywhere, `words` (parts of the name, lines of theirs) in their deals only.
    """

    ids: frozenset[str]
    deals: frozenset[str]
    terms: tuple[str, ...]
    words: tuple[str, ...] = ()

    def patterns(self) -> tuple[re.Pattern[str], re.Pattern[str]]:
        """Return what means them anywhere, and what does in their deals."""
        far = "|".join(map(_spelled, self.terms)) or "(?!)"
        near = "|".join(map(_spelled, self.words))
        return re.compile(far, re.I), re.compile(f"{far}|{near}" if near else far, re.I)


def lines_of(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the lines of texts that are long enough to be known again, the longest first."""
    lines = {line.strip(" >\t") for text in texts for line in text.splitlines()}
    return tuple(sorted((one for one in lines if len(one) >= LEAST_LINE), key=len, reverse=True))


def _spelled(term: str) -> str:
    """Return a pattern of a term; how it is spaced, or a phone number written, does not matter."""
    digits = re.sub(r"\D", "", term)
    if len(digits) >= 6 and not re.search(r"[^\d\s()+./-]", term):
        return r"\+?" + r"[\s()./-]*".join(digits)
    words = r"\s+".join(map(re.escape, term.split()))
    return rf"(?<!\w){words}(?!\w)"


@dataclass(frozen=True)
class Found:
    """A row that holds something of a person, and what would stand there instead."""

    table: sa.Table
    key: Mapping[str, Any]
    row: Mapping[str, Any]
    changes: Mapping[str, Any]
    kept: str = ""


def nothing(_table: str, _row: Mapping[str, Any]) -> str:
    """Keep no row."""
    return ""


def find(
    connection: Connection,
    held: Mapping[str, Held],
    person: Person,
    mark: str,
    *,
    kept: Callable[[str, Mapping[str, Any]], str] = nothing,
    schema: str | None = None,
) -> Iterator[Found]:
    """Yield the rows that hold something of a person; `kept` says why a row must stay."""
    there = set(sa.inspect(connection).get_table_names(schema))
    far, near = person.patterns()
    for name, what in held.items():
        if name not in there:
            continue
        table = sa.Table(name, sa.MetaData(schema=schema), autoload_with=connection)
        keys = [column.name for column in table.primary_key]
        every = sa.select(table)
        if not keys:  # a text index
            every = every.add_columns(sa.literal_column("rowid").label("rowid"))
        for row in [dict(one) for one in connection.execute(every).mappings()]:
            pattern = near if _theirs(row, what, person) else far
            changes = _changes(row, what, person, pattern, mark)
            cut = {n: _fitting(v, table.c[n]) for n, v in changes.items()}
            if cut:
                key = {one: row[one] for one in keys or ["rowid"]}
                yield Found(table, key, row, cut, kept(name, row))


def _theirs(row: Mapping[str, Any], held: Held, person: Person) -> bool:
    mine = held.whose and row[held.whose] in person.ids
    return bool(mine or row.get("opportunity_id") in person.deals)


def _changes(
    row: Mapping[str, Any], held: Held, person: Person, pattern: re.Pattern[str], mark: str
) -> dict[str, Any]:
    mine = bool(held.whose) and row[held.whose] in person.ids
    in_deal = row.get("opportunity_id") in person.deals
    whole = [*(held.own.split() if mine else ()), *(held.repeats.split() if in_deal else ())]
    columns = dict.fromkeys(f"{held.texts} {held.own} {held.repeats} {held.copies}".split())
    changed = {}
    for name in columns:
        value, every = row[name], False
        if name in held.copies.split():
            every = mine or in_deal or _names(_parsed(value), person)
        if name in whole:
            after: Any = mark if isinstance(value, str) and value else _cleaned(value, None, mark)
        else:
            after = _cleaned(value, None if every else pattern, mark, pattern)
        if after != value:
            changed[name] = after
    return changed


def _cleaned(
    value: Any, pattern: re.Pattern[str] | None, mark: str, also: re.Pattern[str] | None = None
) -> Any:
    """Return a value without what a pattern finds; without one every text with a blank goes."""
    if isinstance(value, str):
        parsed = _parsed(value)
        if parsed is not value:
            after = _cleaned(parsed, pattern, mark, also)
            said = json.dumps(after, ensure_ascii=value.isascii(), separators=(",", ":"))
            return value if after == parsed else said
        if pattern is None and re.search(r"\s", value.strip()) and value != mark:
            return mark
        find = pattern or also
        return value if find is None else find.sub(mark, value)
    if isinstance(value, dict):
        return {
            _cleaned(n, pattern or also, mark): _cleaned(v, pattern, mark, also)
            for n, v in value.items()
        }
    if isinstance(value, list | tuple):
        return [_cleaned(one, pattern, mark, also) for one in value]
    return value


def _parsed(value: Any) -> Any:
    """Return what a text of JSON holds; any other value is itself."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _names(value: Any, person: Person) -> bool:
    """Say whether a document names a record or a deal of theirs."""
    if isinstance(value, dict | list):
        parts = value.values() if isinstance(value, dict) else value
        return any(_names(one, person) for one in parts)
    return isinstance(value, str) and (value in person.ids or value in person.deals)


def _fitting(value: Any, column: sa.Column[Any]) -> Any:
    length = getattr(column.type, "length", None)
    return value[:length] if isinstance(value, str) and length else value


def erase(connection: Connection, found: Iterable[Found]) -> None:
    """Write what stands there instead, in the caller's transaction, past the guards of the rows."""
    for table, rows in _by_table(found).items():
        with _unguarded(connection, table):
            for one in rows:
                where = [sa.literal_column(f'"{name}"') == v for name, v in one.key.items()]
                connection.execute(sa.update(table).where(*where).values(**one.changes))
    if connection.dialect.name == "sqlite":
        made = "SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%fts5(%'"
        for name in connection.exec_driver_sql(made).scalars().all():  # old words stay in it else
            index = sa.table(name, sa.column(name))
            connection.execute(index.insert().values({name: "rebuild"}))


def _by_table(found: Iterable[Found]) -> dict[sa.Table, list[Found]]:
    tables: dict[str, sa.Table] = {}
    rows: dict[sa.Table, list[Found]] = {}
    for one in found:
        rows.setdefault(tables.setdefault(one.table.name, one.table), []).append(one)
    return rows


@contextmanager
def _unguarded(connection: Connection, table: sa.Table) -> Iterator[None]:
    """Take away the triggers that refuse a change of a table, until the end of the block."""
    run = connection.exec_driver_sql
    if connection.dialect.name == "sqlite":
        guards = run(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ? "
            "AND sql LIKE '%RAISE(%'",
            (table.name,),
        ).all()
        off, on = [f"DROP TRIGGER {name}" for name, _ in guards], [sql for _, sql in guards]
    else:
        found = run(
            "SELECT tgname FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid "
            "WHERE NOT tgisinternal AND prosrc LIKE '%%RAISE%%' AND tgrelid = %s::regclass",
            (str(table),),
        )
        names = list(found.scalars())
        off = [f"ALTER TABLE {table} DISABLE TRIGGER {name}" for name in names]
        on = [f"ALTER TABLE {table} ENABLE TRIGGER {name}" for name in names]
    for statement in off:
        run(statement)
    yield
    for statement in on:
        run(statement)


def scrub(engine: sa.Engine, tables: Iterable[str]) -> None:
    """Let no page of a database keep what was erased: rewrite it, and empty its write-ahead log."""
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        if connection.dialect.name == "sqlite":
            before, driver.isolation_level = driver.isolation_level, None
            driver.execute("VACUUM")
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            driver.isolation_level = before
            return
        driver.autocommit = True
        for statement in [f"VACUUM FULL {name}" for name in tables]:
            driver.execute(statement)
        driver.autocommit = False


@dataclass(frozen=True)
class Erasures:
    """Who was erased and when, by keyed digests of their addresses and ids: a list without names.

    Whoever has it can ask whether an address is on it, and cannot read one out of it.
    """

    key: str
    rows: tuple[Mapping[str, Any], ...] = ()

    def digests(self, values: Iterable[str]) -> list[str]:
        key = bytes.fromhex(self.key)
        known = sorted({one.strip().casefold() for one in values if one.strip()})
        return [hmac.new(key, one.encode(), hashlib.sha256).hexdigest() for one in known]

    def day_of(self, *values: str) -> str:
        """Return when whoever goes by one of these was erased; empty when nobody was."""
        asked = set(self.digests(values))
        return next((row["at"] for row in self.rows if asked & set(row["who"])), "")

    def dump(self) -> str:
        return json.dumps({"key": self.key, "erased": list(self.rows)}, indent=1)


def read_erasures(text: str | None) -> Erasures | None:
    """Return a list of erasures from its text; None when there is none."""
    if not text:
        return None
    said = json.loads(text)
    return Erasures(said["key"], tuple(said["erased"]))


def stored_erasures(connection: Connection) -> Erasures | None:
    named = setting_table.c.name == SETTING
    return read_erasures(connection.execute(sa.select(setting_table.c.value).where(named)).scalar())


def store_erasures(connection: Connection, erasures: Erasures) -> None:
    connection.execute(setting_table.delete().where(setting_table.c.name == SETTING))
    connection.execute(setting_table.insert().values(name=SETTING, value=erasures.dump()))
