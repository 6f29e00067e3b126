"""Looking a few accounts up by index finds what comparing a text with every name finds."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from servers.crm.matching import rank
from servers.crm.store import meant
from servers.crm.store.accounts import resolve_account, search_accounts
from servers.crm.store.new_accounts import alias_of, person_of
from servers.crm.tables import Account, AccountAlias, AccountTaxId, Contact
from servers.toolkit.database import Database

BITS = (
    "ba",
    "bel",
    "cor",
    "dor",
    "el",
    "fin",
    "gro",
    "hel",
    "jo",
    "kel",
    "lo",
    "mar",
    "nor",
    "pel",
)
KINDS = ("Technik", "Logistik", "Systems", "Foods", "Solar", "Holding", "Services")
FORMS = ("GmbH", "AG", "Ltd", "Inc", "B.V.")
LETTERS = "abcdefghijklmnopqrstuvwxyz"
ACCOUNTS, ASKED = 2_000, 25


def word(chance: random.Random, most: int) -> str:
    return "".join(chance.choice(BITS) for _ in range(chance.randint(2, most))).capitalize()


def company(chance: random.Random) -> str:
    parts = [word(chance, 4), *([f"& {word(chance, 3)}"] if chance.random() < 0.3 else [])]
    return " ".join([*parts, *([chance.choice(KINDS)] if chance.random() < 0.7 else [])])


def mistyped(chance: random.Random, name: str) -> str:
    at = chance.randrange(1, len(name) - 1)
    return chance.choice(
        (
            name[:at] + name[at + 1 :],
            name[:at] + name[at] + name[at:],
            name[:at] + chance.choice(LETTERS) + name[at + 1 :],
            name[: at - 1] + name[at] + name[at - 1] + name[at + 1 :],
        )
    )


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = Database.open(tmp_path_factory.mktemp("many") / "crm.db", "crm")
    fill(database)
    yield database
    database.close()


def fill(database: Database) -> None:
    chance = random.Random(11)  # noqa: S311 - no secret
    names = [company(chance) for _ in range(ACCOUNTS)]
    told = {"kind": "business", "country": "DE", "currency": "EUR", "language": "de"}
    ids = [f"acc_{n}" for n in range(ACCOUNTS)]
    legal = [f"{name} {chance.choice(FORMS)}" for name in names]
    accounts = [
        {**told, "account_id": one, "name": name, "legal_name": full, "status": "active"}
        for one, name, full in zip(ids, names, legal, strict=True)
    ]
    aliases = [
        alias_of(row["account_id"], row[n]) for row in accounts for n in ("name", "legal_name")
    ]
    people = [
        {"contact_id": f"con_{n}", "account_id": one}
        | person_of(f"{word(chance, 3)} {word(chance, 3)}", f"x@co{n}.example")
        for n, one in enumerate(ids)
    ]
    with database.write() as session:
        run = session.connection().execute
        run(sa.insert(Account), accounts)
        run(sa.insert(AccountAlias), aliases)
        run(sa.insert(Contact), people)


def asked_of(session: Session, table: Any, share: float) -> list[tuple[str, str]]:
    """Texts that mean a row with a mistake, each with its account; some are phrases."""
    chance = random.Random(5)  # noqa: S311 - no secret
    said = sa.select(table.account_id, table.name).order_by(table.account_id, table.name)
    rows = session.execute(said).all()
    found = []
    for one, name in chance.sample(list(rows), ASKED):
        wrong = mistyped(chance, name)
        phrase = f"Quote {wrong} for the switches they asked about last week"
        found.append((one, phrase if chance.random() < share else wrong))
    return found


@pytest.mark.parametrize(
    ("table", "share"), [(AccountAlias, 0.0), (AccountAlias, 1.0), (Contact, 0.0)]
)
def test_a_mistake_costs_no_account_that_a_comparison_with_all_names_finds(
    many: Database, grant: Any, table: Any, share: float
) -> None:
    grant()
    with many.session() as session:
        every = meant._known(session)
        asked = asked_of(session, table, share)
        by_all = [rank(text, every, 5) for _, text in asked]
        by_index = [meant.ranked(session, text, 5) for _, text in asked]
    first = [one.resolved == mine for (mine, _), one in zip(asked, by_all, strict=True)]
    then = [one.resolved == mine for (mine, _), one in zip(asked, by_index, strict=True)]
    assert sum(then) >= 0.99 * sum(first)
    assert sum(first) > 0.4 * len(asked)
    other = [
        text
        for (mine, text), old, new in zip(asked, by_all, by_index, strict=True)
        if new.resolved not in (old.resolved, None, mine)
    ]
    assert len(other) <= len(asked) // 100


def test_a_tax_number_names_the_one_account_that_has_it(database: Database, grant: Any) -> None:
    grant()
    with database.write() as session:
        (number,) = session.execute(
            sa.select(AccountTaxId.value).where(AccountTaxId.account_id == "acc_101").limit(1)
        ).one()
        gaps = f" {number[:2]} {number[2:5]}.{number[5:]} "
        for typed in (number, gaps.lower()):
            found = resolve_account(session, typed)
            assert (found.resolved, found.candidates[0].score) == ("acc_101", 100)
        session.add(AccountTaxId(account_id="acc_102", scheme="vat", country="IE", value=number))
        session.flush()
        assert resolve_account(session, number).resolved is None


def test_a_part_of_a_name_is_found_wherever_it_stands(many: Database, grant: Any) -> None:
    grant()
    with many.session() as session:
        name = session.execute(
            sa.select(Account.name).where(Account.account_id == "acc_7")
        ).scalar()
        called = sa.select(AccountAlias.account_id, AccountAlias.normalized)
        for part in (name[1:6].lower(), name[:2], name.upper()):
            everybody = session.execute(called)
            holds = {one for one, said in everybody if meant.fold(part) in said}
            found = search_accounts(session, part, None, 20, None)
            assert found.total == len(holds)
            assert {row.account_id for row in found.items} <= holds
