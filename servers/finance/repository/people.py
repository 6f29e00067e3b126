"""The people of the house, with the limits within which they may decide."""

from decimal import Decimal

from sqlalchemy import select
from sqlmodel import Session, col

from servers.finance.facts.policy import Approver
from servers.finance.models import Person
from servers.toolkit.errors import ForbiddenError
from servers.toolkit.money import to_minor

ID = col(Person.person_id)


def approver_of(session: Session, person_id: str) -> Approver:
    """Return a person with their limits.

    Raises:
        ForbiddenError: finance knows no such person.
    """
    row = session.get(Person, person_id)
    if row is None:
        raise ForbiddenError(
            f"finance knows no person {person_id!r}", fix="use a person_id of people.json"
        )
    return _approver(row)


def _approver(row: Person) -> Approver:
    limits = row.max_total
    return Approver(
        person_id=row.person_id,
        name=row.name,
        roles=frozenset(row.roles),
        max_discount_bp=row.max_discount_bp,
        max_total=None
        if limits is None
        else {code: to_minor(Decimal(amount), code) for code, amount in limits.items()},
    )


def everyone(session: Session) -> list[Approver]:
    """Return all the people of the house whom finance knows."""
    return [_approver(row) for row in session.scalars(select(Person).order_by(ID))]
