"""Effects that happen once: per key and tool, together with what they returned."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastmcp import Client
from toy import Note, grant, notes, toy_app, toy_database

from servers.toolkit import scope
from servers.toolkit.database import Database
from servers.toolkit.idempotency import MAX_KEY, META_KEY, once
from servers.toolkit.migrate import idempotency_table


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = toy_database(tmp_path / "toy.db")
    yield database
    database.close()


def add(database: Database, body: str, key: str | None, tool: str = "add_note") -> Note:
    """Add a note with a key; a body of `fail` fails after its row was written."""
    mark = scope.current_key.set(key)
    try:
        with database.write() as session:

            def make() -> Note:
                row = notes.insert().values(account_id="acc_1", body=body)
                session.connection().execute(row)
                if body == "fail":
                    raise RuntimeError(body)
                return Note(account_id="acc_1", body=body)

            return once(session, tool, make, Note)
    finally:
        scope.current_key.reset(mark)


def bodies(database: Database) -> list[str]:
    with database.session() as session:
        return list(session.connection().execute(sa.select(notes.c.body)).scalars())[2:]


def test_the_first_write_of_a_key_wins(database: Database) -> None:
    first, again = add(database, "a", "k"), add(database, "b", "k")
    assert (first.body, first.replayed) == ("a", False)
    assert (again.body, again.replayed) == ("a", True)
    assert bodies(database) == ["a"]


def test_another_key_another_tool_or_none_is_another_effect(database: Database) -> None:
    for body, key, tool in (
        *(("a", "k", "add_note"), ("b", "l", "add_note"), ("c", "k", "other")),
        *(("d", None, "add_note"), ("e", None, "add_note")),
    ):
        assert not add(database, body, key, tool).replayed
    assert bodies(database) == ["a", "b", "c", "d", "e"]


def test_an_effect_that_fails_leaves_neither_row_nor_key(database: Database) -> None:
    with pytest.raises(RuntimeError):
        add(database, "fail", "k")
    assert bodies(database) == []
    assert not add(database, "b", "k").replayed


@pytest.mark.parametrize(
    ("key", "repeats"),
    [
        ("", False),
        ("k", True),
        ("k" * (MAX_KEY - 1), True),
        ("k" * MAX_KEY, True),
        ("k" * (MAX_KEY + 1), False),
        (7, False),
    ],
)
async def test_a_key_counts_when_it_can_be_stored(
    database: Database, key: object, *, repeats: bool
) -> None:
    """An empty, an endless or no text at all is no key: the effect happens each time.

    Two hundred letters are what the column holds on every database.
    """
    assert idempotency_table.c.key.type.length == MAX_KEY == 200
    view = toy_app(database).view(grant(tools=frozenset({"add_note"})))
    async with Client(view) as client:
        for body in ("a", "b"):
            arguments = {"account_id": "acc_1", "body": body}
            await client.call_tool("add_note", arguments, meta={META_KEY: key})
    assert bodies(database) == (["a"] if repeats else ["a", "b"])
