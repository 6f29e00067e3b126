"""Which of the CRM's columns hold something of a person, and who a contact is."""

import re
from collections.abc import Iterable

from sqlalchemy import func, select
from sqlmodel import Session, col

from servers.crm.tables import (
    Account,
    AccountAlias,
    Activity,
    Contact,
    Document,
    Opportunity,
    OpportunityContact,
)
from servers.toolkit.errors import NotFoundError
from servers.toolkit.privacy import (
    SETTING,
    SHARED,
    Person,
    held_in,
    lines_of,
    stored_erasures,
)
from servers.toolkit.tables import Around

LEAST_SUBJECT = 8
"""Characters of a subject of theirs that is theirs in others' answers too."""
HELD = {**SHARED, **held_in(__package__)}


def find_person(session: Session, named: Iterable[str]) -> Person:
    """Return whom ids of contacts or mail addresses mean, with all that is theirs.

    Raises:
        NotFoundError: nobody goes by one of them.
    """
    said = {one.strip().casefold() for one in named} - {""}
    by_id = col(Contact.contact_id).in_(said)
    known = session.scalars(select(Contact).where(by_id | func.lower(col(Contact.email)).in_(said)))
    contacts = {one.contact_id: one for one in known}
    mails = {one.email.casefold() for one in contacts.values()} | {a for a in said if "@" in a}
    mails -= {""}
    same = session.scalars(select(Contact).where(func.lower(col(Contact.email)).in_(mails)))
    contacts |= {one.contact_id: one for one in same}
    written = _written(session, mails, contacts.values())
    if not contacts and not written:
        raise NotFoundError("nobody on file goes by that", fix="a contact's id or mail address")
    names = {one.name for one in contacts.values()} | {one.from_name for one in written}
    phones = {one.phone for one in contacts.values() if len(one.phone) >= 6}
    deals = {one.opportunity_id for one in written} | _deals(session, contacts)
    private, shared = _accounts(session, contacts.values(), deals)
    papers = _papers(session, [one.activity_id for one in written])
    parts = {part for name in names for part in name.split() if len(part) > 2} - shared
    terms = sorted({one for one in mails | names | phones if len(one) > 2}, key=len, reverse=True)
    subjects = {re.sub(r"^(\w{2,3}: *)+", "", one.subject) for one in written}
    return Person(
        frozenset({*contacts, *(one.activity_id for one in written), *papers[0], *private}),
        frozenset(deals),
        tuple(terms),
        (
            *lines_of([*(one.text for one in written), *papers[1]]),
            *sorted(one for one in subjects if len(one) >= LEAST_SUBJECT and " " in one),
            *sorted(parts),
        ),
    )


def _written(session: Session, mails: set[str], people: Iterable[Contact]) -> list[Activity]:
    """Return what came from their addresses, or is noted as said by their name at their account."""
    names = {(one.account_id, one.name) for one in people}
    sent = func.lower(col(Activity.from_address)).in_(mails)
    said = col(Activity.author).in_([name for _, name in names])
    found = session.scalars(select(Activity).where(sent | said))
    return [
        one
        for one in found
        if one.from_address.casefold() in mails or (one.account_id, one.author) in names
    ]


def _deals(session: Session, contacts: Iterable[str]) -> set[str]:
    mine = col(OpportunityContact.contact_id).in_(list(contacts))
    return set(session.scalars(select(col(OpportunityContact.opportunity_id)).where(mine)))


def _papers(session: Session, activities: list[str]) -> tuple[list[str], list[str]]:
    mine = col(Document.activity_id).in_(activities)
    found = session.execute(select(col(Document.document_id), col(Document.text)).where(mine)).all()
    return [one for one, _ in found], [text for _, text in found]


def _accounts(
    session: Session, people: Iterable[Contact], deals: Iterable[str]
) -> tuple[set[str], set[str]]:
    """Return the accounts that are the person, and the words of the names of the others.

    A word of a company's name means the company also where it is a person's name.
    """
    inside = col(Opportunity.opportunity_id).in_(list(deals))
    of_deals = select(col(Opportunity.account_id)).where(inside)
    ids = {one.account_id for one in people} | set(session.scalars(of_deals))
    names = {one.name.casefold() for one in people}
    rows = list(session.scalars(select(Account).where(col(Account.account_id).in_(ids))))
    private = {r.account_id for r in rows if r.kind == "consumer" or r.name.casefold() in names}
    aliases = select(AccountAlias).where(col(AccountAlias.account_id).in_(ids - private))
    said = [word for r in session.scalars(aliases) for word in r.name.split()]
    said += [w for r in rows if r.account_id not in private for w in r.name.split()]
    return private, set(said)


def refuse_erased(around: Around, what: str, *values: str) -> None:
    """Refuse a row of a file about a person who was erased.

    Raises:
        ValueError: one of the values, ids or mail addresses, is of one.
    """
    if SETTING not in around.memory:
        around.memory[SETTING] = stored_erasures(around.session.connection())
    erased = around.memory[SETTING]
    if erased is not None and (day := erased.day_of(*values)):
        raise ValueError(
            f"{what} is of a person who was erased on {day[:10]}: leave the row out, or put them "
            "on file again by hand, if they came back by themselves"
        )
