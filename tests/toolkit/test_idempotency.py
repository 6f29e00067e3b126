"""Effects that happen once: per key and tool, together with what they returned."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastmcp import Client
from fastmcp.exceptions import ToolError
from toy import Note, grant, notes, toy_app, toy_database

from servers.toolkit import scope
from servers.toolkit.database import Database
from servers.toolkit.grants import Grant
from servers.toolkit.idempotency import MAX_KEY, META_KEY, once
from servers.toolkit.migrate import idempotency_table


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = toy_database(tmp_path / "toy.db")
    yield database
    database.close()


RUN = Grant(id="g_1", audience="toy", agent="issue", run="run_1")
STRANGERS = (
    replace(RUN, id="g_2", run="run_2"),  # another run
    replace(RUN, id="g_3", agent="assemble"),  # another agent of the same run
    replace(RUN, id="g_4", run=""),  # a minted grant of the agent's name
    replace(RUN, id="g_5", agent="", run="", person="per_1"),
    replace(RUN, id="profile-sales", agent="", run=""),
    replace(RUN, id="profile-admin", agent="", run=""),
)


def add(
    database: Database, body: str, key: str | None, tool: str = "add_note", by: Grant = RUN
) -> Note:
    """Add a note with a key; a body of `fail` fails after its row was written."""
    mark, held = scope.current_key.set(key), scope.current_grant.set(by)
    try:
        with database.write() as session:

            def make() -> Note:
                row = notes.insert().values(account_id="acc_1", body=body)
                session.connection().execute(row)
                if body == "fail":
                    raise RuntimeError(body)
                return Note(account_id="acc_1", body=body)

            return once(session, tool, make, Note, lambda stored: stored)
    finally:
        scope.current_key.reset(mark)
        scope.current_grant.reset(held)


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


KEY = "run_1/issue:add_note:0"


@pytest.mark.parametrize("first", [RUN, *STRANGERS], ids=lambda one: one.caller)
def test_a_key_of_another_caller_is_unknown(database: Database, first: Grant) -> None:
    """Whoever sends it first, and although it can be guessed, the others' effects still happen."""
    for by in (first, *(one for one in (RUN, *STRANGERS) if one != first)):
        said = add(database, by.caller, KEY, by=by)
        assert (said.body, said.replayed) == (by.caller, False)
    for by in (RUN, *STRANGERS):
        renewed = replace(by, id=by.id if by.id.startswith("profile") else "g_renewed")
        again = add(database, "again", KEY, by=renewed)
        assert (again.body, again.replayed) == (by.caller, True)
    assert len(bodies(database)) == 1 + len(STRANGERS)


@pytest.mark.parametrize(
    ("by", "replayed"), [(RUN, True), *((one, one.run == "run_1") for one in STRANGERS)]
)
def test_a_key_from_before_callers_were_kept_is_that_of_its_run(
    database: Database, by: Grant, *, replayed: bool
) -> None:
    add(database, "a", KEY)
    with database.write() as session:
        session.connection().execute(idempotency_table.update().values(caller=""))
    assert add(database, "b", KEY, by=by).replayed is replayed


async def test_a_stored_answer_is_seen_through_the_grant_like_any_row(database: Database) -> None:
    """The agent's next grant is bound to another account: it gets neither answer nor effect."""
    app = toy_app(database)
    for account, body in (("acc_1", "a"), ("acc_2", "b")):
        held = replace(
            grant(tools=frozenset({"add_note"})), agent="a", bind={"account_id": (account,)}
        )
        async with Client(app.view(held)) as client:
            said = {"account_id": account, "body": body}
            if account == "acc_1":
                await client.call_tool("add_note", said, meta={META_KEY: KEY})
                continue
            with pytest.raises(ToolError, match="NOT_FOUND: this key was used for something else"):
                await client.call_tool("add_note", said, meta={META_KEY: KEY})
    assert bodies(database) == ["a"]


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
