"""Whether whoever claims to be a person is one: by their token, in the demo by name alone."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from hmac import compare_digest

from servers.finance.store.clock import stamp
from servers.finance.tables.house import Enrolled, Person
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
        person_id, token_id = named_in(token)
        with self.database.session() as session:
            said = session.get(Enrolled, person_id)
            on_file = session.get(Person, person_id) is not None
        if said is None or said.disabled or not on_file or said.expires_at <= stamp(self.now()):
            return None
        if not compare_digest(said.digest, digest_of_token(token)):
            return None
        names = components("finance", "admin") | persons("finance")
        plain = frozenset(name for name in names if "://" not in name)
        return Grant(
            id=token_id,
            audience="finance",
            tools=plain,
            resources=names - plain,
            prompts=plain,
            person=person_id,
            proof=token_id,
        )

    def by_name(self, grant: Grant) -> Grant:
        """Return a grant whose person showed no token: a person's in the demo, else nobody's.

        In the demo too, who was ever given a token must show it. Of an unknown name the tools say
        so themselves.
        """
        with self.database.session() as session:
            said = session.get(Enrolled, grant.person) or Enrolled(person_id=grant.person)
        if self.database.setting("seeded") == "demo" and not (said.disabled or said.token_id):
            return replace(grant, proof=IN_THE_DEMO)
        claimed, asker = f"not proved to be {grant.person}", grant.requester or grant.person
        kept = grant.tools - persons("finance")
        return replace(grant, tools=kept, person="", requester=asker, proof=claimed)
