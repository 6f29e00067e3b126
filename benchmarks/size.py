"""What the CRM's look-ups cost at 100,000 accounts, contacts, deals and messages.

Floors of the same run: for a name an indexed look-up and 20 candidates ranked; for the texts of one
deal, and the newest deals, the same calls on the demo company. `size.py ROWS URL` takes another
size, and a PostgreSQL server to make a database on for it.
"""

import asyncio
import csv
import random
import resource
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from timing import Case, interleaved, report

from servers.crm.load import TABLES
from servers.crm.matching import Known, fold, normalize, rank
from servers.crm.store import accounts, opportunities, stories
from servers.crm.tables import AccountAlias, Contact
from servers.toolkit import scope
from servers.toolkit.database import Database
from servers.toolkit.grants import Grant
from servers.toolkit.importing import load_folder
from servers.toolkit.seeding import ensure_seeded

ROWS = 100_000
ROUNDS = 15
DEMO = Path(__file__).parents[1] / "seed_data" / "crm"
GRANT = Grant(id="g_bench", audience="crm", agent="bench", tools=frozenset(), requester="bench")


def listed(words: str) -> list[str]:
    """The words of a line."""
    return words.split()


BITS = listed(
    "ba bel bo bra cor da den dor el fa fin ga gro ha hel in jo ka kel la len lo ma mer mi na nor "
    "o pa pel qua ra rik sa sen so sta ta tel tri u va ver wa wil xa yo za zen"
)
KINDS = listed("Technik Logistik Systems Foods Solar Holding Trading Services Bau Energie Labs")
FORMS = listed("GmbH AG Ltd Inc B.V. S.A. Oy AB SAS")
PEOPLE = listed("Anna Ben Carla David Elke Finn Greta Henri Ida Jonas Karin Luis Marta Nils Olga")
WORDS = listed("switch rack cable port sensor camera please quote need price delivery order line")


def word(chance: random.Random, least: int, most: int) -> str:
    """A made-up word."""
    return "".join(chance.choice(BITS) for _ in range(chance.randint(least, most))).capitalize()


def company(chance: random.Random) -> tuple[str, str]:
    """A made-up company's name, and the same with its legal form."""
    parts = [word(chance, 2, 4)]
    parts += [f"& {word(chance, 2, 3)}"] if chance.random() < 0.3 else []
    parts += [chance.choice(KINDS)] if chance.random() < 0.7 else []
    return " ".join(parts), " ".join([*parts, chance.choice(FORMS)])


def files(folder: Path, rows: int) -> None:
    """Write so many accounts, each with a contact, a deal and a message."""
    chance = random.Random(7)  # noqa: S311 - no secret
    columns = {
        "accounts": "account_id name legal_name kind country currency language status",
        "contacts": "contact_id account_id name email",
        "opportunities": "opportunity_id account_id name stage owner created close_date",
        "activities": "activity_id opportunity_id kind direction at subject text",
    }
    told: dict[str, list[Sequence[Any]]] = {one: [listed(said)] for one, said in columns.items()}
    for n in range(rows):
        name, legal = company(chance)
        family, mine = word(chance, 2, 3), f"acc_b{n}"
        domain = f"{fold(name).replace(' ', '-')}-{n}.example"
        person = f"{chance.choice(PEOPLE)} {family}"
        topic = " ".join(chance.choice(WORDS) for _ in range(3))
        day = f"2026-{1 + n % 12:02}-{1 + n % 28:02}"
        told["accounts"].append((mine, name, legal, "business", "DE", "EUR", "de", "active"))
        told["contacts"].append((f"con_b{n}", mine, person, f"{family.lower()}@{domain}"))
        told["opportunities"].append((f"opp_b{n}", mine, topic, "proposal", "per_x", day, day))
        text = " ".join(chance.choice(WORDS) for _ in range(30))
        told["activities"].append(
            (f"act_b{n}", f"opp_b{n}", "note", "internal", f"{day}T09:00:00Z", topic, text)
        )
    for table, lines in told.items():
        with (folder / f"{table}.csv").open("w", newline="") as out:
            csv.writer(out).writerows(lines)


def fill(database: Database, folder: Path) -> None:
    """Import the files, as `dealdesk import` does."""
    with database.write() as session:
        load_folder(session, TABLES, folder).finish()


@contextmanager
def fresh(url: str, folder: Path, name: str) -> Iterator[Database]:
    """Open a new database, in a file or on a server."""
    if not url:
        database = Database.open(folder / f"{name}.db", "crm")
        yield database
        database.close()
        return
    called = f"dealdesk_size_{secrets.token_hex(4)}"
    keeper = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with keeper.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {called}")
    there = sa.make_url(url).set(database=called).render_as_string(hide_password=False)
    database = Database.open(there, "crm")
    yield database
    database.close()
    with keeper.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {called} WITH (FORCE)")
    keeper.dispose()


