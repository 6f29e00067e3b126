"""Finding rows by a piece of a text, or by one spelt with a mistake, without reading them all.

A text is kept as its pieces of three letters ("grams"): in FTS5 on SQLite, in an array with a GIN
index on PostgreSQL, where no extension is needed. Triggers and the index itself keep them, so
whoever writes a row, an importer too, cannot leave them behind.
"""

# ruff: noqa: S608 - the names are those of our own tables
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Session, SQLModel

GRAMS = 200
UNKNOWN = 100
"""Rows taken for a gram that PostgreSQL has no count of, because it is not among the usual."""


@dataclass(frozen=True)
class TextIndex:
    """The index of a column that holds folded text; `key` is unique."""

    table: str
    key: str
    column: str

    @property
    def name(self) -> str:
        return f"text_index_{self.table}_{self.column}"

    def create(self, connection: sa.Connection) -> None:
        """Make the index, of the rows that are there too."""
        sqlite = connection.dialect.name == "sqlite"
        for statement in self._sqlite() if sqlite else self._postgres():
            connection.exec_driver_sql(statement)

    def _sqlite(self) -> tuple[str, ...]:
        name, said = self.name, f"' ' || new.{self.column} || ' '"
        put = (
            f"INSERT INTO {name}_said (key, said) VALUES (new.{self.key}, {said}); "
            f"INSERT INTO {name}_grams (rowid, said) VALUES (last_insert_rowid(), {said}); "
        )
        old = f"{name}_said WHERE key = +old.{self.key}"  # + keeps the index: no affinity to apply
        take = (
            f"INSERT INTO {name}_grams ({name}_grams, rowid, said) "
            f"SELECT 'delete', id, said FROM {old}; DELETE FROM {old}; "
        )
        changed = f"UPDATE OF {self.key}, {self.column}"
        return (
            # a key of its own, because VACUUM may give rows other numbers
            f"CREATE TABLE {name}_said (id INTEGER PRIMARY KEY, key NOT NULL UNIQUE, said TEXT)",
            f"INSERT INTO {name}_said (key, said) "
            f"SELECT {self.key}, ' ' || {self.column} || ' ' FROM {self.table}",
            f"CREATE VIRTUAL TABLE {name}_grams USING fts5(said, content='{name}_said', "
            "content_rowid='id', tokenize='trigram', detail=none)",
            f"INSERT INTO {name}_grams ({name}_grams) VALUES ('rebuild')",
            f"CREATE VIRTUAL TABLE {name}_counts USING fts5vocab('{name}_grams', 'row')",
            f"CREATE TRIGGER {name}_added AFTER INSERT ON {self.table} BEGIN {put}END",
            f"CREATE TRIGGER {name}_gone AFTER DELETE ON {self.table} BEGIN {take}END",
            f"CREATE TRIGGER {name}_changed AFTER {changed} ON {self.table} BEGIN {take}{put}END",
        )

    def _postgres(self) -> tuple[str, ...]:
        return (
            "CREATE OR REPLACE FUNCTION text_grams(said text) RETURNS text[] AS $$ "
            "SELECT array_agg(DISTINCT substr(' ' || said || ' ', place, 3)) "
            "FROM generate_series(1, length(said)) AS place $$ LANGUAGE sql IMMUTABLE",
            f"CREATE INDEX {self.name}_grams ON {self.table} USING gin "
            f"(text_grams({self.column}::text))",
        )

    def holds(self, session: Session, words: Iterable[str]) -> sa.ColumnElement[bool]:
        """Return the condition that a row's text holds each of these pieces."""
        words = list(words)
        pieces = {gram for word in words for gram in _grams(word)}
        likes = [self._own(self.column).contains(word, autoescape=True) for word in words]
        return sa.and_(*([self._with(session, pieces, "AND", "@>")] if pieces else []), *likes)

    def near(self, session: Session, text: str, most: int) -> sa.ColumnElement[bool] | None:
        """Return the condition that a row's text shares one of the rare grams of this one.

        What is rarest in a text says most about it; about so many rows meet the condition at most,
        and where it is None none does.
        """
        grams = list(dict.fromkeys(_grams(f" {text} ")))[:GRAMS]
        chosen = rarest(self._counts(session, grams), most)
        return self._with(session, chosen, "OR", "&&") if chosen else None

    def _with(
        self, session: Session, grams: Iterable[str], word: str, operator: str
    ) -> sa.ColumnElement[bool]:
        if _on_sqlite(session):
            query = f" {word} ".join('"' + gram.replace('"', '""') + '"' for gram in sorted(grams))
            index = f"{self.name}_grams"
            held = sa.table(index, sa.column("rowid"), sa.column(index))
            said = sa.table(f"{self.name}_said", sa.column("id"), sa.column("key"))
            rows = sa.select(held.c.rowid).where(held.c[index].op("MATCH")(query))
            return self._own(self.key).in_(sa.select(said.c.key).where(said.c.id.in_(rows)))
        wanted = sa.cast(sorted(grams), ARRAY(sa.Text))
        pieces = sa.func.text_grams(sa.cast(self._own(self.column), sa.Text))
        return pieces.op(operator, is_comparison=True)(wanted)

    def _own(self, name: str) -> sa.ColumnElement[str]:
        return sa.literal_column(f"{self.table}.{name}", sa.String)

    def _counts(self, session: Session, grams: list[str]) -> Mapping[str, int]:
        """Return how many rows have each gram; those that none has may be left out."""
        run = session.connection().execute
        if _on_sqlite(session):
            counts = sa.table(f"{self.name}_counts", sa.column("term"), sa.column("doc"))
            found = run(sa.select(counts).where(counts.c.term.in_(grams))).all()
            return dict(map(tuple, found))
        usual = dict(map(tuple, run(_USUAL, {"grams": grams, "name": f"{self.name}_grams"}).all()))
        return {gram: usual.get(gram, UNKNOWN) for gram in grams}


_USUAL = sa.text(
    "SELECT gram, CAST(part * reltuples AS integer) FROM pg_stats "
    "JOIN pg_class ON relname = tablename, "
    "unnest(most_common_elems::text::text[], most_common_elem_freqs) AS usual (gram, part) "
    "WHERE tablename = :name AND schemaname = current_schema() AND gram = ANY(:grams)"
)


def rarest(counts: Mapping[str, int], most: int) -> list[str]:
    """Return the rarest grams that this many rows have together, and at least one."""
    chosen: list[str] = []
    rows = 0
    for gram in sorted(counts, key=lambda one: (counts[one], one)):
        rows += counts[gram]
        if chosen and rows > most:
            break
        chosen.append(gram)
    return chosen


def begins(session: Session, column: Any, text: str) -> sa.ColumnElement[bool]:
    """Return the condition that a column begins so, in a form that its index answers.

    On PostgreSQL the index has the operators that `pattern_index` names.
    """
    if _on_sqlite(session):
        return sa.and_(column >= text, column < f"{text}\U0010ffff")
    return column.startswith(text, autoescape=True)  # type: ignore[no-any-return] # columns are Any


def pattern_index(model: type[SQLModel] | str, column: str) -> sa.Index:
    """Return an index that answers both what a column is and what it begins with."""
    table = model if isinstance(model, str) else model.__tablename__
    named = f"ix_{table}_{column}"
    return sa.Index(named, column, postgresql_ops={column: "varchar_pattern_ops"})


def _grams(text: str) -> list[str]:
    return [text[at : at + 3] for at in range(len(text) - 2)]


def _on_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"
