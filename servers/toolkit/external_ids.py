"""Ids that rows have in the programs they come from, kept beside ours."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

from servers.toolkit.migrate import external_table as t
from servers.toolkit.own_ids import normalised


class Origin(NamedTuple):
    """Which file of which source fills which table."""

    source: str
    file: str
    place: str

    @property
    def mine(self) -> sa.ColumnElement[bool]:
        return sa.and_(t.c.source == self.source, t.c.file == self.file, t.c.place == self.place)


def find_ours(session: Session, place: str, theirs: str) -> dict[str, str]:
    """Return our ids of what a source calls so, each with the source."""
    named = sa.and_(t.c.place == place, t.c.same == normalised(theirs)[:200])
    rows = session.connection().execute(sa.select(t.c.ours, t.c.source).where(named))
    return dict(map(tuple, rows))


def find_theirs(session: Session, place: str, ours: str) -> dict[str, str]:
    """Return what each source calls a row of ours."""
    named = sa.and_(t.c.place == place, t.c.ours == ours)
    rows = session.connection().execute(sa.select(t.c.source, t.c.theirs).where(named))
    return dict(map(tuple, rows))


def of_another_source(session: Session, origin: Origin, ours: Mapping[str, str]) -> dict[str, str]:
    """Return those of our ids that another source has filled, each with that source."""
    others = sa.and_(t.c.place == origin.place, t.c.source != origin.source)
    rows = session.connection().execute(sa.select(t.c.ours, t.c.source).where(others))
    return {one: source for one, source in rows if one in ours}


class Kept(NamedTuple):
    """What is gone since the last import, our ids with theirs, and what is back after its end."""

    gone: dict[str, str]
    back: list[str]


def keep(session: Session, origin: Origin, seen: Mapping[str, str]) -> Kept:
    """Keep the ids of the rows of an import; a row that has been ended is gone no more."""
    run = session.connection().execute
    found = run(sa.select(t.c.ours, t.c.theirs, t.c.ended).where(origin.mine)).all()
    before = {row.ours: row for row in found}
    changed = {ours for ours, theirs in seen.items() if _differs(before.get(ours), theirs)}
    for ours in changed:
        if ours in before:
            run(t.delete().where(origin.mine, t.c.ours == ours))
    rows = [
        {**origin._asdict(), "ours": ours, "theirs": theirs[:200], "ended": False}
        | {"same": normalised(theirs)[:200]}
        for ours, theirs in seen.items()
        if ours in changed
    ]
    if rows:
        run(t.insert(), rows)
    return Kept(
        {row.ours: row.theirs for row in found if row.ours not in seen and not row.ended},
        [row.ours for row in found if row.ours in seen and row.ended],
    )


def _differs(before: Any, theirs: str) -> bool:
    return before is None or bool(before.ended) or before.theirs != theirs[:200]


def mark_ended(session: Session, origin: Origin, ours: Collection[str]) -> None:
    for one in ours:
        ended = t.update().where(origin.mine, t.c.ours == one).values(ended=True)
        session.connection().execute(ended)
