"""The seller's policies, the people they hold for, and the legal entities that make offers."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select
from sqlmodel import Session, col

from servers.finance.facts.blocks import SellerBlock
from servers.finance.facts.copies import block, fact
from servers.finance.facts.policy import NOBODY, Approver, Entity, Policy, Requester, RoleAbove
from servers.finance.tables.house import Delegation, DisabledPerson, Person, Seller, Setting
from servers.finance.tables.quotes import Quote
from servers.toolkit import scope
from servers.toolkit.errors import ForbiddenError, StorageError
from servers.toolkit.money import to_minor

COMPANY = "name the company: `dealdesk init --company FILE`"


def setting(session: Session, name: str) -> dict[str, Any]:
    """Return a named piece of policy as it was written."""
    found = session.get(Setting, name)
    if found is None:
        raise StorageError(f"finance has no {name}", fix=COMPANY)
    return found.value


def policy(value: Mapping[str, Any]) -> Policy:
    """Return the seller's limits; amounts are written in major units in the file."""
    known = {name: value[name] for name in Policy.__dataclass_fields__ if name in value}
    return Policy(
        **known
        | {
            "discount_limits": _limits(value["discount_limits"], "above_bp"),
            "average_discount": _limits(value.get("average_discount_limits", ()), "above_bp"),
            "line_discount": _limits(value.get("line_discount_limits", ()), "above_bp"),
            "validity_limits": _limits(value.get("validity_limits", ()), "above_days"),
            "total_limits": {
                code: tuple(_limit(one, to_minor(Decimal(one["above"]), code)) for one in limits)
                for code, limits in value["total_limits"].items()
            },
            "auto_issue": _minor(value["auto_issue"]),
            "cash_rounding": {
                code: Decimal(coin) for code, coin in value.get("cash_rounding", {}).items()
            },
        }
    )


def _limits(said: Iterable[Mapping[str, Any]], unit: str) -> tuple[RoleAbove, ...]:
    return tuple(_limit(one, int(one[unit])) for one in said)


def _limit(said: Mapping[str, Any], above: int) -> RoleAbove:
    return RoleAbove(
        said["rule_id"], above, said["role"], said.get("person", ""), said.get("seller_role", "")
    )


def _minor(amounts: Mapping[str, Any]) -> dict[str, int]:
    return {code: to_minor(Decimal(amount), code) for code, amount in amounts.items()}


def requester_of(session: Session, person_id: str | None) -> Requester:
    """Return on whose behalf a price is asked for, with their roles; None is whoever asks now."""
    name = scope.requester() if person_id is None else person_id
    row = session.get(Person, name)
    return NOBODY if row is None else Requester(name, row.roles)


def approver_of(session: Session, person_id: str, on: date | None = None) -> Approver:
    """Return a person with their limits, and with whom they stand in for on a day.

    Whom finance does not know, and who is disabled, may decide nothing.
    """
    row = session.get(Person, person_id)
    if row is None:
        raise ForbiddenError(
            f"finance knows no person {person_id!r}", fix="use a person_id of people.json"
        )
    if session.get(DisabledPerson, person_id) is not None:
        raise ForbiddenError(
            f"{person_id} is disabled and decides nothing", fix="ask another person to decide"
        )
    return _approver(row, _stood_in_for(session, on)[person_id])


def everyone(session: Session, on: date | None = None) -> list[Approver]:
    """Return who may decide at all."""
    deputies = _stood_in_for(session, on)
    able = select(Person).where(able_people()).order_by(Person.person_id)
    return [_approver(row, deputies[row.person_id]) for row in session.scalars(able)]


def able_people() -> ColumnElement[bool]:
    """Return the condition that a person is not disabled."""
    return col(Person.person_id).not_in(select(col(DisabledPerson.person_id)))


def our_day(session: Session, now: datetime) -> date:
    """Return the day it is at the entity that serves every country no other one names."""
    zones = select(col(Seller.time_zone)).order_by(col(Seller.is_default).desc())
    return now.astimezone(ZoneInfo(session.scalars(zones).first() or "UTC")).date()


def _stood_in_for(session: Session, on: date | None) -> defaultdict[str, list[Approver]]:
    """Return for each deputy those who are not disabled and whose day has not passed."""
    found: defaultdict[str, list[Approver]] = defaultdict(list)
    if on is not None:
        mine = col(Person.person_id) == col(Delegation.person_id)
        live = (col(Delegation.until) >= on, able_people())
        pairs = select(Delegation, Person).join(Person, mine).where(*live)
        for delegation, row in session.execute(pairs.order_by(col(Person.person_id))):
            found[delegation.deputy_id].append(_approver(row))
    return found


def _approver(row: Person, stands_in_for: Iterable[Approver] = ()) -> Approver:
    limits = None if row.max_total is None else _minor(row.max_total)
    return fact(Approver, row, max_total=limits, stands_in_for=tuple(stands_in_for))


def find_entities(session: Session) -> list[Entity]:
    order = (col(Seller.is_default).desc(), col(Seller.entity_id))
    rows = session.scalars(select(Seller).order_by(*order))
    return [fact(Entity, one, block=block(SellerBlock, one)) for one in rows]


def entity_of(session: Session, quote: Quote) -> Seller:
    """Return the legal entity that makes the offer of a quote."""
    found = session.get(Seller, quote.entity_id)
    if found is None:
        raise StorageError(f"finance has no entity {quote.entity_id!r}", fix=COMPANY)
    return found
