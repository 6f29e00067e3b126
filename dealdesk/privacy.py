"""What the house holds of a person, in every database and file: shown, given out, or erased."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from secrets import token_hex
from shutil import copyfile
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

from dealdesk.settings import Settings
from orchestrator.durable.privacy import ENGINE, RUNS, database_at, with_runs
from orchestrator.errors import EnvironmentProblem, UsageError
from servers.registry import NAMES, held_by
from servers.toolkit import privacy as p
from servers.toolkit.database import Database
from servers.toolkit.errors import DomainError, NotFoundError
from servers.toolkit.private_files import make_file, private_folder

FILE = "erasures.json"
"""In the data folder: who was erased, by keyed digests; a restore takes it with --erasures."""


class Place(NamedTuple):
    """A database, and what of its tables may hold something of a person."""

    name: str
    engine: sa.Engine
    held: Mapping[str, p.Held]
    schema: str | None = None


@dataclass
class Holding:
    """What there is of one person: rows by place, files, and what stays or is not touched."""

    person: p.Person
    rows: dict[str, list[p.Found]] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)
    backups: list[Path] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """How many rows of which table would change."""
        rows = [(place, one) for place, rows in self.rows.items() for one in rows if not one.kept]
        names = [f"{place}.{one.table.name}" for place, one in rows]
        return {name: names.count(name) for name in dict.fromkeys(names)}


class House:
    """Every place of a data folder where something of a person may be; `open_house` opens it."""

    def __init__(self, settings: Settings, places: Sequence[Place]) -> None:
        self.settings, self.places = settings, {place.name: place for place in places}
        self.day = datetime.now(UTC).date().isoformat()
        with Session(self.places["finance"].engine) as session:
            self.kept = held_by("finance").keeper(session)

    def holds(self, named: Sequence[str], *, erasing: bool = False) -> Holding:
        """Return all there is of whom ids of contacts or mail addresses mean."""
        with Session(self.places["crm"].engine) as session:
            person: p.Person = held_by("crm").find_person(session, named)
        if "runs" in self.places:
            with self.places["runs"].engine.connect() as connection:
                person = with_runs(connection, person, ending=erasing)
        holding = Holding(person, backups=sorted(self.settings.home.glob("*.bak")))
        for place in self.places.values():
            with place.engine.connect() as connection:
                found = self._find(connection, place, person)
            holding.rows[place.name] = found
            holding.kept |= {_label(one): one.kept for one in found if one.kept}
        self._add_files(holding)
        return holding

    def erase(self, named: Sequence[str], by: str) -> Holding:
        """Erase and note all there is of them.

        The CRM, which knows whom to look for, comes last: what is interrupted can be done again.
        """
        holding = self.holds(named, erasing=True)
        noted = self._noted(named, by, holding.person)
        _write(self.settings.home / FILE, noted.dump())
        for place in self.places.values():
            with place.engine.execution_options(dealdesk_write=True).begin() as connection:
                found = self._find(connection, place, holding.person)
                p.erase(connection, [one for one in found if not one.kept])
                if place.name == "crm":
                    p.store_erasures(connection, noted)
            p.scrub(place.engine, sorted({str(one.table) for one in found}))
        for path in holding.files:
            path.unlink(missing_ok=True)
        return holding

    def erase_again(self, erasures: p.Erasures) -> int:
        """Erase whoever is back of those who were erased; return how many addresses and ids.

        Raises:
            UsageError: the list is of another house.
        """
        with self.places["crm"].engine.execution_options(dealdesk_write=True).begin() as crm:
            before = p.stored_erasures(crm)
            if before is not None and before.key != erasures.key:
                raise UsageError("that list of erasures is of another house", fix="use its own")
            p.store_erasures(crm, erasures)
            rows = crm.execute(sa.text("SELECT contact_id, email FROM contact")).all()
            mails = crm.execute(sa.text("SELECT DISTINCT from_address FROM activity")).all()
        here = [row for row in (*rows, *mails) if not row[-1].startswith(p.ERASED)]
        back = sorted({one for row in here for one in row if one and erasures.day_of(one)})
        if back:
            self.erase(back, "restore")
        return len(back)

    def _find(self, connection: sa.Connection, place: Place, person: p.Person) -> list[p.Found]:
        mark, kept = f"{p.ERASED}{self.day}]", self.kept if place.name == "finance" else p.nothing
        found = p.find(connection, place.held, person, mark, kept=kept, schema=place.schema)
        return list(found)

    def _noted(self, named: Sequence[str], by: str, person: p.Person) -> p.Erasures:
        with self.places["crm"].engine.connect() as connection:
            before = p.stored_erasures(connection) or p.Erasures(token_hex(32))
        mails = [one for one in person.terms if "@" in one]
        contacts = [one for one in person.ids if one.startswith("con_")]
        at = datetime.now(UTC).isoformat(timespec="seconds")
        row = {"at": at, "by": by, "who": before.digests([*named, *mails, *contacts])}
        return replace(before, rows=(*before.rows, row))

    def _add_files(self, holding: Holding) -> None:
        """Add the files of their deals' quotes, but for what a customer got of an issued one."""
        wanted = sa.text("SELECT quote_id, number, opportunity_id, issued_at FROM quote")
        with self.places["finance"].engine.connect() as connection:
            quotes = list(connection.execute(wanted).mappings())
        for row in quotes:
            if row["opportunity_id"] not in holding.person.deals:
                continue
            for path in sorted((self.settings.home / "quotes").glob("*")):
                name = path.name.partition(".")[0]
                if name == row["number"] and (why := self.kept("quote", row)):
                    holding.kept[f"quotes/{path.name}"] = why
                elif name.removesuffix("-internal") in (row["quote_id"], row["number"]):
                    holding.files.append(path)


@contextmanager
def open_house(settings: Settings) -> Iterator[House]:
    """Open every database of a data folder for its owner.

    Raises:
        UsageError: nobody goes by what was named, or a run of theirs has not ended.
        EnvironmentProblem: a database cannot be used.
    """
    with ExitStack() as stack:
        places = []
        for name, url, held in (
            ("engine", settings.engine_url, ENGINE),
            ("runs", settings.runs_url, RUNS),
        ):
            if (engine := database_at(url)) is not None:
                stack.callback(engine.dispose)
                own = engine.dialect.name == "postgresql" and name == "engine"
                places.append(Place(name, engine, held, "dbos" if own else None))
        try:
            for name in sorted(NAMES, key="crm".__eq__):
                database = Database.open(settings.server_url(name), name)
                stack.callback(database.close)
                places.append(Place(name, database.engine, held_by(name).HELD))
            yield House(settings, places)
        except NotFoundError as problem:
            raise UsageError(problem.message, fix=problem.fix) from problem
        except DomainError as problem:
            raise EnvironmentProblem(problem.message, fix=problem.fix) from problem


def export_person(holding: Holding, folder: Path) -> None:
    """Write what there is of a person into a new folder: rows as JSON, and their quotes' files."""
    private_folder(folder)
    for place, found in holding.rows.items():
        rows: dict[str, list[Any]] = {}
        for one in found:
            rows.setdefault(one.table.name, []).append(one.row)
        _write(folder / f"{place}.json", json.dumps(rows, indent=1, default=str))
    for path in holding.files:
        make_file(folder / path.name, partial(copyfile, path))


def _write(path: Path, text: str) -> None:
    make_file(path, lambda new: new.write_text(text, encoding="utf-8"), replacing=True)


def _label(one: p.Found) -> str:
    return f"{one.table.name} {one.row.get('number') or next(iter(one.key.values()))}"
