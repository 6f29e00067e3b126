"""Write many checked rows at once: new ones are inserted, changed ones updated, by their key."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from sqlalchemy import bindparam, delete, insert, select, update

from servers.toolkit.own_ids import key_text
from servers.toolkit.tables import TODAY, Around, Table, Values

BATCH = 5_000
"""Rows of one statement; PostgreSQL and SQLite both take that many sets of parameters."""
Key = tuple[Any, ...]


class Upsert:
    """The rows of one file against those that are stored: new ones, changed ones, the rest."""

    def __init__(self, table: Table, around: Around, stored: list[Values] | None = None) -> None:
        """Compare with the rows that are stored, or with those given."""
        self.table, self.around, self.session = table, around, around.session
        self._placed = "place" in table.stored.c
        self._own = [column.name for column in table.stored.primary_key]
        self.inserted = self.updated = self.same = 0
        self.missing: dict[str, FieldInfo] | None = None
        if stored is None:
            found = self.session.connection().execute(select(table.stored))
            stored = [dict(row) for row in found.mappings()]
        self.stored = {table.key_of(row): row for row in stored}
        self.last = max((row["place"] for row in stored), default=0) if self._placed else 0
        kinds: list[Any] = [table.fields[n].annotation for n in table.key if n in table.fields]
        self.keys = [TypeAdapter(kind) for kind in kinds]

    def completed(self, row: Values, given: set[str]) -> Values:
        """Return a row with the columns its file does not have as the stored row has them."""
        missing = [name for name in self.table.fields if name not in given]
        if not missing or not self.stored or len(self.keys) != len(self.table.key):
            return row
        try:
            parts = zip(self.keys, self.table.key, strict=True)
            before = self.stored.get(tuple(k.validate_python(row[n]) for k, n in parts))
        except (KeyError, ValidationError):
            return row
        told = self.table.told(before, self.around) if before is not None else {}
        return {**{n: told[n] for n in missing if told.get(n) is not None}, **row}

    def write(self, rows: list[Values]) -> None:
        """Insert the rows whose key is new and update those that differ."""
        if self.table.whole is not None:
            rows = self._in_place_of_their_groups(rows, self.table.whole)
        new, changed = [], []
        for row in rows:
            before = self.stored.get(self.table.key_of(row))
            if before is None:
                new.append(self._new(row))
            elif any(before[name] != value for name, value in row.items()):
                changed.append({**{n: before[n] for n in self._own}, "changed": row})
        self._insert(new)
        self._update(changed)
        self.inserted += len(new)
        self.updated += len(changed)
        self.same += len(rows) - len(new) - len(changed)

    def end(self, keys: Collection[str], day: date) -> int:
        """Give rows, named by their keys as one text, what their table's rows end with."""
        ends = {n: day if said == TODAY else said for n, said in self.table.ends.items()}
        return self._put(keys, ends)

    def revive(self, keys: Collection[str]) -> None:
        """Give rows that are back the default of what ended them, where no file has to say it."""
        fields = self.table.model.model_fields
        self._put(keys, {n: None for n in self.table.ends if fields[n].default is None})

    def _put(self, keys: Collection[str], values: Values) -> int:
        own = [row for key, row in self.stored.items() if key_text(key) in keys] if values else []
        self._update([{**{n: row[n] for n in self._own}, "changed": values} for row in own])
        return len(own)

    def _new(self, row: Values) -> Values:
        if self._placed and "place" not in row:
            self.last += 1
            row = {**row, "place": self.last}
        if self.missing is None:
            fields = self.table.model.model_fields.items()
            self.missing = {n: f for n, f in fields if n not in row and n not in self._own}
        fresh = {n: f.get_default(call_default_factory=True) for n, f in self.missing.items()}
        return {**fresh, **row}

    def _insert(self, rows: list[Values]) -> None:
        rows = _parents_first(self.table, rows)
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            self.session.connection().execute(insert(self.table.stored), batch)

    def _update(self, changed: list[Values]) -> None:
        if not changed:
            return
        table, names = self.table.stored, list(changed[0]["changed"])
        where = [table.c[name] == bindparam(f"own_{name}") for name in self._own]
        values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
        sets = [
            {f"own_{n}": one[n] for n in self._own} | {f"new_{n}": one["changed"][n] for n in names}
            for one in changed
        ]
        self.session.connection().execute(update(table).where(*where).values(values), sets)

    def _in_place_of_their_groups(self, rows: list[Values], by: Sequence[str]) -> list[Values]:
        """Take away the rows of the groups that differ, and return the rows still to be written."""
        stored: dict[Key, list[Values]] = {}
        for one in self.stored.values():
            stored.setdefault(tuple(one[name] for name in by), []).append(one)
        groups: dict[Key, list[Values]] = {}
        for row in rows:
            group = groups.setdefault(tuple(row[name] for name in by), [])
            group.append({**row, "place": len(group)} if self._placed else row)
        left = []
        for key, group in groups.items():
            before = {self.table.key_of(one): one for one in stored.get(key, ())}
            after = {self.table.key_of(one): one for one in group}
            same = [k for k, o in after.items() if k in before and o.items() <= before[k].items()]
            if len(same) == len(before) == len(after):
                self.same += len(same)
                continue
            where = [
                self.table.stored.c[name] == value for name, value in zip(by, key, strict=True)
            ]
            self.session.connection().execute(delete(self.table.stored).where(*where))
            for gone in before:
                del self.stored[gone]
            left += group
        return left


def _parents_first(table: Table, rows: list[Values]) -> list[Values]:
    """Return rows that name rows of their own table after those they name."""
    for column, (target, at) in table.references.items():
        if target is not table.stored:
            continue
        by = {row[at]: row for row in rows}
        placed: dict[Any, Values] = {}
        for row in rows:
            chain = [row]
            while (above := by.get(chain[-1].get(column))) is not None and above not in chain:
                chain.append(above)
            placed |= {one[at]: one for one in reversed(chain) if one[at] not in placed}
        rows = list(placed.values())
    return rows
