"""What the owner of the desk does about people: tokens, limits, stand-ins, and their end.

No tool leads here, so nobody raises their own limit: it takes the database itself.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, select, update
from sqlmodel import Session, col

from servers.finance.store.clock import now as wall_clock
from servers.finance.store.clock import stamp
from servers.finance.store.policy import our_day
from servers.finance.tables.house import Delegation, DisabledPerson, Person, PersonToken
from servers.toolkit.database import Database
from servers.toolkit.errors import InvalidInputError, NotFoundError
from servers.toolkit.grants import Grant
from servers.toolkit.ledger import Audit
from servers.toolkit.person_tokens import digest_of_token, named_in, new_token
from servers.toolkit.seeding import ensure_seeded

OWNER = Grant(id="owner", audience="finance", proof="the owner's command")
MAX_DAYS = 366


@dataclass(frozen=True)
class Enrolment:
    """Finance's database in the hands of its owner; each act is one transaction with its audit."""

    database: Database
    now: Callable[[], datetime] = wall_clock

    def enroll(self, person_id: str, days: int) -> tuple[str, str]:
        """Give a person a new token in place of any other, and let a disabled one in again.

        Returns:
            The token, which is stored nowhere, and until when it holds.
        """
        if not 0 < days <= MAX_DAYS:
            raise InvalidInputError(f"a token lives 1 to {MAX_DAYS} days", fix="--days 90")
        token, now = new_token(person_id), self.now()
        until = stamp(now + timedelta(days=days))

        def work(session: Session) -> None:
            _person(session, person_id)
            again = col(DisabledPerson.person_id) == person_id
            session.execute(delete(DisabledPerson).where(again))
            _revoke(session, person_id, now)
            row = PersonToken(
                token_id=named_in(token)[1],
                person_id=person_id,
                digest=digest_of_token(token),
                expires_at=until,
            )
            session.add(row)

        self._do("enroll", person_id, {"until": until}, work)
        return token, until

    def people(self) -> list[dict[str, Any]]:
        """Return everybody on file, with until when their token and their deputy hold."""
        now = stamp(self.now())
        with self.database.session() as session:
            today = our_day(session, self.now())
            live = (col(PersonToken.revoked_at).is_(None), col(PersonToken.expires_at) > now)
            tokens = {
                row.person_id: row for row in session.scalars(select(PersonToken).where(*live))
            }
            given = select(Delegation).where(col(Delegation.until) >= today)
            disabled = set(session.scalars(select(col(DisabledPerson.person_id))))
            deputies = {row.person_id: row for row in session.scalars(given)}
            return [
                {
                    **row.model_dump(mode="json"),
                    "disabled": row.person_id in disabled,
                    "token_id": token.token_id if token else None,
                    "token_until": token.expires_at if token else None,
                    "deputy_id": deputy.deputy_id if deputy else None,
                    "deputy_until": str(deputy.until) if deputy else None,
                }
                for row in session.scalars(select(Person).order_by(Person.person_id))
                for token, deputy in [(tokens.get(row.person_id), deputies.get(row.person_id))]
            ]

    def limit(self, person_id: str, changes: Mapping[str, int | dict[str, Decimal] | None]) -> None:
        """Set `max_discount_bp` or `max_total`, those that are given; None is no limit."""

        def work(session: Session) -> None:
            row = _person(session, person_id)
            for name, limit in changes.items():
                setattr(row, name, limit)

        self._do("limit", person_id, changes, work)

    def delegate(self, person_id: str, deputy_id: str, until: date | None) -> None:
        """Let another stand in for a person until a day and on it; None ends that."""

        def work(session: Session) -> None:
            _person(session, person_id)
            if until is None:
                session.execute(delete(Delegation).where(col(Delegation.person_id) == person_id))
                return
            _person(session, deputy_id)
            if deputy_id == person_id:
                raise InvalidInputError(f"{deputy_id} cannot stand in", fix="name another person")
            if until < our_day(session, self.now()):
                raise InvalidInputError(f"{until} is over", fix="give a day to come")
            session.merge(Delegation(person_id=person_id, deputy_id=deputy_id, until=until))

        self._do("delegate", person_id, {"deputy_id": deputy_id, "until": str(until)}, work)

    def revoke(self, person_id: str) -> None:
        """End a person's token."""

        def work(session: Session) -> None:
            _person(session, person_id)
            _revoke(session, person_id, self.now())

        self._do("revoke", person_id, {}, work)

    def disable(self, person_id: str) -> None:
        """End all that a person may do, for themselves, as a deputy and through one."""

        def work(session: Session) -> None:
            _person(session, person_id)
            session.merge(DisabledPerson(person_id=person_id, since=stamp(self.now())))
            _revoke(session, person_id, self.now())
            for column in (Delegation.person_id, Delegation.deputy_id):
                session.execute(delete(Delegation).where(col(column) == person_id))

        self._do("disable", person_id, {}, work)

    def _do(
        self, what: str, person_id: str, said: Mapping[str, Any], work: Callable[[Session], None]
    ) -> None:
        audit = Audit(self.database)
        audit.record(OWNER, "person", f"person {what} {person_id}", said, "allowed")
        audit.flush(also=work)


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


def _revoke(session: Session, person_id: str, now: datetime) -> None:
    mine = (col(PersonToken.person_id) == person_id, col(PersonToken.revoked_at).is_(None))
    session.execute(update(PersonToken).where(*mine).values(revoked_at=stamp(now)))
