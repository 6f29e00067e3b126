"""The seller's policies, the people they hold for, and the legal entities that make offers."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from servers.finance.facts.blocks import SellerBlock
from servers.finance.facts.copies import block, fact
from servers.finance.facts.policy import NOBODY, Approver, Entity, Policy, Requester, RoleAbove
from servers.finance.tables.house import Person, Seller, Setting
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


def approver_of(session: Session, person_id: str) -> Approver:
    """Return a person with their limits; whom finance does not know may decide nothing."""
    row = session.get(Person, person_id)
    if row is None:
        raise ForbiddenError(
            f"finance knows no person {person_id!r}", fix="use a person_id of people.json"
        )
    return _approver(row)


def everyone(session: Session) -> list[Approver]:
    return [_approver(row) for row in session.scalars(select(Person).order_by(Person.person_id))]


def _approver(row: Person) -> Approver:
    limits = None if row.max_total is None else _minor(row.max_total)
    return fact(Approver, row, max_total=limits)


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