def floor(database: Database, legal: str) -> None:
    """Look one name up by index, and rank 20 accounts with their names and contacts."""
    a, c = AccountAlias.__table__.c, Contact.__table__.c  # type: ignore[attr-defined]
    ids = [f"acc_b{n}" for n in range(20)]
    with database.session() as session:
        run = session.execute
        run(sa.select(a.account_id).where(a.normalized == fold(legal))).all()
        names = run(sa.select(a.account_id, a.name).where(a.account_id.in_(ids))).all()
        people = run(sa.select(c.account_id, c.name, c.email).where(c.account_id.in_(ids))).all()
        known = [
            Known(
                one,
                tuple(normalize(name) for owner, name in names if owner == one),
                tuple((name, email) for owner, name, email in people if owner == one),
            )
            for one in ids
        ]
        rank(legal, known)


def in_session(database: Database, call: Any, *given: Any, **more: Any) -> Case:
    """One call of the store in a session of its own."""

    async def case() -> None:
        with database.session() as session:
            call(session, *given, **more)

    return case


async def names(database: Database, rows: int) -> None:
    """Time what a person or a mail may call an account, against the floor."""
    chance = random.Random(7)  # noqa: S311 - no secret
    name, legal = company(chance)

    async def least() -> None:
        floor(database, legal)

    wrong = f"{name[:2]}{name[3]}{name[2]}{name[4:]}"
    cases: dict[str, Case] = {"look-up and 20 ranked": least} | {
        f"resolve_account: {said}": in_session(database, accounts.resolve_account, text)
        for said, text in {
            "its name": legal,
            "a mistake": wrong,
            "a phrase": f"Quote {name} for the racks they asked about last week",
            "a phrase with a mistake": f"Quote {wrong} for the racks they asked about",
            "mail domain": f"somebody@{fold(name).replace(' ', '-')}-0.example",
            "unknown": "Zyxwv Qqrst",
            "first name": "Anna",
        }.items()
    }
    cases["search_accounts"] = in_session(database, accounts.search_accounts, name, None, 20, None)
    few = ROUNDS if rows < ROWS else 7
    report(await interleaved(cases, few), "look-up and 20 ranked")


async def deals(big: Database, demo: Database, rows: int) -> None:
    """Time calls about deals against the same on the demo company."""
    newest: dict[str, Any] = {"open_only": False, "limit": 20, "cursor": None}
    find = opportunities.search_opportunities
    for said, calls in {
        "search_text in one deal": (
            in_session(demo, stories.search_text, "opp_001", "switch rack", 20, None),
            in_session(big, stories.search_text, "opp_b5", "switch rack", 20, None),
        ),
        "newest deals": (
            in_session(demo, find, "", None, **newest),
            in_session(big, find, "", None, **newest),
        ),
        "deals of an account": (
            in_session(demo, find, "switch", "acc_001", **newest),
            in_session(big, find, "switch", "acc_b5", **newest),
        ),
    }.items():
        demos, large = f"{said}, demo", f"{said}, {rows:,}"
        report(await interleaved({demos: calls[0], large: calls[1]}, ROUNDS), demos)


def memory(folder: Path) -> None:
    """Print what an import takes, and 200 look-ups after it; in a process of its own."""
    with tempfile.TemporaryDirectory() as made, fresh("", Path(made), "memory") as database:
        before, base = time.process_time(), peak()
        fill(database, folder)
        loaded, took = peak(), time.process_time() - before
        chance = random.Random(7)  # noqa: S311 - no secret
        for _ in range(200):
            with database.session() as session:
                accounts.resolve_account(session, company(chance)[0])
    print(
        f"{folder.name} rows a file: import {took:.1f} s of CPU, {loaded - base:.0f} MB more; "
        f"200 look-ups {peak() - loaded:.0f} MB more"
    )


def peak() -> float:
    """The most memory of this process until now, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def main(rows: int, url: str) -> None:
    """Measure names, deals and memory."""
    scope.current_grant.set(GRANT)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "files"
        folder.mkdir()
        files(folder, rows)
        with fresh(url, Path(made), "big") as big, fresh(url, Path(made), "demo") as demo:
            ensure_seeded(demo, TABLES, DEMO)
            fill(big, folder)
            for one in (big, demo):  # as PostgreSQL does by itself within a minute
                with one.engine.begin() as connection:
                    connection.exec_driver_sql("ANALYZE" if url else "SELECT 1")
            await names(big, rows)
            await deals(big, demo, rows)
        for size in () if url else (rows // 10, rows):
            (part := Path(made) / str(size)).mkdir()
            files(part, size)
            subprocess.run([sys.executable, __file__, "memory", str(part)], check=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["memory"]:
        scope.current_grant.set(GRANT)
        memory(Path(sys.argv[2]))
    else:
        asyncio.run(main(int(sys.argv[1]) if sys.argv[1:] else ROWS, "".join(sys.argv[2:3])))
