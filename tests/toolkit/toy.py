"""A toy server for the toolkit's own tests: two customers' notes, and one tool of each kind."""

from pathlib import Path
from typing import Annotated

import sqlalchemy as sa
from mcp.types import Completion
from pydantic import BaseModel, Field

from servers.toolkit import scope
from servers.toolkit.app import Server, create_app, finish
from servers.toolkit.database import Database, _engine
from servers.toolkit.declare import prompt, reads, resource, writes
from servers.toolkit.errors import NotFoundError
from servers.toolkit.grants import Grant
from servers.toolkit.idempotency import once
from servers.toolkit.shared_tables import add_grant_expiry, add_key_owner, create_shared_tables

NOTES = {"acc_1": "pumps", "acc_2": "valves"}
notes = sa.Table(
    "note",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("account_id", sa.String(20)),
    sa.Column("body", sa.String(200)),
)
AccountId = Annotated[str, Field(max_length=20)]


class Note(BaseModel):
    account_id: str
    body: str
    replayed: bool = False


class Notes(BaseModel):
    items: list[Note]


def toy_database(path: Path) -> Database:
    path.touch()
    return fill_toy(Database(_engine(f"sqlite:///{path}"), "toy"))


def fill_toy(database: Database) -> Database:
    with database.write() as session:
        create_shared_tables(session.connection())
        add_grant_expiry(session.connection())
        add_key_owner(session.connection())
        notes.create(session.connection())
        for account_id, body in NOTES.items():
            session.connection().execute(notes.insert().values(account_id=account_id, body=body))
    return database


def toy_app(database: Database) -> Server:
    app = create_app("toy", database, instructions="A toy.", version="1")

    @app.tool(**reads("Get note", rows="bound", binds=("account_id",), integrity="untrusted"))
    def get_note(account_id: AccountId) -> Note:
        """Get a note."""
        with database.session() as session:
            statement = scope.narrow(
                sa.select(notes).where(notes.c.account_id == account_id),
                notes.c.account_id,
                "account_id",
            )
            row = session.connection().execute(statement).first()
        if row is None:
            raise NotFoundError(f"no note of {account_id!r}", fix="list_notes lists them")
        return Note(account_id=row.account_id, body=row.body)

    @app.tool(**reads("List notes", rows="filtered"))
    def list_notes() -> Notes:
        """List notes."""
        with database.session() as session:
            statement = scope.narrow(sa.select(notes), notes.c.account_id, "account_id")
            rows = session.connection().execute(statement).all()
        return Notes(items=[Note(account_id=r.account_id, body=r.body) for r in rows])

    @app.tool(**writes("Add note", rows="bound", binds=("account_id",)))
    def add_note(account_id: AccountId, body: Annotated[str, Field(max_length=50)]) -> Note:
        """Add a note."""
        with database.write() as session:

            def make() -> Note:
                session.connection().execute(
                    notes.insert().values(account_id=account_id, body=body)
                )
                return Note(account_id=account_id, body=body)

            return once(session, "add_note", make, Note, lambda note: get_note(note.account_id))

    @app.tool(**writes("Decide", rows="bound", binds=("account_id",), person_only=True))
    def decide_approval(account_id: AccountId) -> Note:
        """Decide as a person."""
        return Note(account_id=account_id, body=scope.person())

    @app.tool(**reads("Break", rows="public"))
    def break_it() -> Note:
        """Break with a secret in the message."""
        raise RuntimeError("secret /etc/passwd")

    @app.resource(
        "toy://notes/{account_id}", **resource("Note", rows="bound", binds=("account_id",))
    )
    def note_resource(account_id: AccountId) -> str:
        """Return a note."""
        return get_note(account_id).model_dump_json()

    @app.resource("toy://about", **resource("About", rows="public"))
    def about() -> str:
        """Return a word about the toy."""
        return "a toy"

    @app.prompt(**prompt("Sum up"))
    def sum_up(account_id: AccountId, words: AccountId = "few") -> str:
        """Sum up a note."""
        return f"Sum up the note of {account_id} in {words} words."

    def complete(_ref: object, _argument: object, _context: object) -> Completion:
        return Completion(values=[item.account_id for item in list_notes().items])

    return finish(app, completion=complete)


def grant(**changes: object) -> Grant:
    fields: dict[str, object] = {
        "id": "g_test",
        "audience": "toy",
        "agent": "reader",
        "run": "run_1",
        "tools": frozenset({"get_note", "list_notes"}),
    }
    return Grant(**{**fields, **changes})  # type: ignore[arg-type]
