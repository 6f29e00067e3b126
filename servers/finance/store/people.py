"""Whether whoever claims to be a person is one: by their token, in the demo by name alone."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from hmac import compare_digest

from sqlalchemy import select
from sqlmodel import Session, col

from servers.finance.store.clock import stamp
from servers.finance.tables.house import DisabledPerson, Person, PersonToken
from servers.profiles import components, persons
from servers.toolkit.database import Database
from servers.toolkit.grants import Grant
from servers.toolkit.person_tokens import IN_THE_DEMO, digest_of_token, named_in


@dataclass(frozen=True)
class EnrolledPeople:
    """What finance's gate asks at every request of a person, so that an end is one at once."""

    database: Database
    now: Callable[[], datetime]

    def by_token(self, token: str) -> Grant | None:
        """Return what a live token opens: all that a profile does, and what is a person's."""
        _, token_id = named_in(token)
        with self.database.session() as session:
            row = session.get(PersonToken, token_id)
            if (
                row is None
                or not compare_digest(row.digest, digest_of_token(token))
                or row.revoked_at is not None
                or row.expires_at <= stamp(self.now())
                or not _may_act(session, row.person_id)
            ):
                return None
        names = components("finance", "admin") | persons("finance")
        plain = frozenset(name for name in names if "://" not in name)
        return Grant(
            id=token_id,
            audience="finance",
            tools=plain,
            resources=names - plain,
            prompts=plain,
            person=row.person_id,
            proof=token_id,
        )

    def by_name(self, grant: Grant) -> Grant:
        """Return a grant whose person showed no token: a person's in the demo, else nobody's.

        In the demo too, who was ever given a token must show it.
        """
        demo = self.database.setting("seeded") == "demo"
        with self.database.session() as session:
            enrolled = select(PersonToken).where(col(PersonToken.person_id) == grant.person)
            trusted = (
                demo
                and session.scalars(enrolled).first() is None
                and _may_act(session, grant.person, unknown=True)
            )
        if trusted:
            return replace(grant, proof=IN_THE_DEMO)
        claimed = f"not proved to be {grant.person}"
        return replace(grant, person="", requester=grant.requester or grant.person, proof=claimed)


def _may_act(session: Session, person_id: str, *, unknown: bool = False) -> bool:
    """Say whether a person is on file and not disabled; of an unknown name finance says so."""
    if session.get(DisabledPerson, person_id) is not None:
        return False
    return unknown or session.get(Person, person_id) is not None
