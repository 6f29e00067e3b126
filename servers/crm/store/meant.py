"""The few accounts that a text may mean, looked up by index for `matching` to rank."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from rapidfuzz import fuzz, process
from sqlalchemy import or_, select
from sqlmodel import Session

from servers.crm.matching import (
    EXACT,
    FREE_MAIL,
    Known,
    Ranking,
    addresses_in,
    fold,
    initials_of,
    normalize,
    rank,
)
from servers.crm.store.rows import column, visible
from servers.crm.tables import NAMES, PEOPLE, AccountAlias, Contact, CrmTable
from servers.toolkit import scope
from servers.toolkit.text_index import TextIndex, begins

ENOUGH = 50
"""Accounts taken for one way in which a text may mean them."""
ALIKE = 25
NEAR = {AccountAlias: 2_500, Contact: 1_000}
"""Names compared with a text, and people; a person's name is forgiven less."""
PERSON = 4
"""Words of a text that may be a person's name with a mistake."""
LONGEST = 8
"""Words of a name that is found inside a phrase."""
FIRST_NAMES = 12


def ranked(session: Session, text: str, limit: int) -> Ranking:
    """Rank what a text may mean; a grant that is bound reaches so few accounts that all are ranked.

    Those that it names exactly come first: what is only alike cannot change the answer then.
    """
    if scope.grant().bind:
        return rank(text, _known(session), limit)
    named = _named(session, text) | _with_people(session, text)
    first = rank(text, _known(session, named), limit)
    if first.resolved is not None and first.matches[0].score == EXACT:
        return first
    named |= _alike(session, normalize(text).core, NAMES, AccountAlias, "core")
    if len(fold(text).split()) <= PERSON:
        named |= _alike(session, fold(text), PEOPLE, Contact, "normalized")
    return rank(text, _known(session, named), limit)


def _named(session: Session, text: str) -> set[str]:
    """Return the accounts of a name that a phrase holds, or that begins as the text does."""
    core, plain = normalize(text).core, fold(text)
    mine = column(AccountAlias, "core")
    exact = _ids(session, AccountAlias, mine.in_({core, *_spans(core), *_spans(plain)}))
    return exact | _ids(session, AccountAlias, begins(session, mine, core))


def _with_people(session: Session, text: str) -> set[str]:
    """Return the accounts of a person, mail address or domain that a phrase holds."""
    mails, domains = addresses_in(text)
    name = column(Contact, "normalized")
    ways: list[Any] = [name.in_(_spans(fold(text)))]
    ways += [column(Contact, "email").in_(mails)] if mails else []
    ways += [column(Contact, "domain").in_(domains - FREE_MAIL)] if domains - FREE_MAIL else []
    found = _ids(session, Contact, or_(*ways))
    called = [
        fold(text).split()[:1],
        *(fold(word).split() for word in text.split() if word[:1].isupper()),
    ]
    firsts = dict.fromkeys(one for words in called for one in words if len(one) >= 3)
    begun = [begins(session, name, f"{first} ") for first in [*firsts][:FIRST_NAMES]]
    return found | _ids(session, Contact, or_(*begun)) if begun else found


def _spans(folded: str) -> set[str]:
    """Return the pieces of a phrase that may be a name."""
    words = folded.split()
    return {
        " ".join(words[start:end])
        for start in range(len(words))
        for end in range(start + 1, min(start + LONGEST, len(words)) + 1)
    }


def _ids(session: Session, table: type[CrmTable], condition: Any) -> set[str]:
    found = select(column(table, "account_id")).where(condition).limit(ENOUGH)
    return set(session.execute(visible(found, table)).scalars())


def _alike(
    session: Session, text: str, index: TextIndex, table: type[CrmTable], name: str
) -> set[str]:
    """Return the accounts whose names are most like a text, or like a part of it."""
    most = NEAR[table]
    if (near := index.near(session, text, most)) is None:
        return set()
    rows = select(column(table, "account_id"), column(table, name)).limit(most)
    said = session.execute(visible(rows.where(near), table)).all()
    names = [one for _, one in said]
    found = set()
    for likeness in (fuzz.token_ratio, fuzz.partial_ratio):
        best = process.extract(text, names, scorer=likeness, score_cutoff=70, limit=ALIKE)
        found |= {said[place][0] for _, _, place in best}
    return found


def _known(session: Session, ids: Iterable[str] | None = None) -> list[Known]:
    names: dict[str, list[str]] = defaultdict(list)
    people: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for account_id, name in _of(session, AccountAlias, ("name",), ids):
        names[account_id].append(name)
    for account_id, name, email in _of(session, Contact, ("name", "email"), ids):
        people[account_id].append((name, email))
    return [
        Known(one, tuple(map(normalize, called)), tuple(people[one]), initials_of(called))
        for one, called in names.items()
    ]


def _of(
    session: Session, table: type[CrmTable], names: Sequence[str], ids: Iterable[str] | None
) -> Sequence[Any]:
    rows = select(*(column(table, name) for name in ("account_id", *names)))
    if ids is not None:
        rows = rows.where(column(table, "account_id").in_(sorted(ids)))
    return session.execute(visible(rows, table)).all()
