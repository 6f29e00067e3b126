"""The seller's policies, the people they hold for, and the legal entities that make offers."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlmodel import Session, col

from servers.finance.facts.blocks import SellerBlock
from servers.finance.facts.copies import block, fact
from servers.finance.facts.policy import NOBODY, Approver, Entity, Policy, Requester, RoleAbove
from servers.finance.store.rows import kept
from servers.finance.tables.house import Enrolled, Person, Seller, Setting
from servers.finance.tables.quotes import Quote
from servers.toolkit import scope
from servers.toolkit.errors import ForbiddenError, StorageError
from servers.toolkit.money import to_minor

COMPANY = "name the company: `dealdesk init --company FILE`"


@kept
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
            "auto_issue": minor_amounts(value["auto_issue"]),
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


def minor_amounts(amounts: Mapping[str, Any]) -> dict[str, int]:
    return {code: to_minor(Decimal(amount), code) for code, amount in amounts.items()}


@kept
def requester_of(session: Session, person_id: str | None) -> Requester:
    """Return on whose behalf a price is asked for, with their roles; None is whoever asks now."""
    name = scope.requester() if person_id is None else person_id
    row = session.get(Person, name)
    return NOBODY if row is None else Requester(name, row.roles)


def approver_of(session: Session, person_id: str, on: date | None = None) -> Approver:
    """Return a person with their limits, and with whom they stand in for on a day."""
    found = next((one for one in everyone(session, on) if one.person_id == person_id), None)
    if found is None:
        raise ForbiddenError(
            f"finance knows no person {person_id!r} who decides", fix="ask one of its people"
        )
    return found


def everyone(session: Session, on: date | None = None) -> list[Approver]:
    """Return who is not disabled, each with whom they stand in for on a day."""
    said = {one.person_id: one for one in session.scalars(select(Enrolled))}
    rows = session.scalars(select(Person).order_by(Person.person_id))
    able = [
        _approver(row)
        for row in rows
        if row.person_id not in said or not said[row.person_id].disabled
    ]
    deputies = {
        one.person_id: one.deputy_id
        for one in said.values()
        if on is not None and one.deputy_until is not None and one.deputy_until >= on
    }
    return [
        replace(
            one, stands_in_for=tuple(o for o in able if deputies.get(o.person_id) == one.person_id)
        )
        for one in able
    ]


def our_day(session: Session, now: datetime) -> date:
    """Return the day it is at the entity that serves every country no other one names."""
    zones = select(col(Seller.time_zone)).order_by(col(Seller.is_default).desc())
    return now.astimezone(ZoneInfo(session.scalars(zones).first() or "UTC")).date()


def _approver(row: Person) -> Approver:
    return fact(
        Approver, row, max_total=None if row.max_total is None else minor_amounts(row.max_total)
    )


@kept
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
