"""What the owner of the desk does about people: tokens, limits, deputies, and their end.

No tool leads here, so nobody raises their own limit: it takes the database itself.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session, col

from servers.finance.store.clock import now as wall_clock
from servers.finance.store.clock import stamp
from servers.finance.store.policy import our_day
from servers.finance.tables.house import Enrolled, Person
from servers.toolkit.database import Database
from servers.toolkit.errors import InvalidInputError, NotFoundError
from servers.toolkit.grants import Grant
from servers.toolkit.ledger import Audit
from servers.toolkit.person_tokens import digest_of_token, named_in, new_token
from servers.toolkit.seeding import ensure_seeded

OWNER = Grant(id="owner", audience="finance", proof="the owner's command")
MAX_DAYS = 366
ENDED: dict[str, Any] = {"digest": "", "expires_at": ""}
ALONE: dict[str, Any] = {"deputy_id": None, "deputy_until": None}


@dataclass(frozen=True)
class Enrolment:
    """Finance's database in the hands of its owner; each act is one transaction with its audit."""

    database: Database
    now: Callable[[], datetime] = wall_clock

    def enroll(self, person_id: str, days: int) -> tuple[str, str]:
        """Give a person a token in place of any other, and let a disabled one in again.

        Returns the token, which is stored nowhere, and until when it holds.
        """
        if not 0 < days <= MAX_DAYS:
            raise InvalidInputError(f"a token lives 1 to {MAX_DAYS} days", fix="--days 90")
        token, until = new_token(person_id), stamp(self.now() + timedelta(days=days))
        given = {"token_id": named_in(token)[1], "digest": digest_of_token(token)}
        with self._about("enroll", person_id) as (_, said):
            _set(said, given | {"expires_at": until, "disabled": False})
        return token, until

    def people(self) -> list[dict[str, Any]]:
        """Return everybody on file with what is said of them; of a token, until when it holds."""
        with self.database.session() as session:
            said = {one.person_id: one for one in session.scalars(select(Enrolled))}
            rows = session.scalars(select(Person).order_by(Person.person_id))
            return [
                row.model_dump(mode="json")
                | said.get(row.person_id, Enrolled(person_id=row.person_id)).model_dump(
                    mode="json", exclude={"digest"}
                )
                for row in rows
            ]

    def limit(self, person_id: str, changes: dict[str, Any]) -> None:
        """Set `max_discount_bp` or `max_total`, those that are given; None is no limit."""
        with self._about("limit", person_id, changes) as (session, _):
            _set(_person(session, person_id), changes)

    def delegate(self, person_id: str, deputy_id: str, until: date | None) -> None:
        """Let another stand in for a person until a day and on it; None ends that."""
        chosen = {"deputy_id": deputy_id, "deputy_until": until} if until else ALONE
        with self._about("delegate", person_id, chosen) as (session, said):
            if until is not None and until < our_day(session, self.now()):
                raise InvalidInputError(f"{until} is over", fix="give a day to come")
            if until is not None and _person(session, deputy_id).person_id == person_id:
                raise InvalidInputError(f"{deputy_id} cannot stand in", fix="name another person")
            _set(said, chosen)

    def revoke(self, person_id: str) -> None:
        """End a person's token."""
        with self._about("revoke", person_id) as (_, said):
            _set(said, ENDED)

    def disable(self, person_id: str) -> None:
        """End all that a person may do, for themselves, as a deputy and through one."""
        with self._about("disable", person_id) as (session, said):
            _set(said, ENDED | ALONE | {"disabled": True})
            others = update(Enrolled).where(col(Enrolled.deputy_id) == person_id)
            session.execute(others.values(ALONE))

    @contextmanager
    def _about(
        self, what: str, person_id: str, chosen: dict[str, Any] | None = None
    ) -> Iterator[tuple[Session, Enrolled]]:
        """Open a transaction about what is said of a person; the audit tells of it once done."""
        with self.database.write() as session:
            _person(session, person_id)
            said = session.get(Enrolled, person_id) or Enrolled(person_id=person_id)
            session.add(said)
            yield session, said
        audit = Audit(self.database)
        audit.record(OWNER, "person", f"person {what} {person_id}", chosen, "allowed")
        audit.flush()


@contextmanager
def open_enrolment(url: str) -> Iterator[Enrolment]:
    """Open finance's database for its owner, filled when it is new."""
    database = Database.open(url, "finance")
    try:
        ensure_seeded(database)
        yield Enrolment(database)
    finally:
        database.close()


def _person(session: Session, person_id: str) -> Person:
    row = session.get(Person, person_id)
    if row is None:
        raise NotFoundError(
            f"finance knows no person {person_id!r}", fix="`dealdesk person list` shows them"
        )
    return row


def _set(row: Any, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)
