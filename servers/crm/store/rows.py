"""What every query shares: narrowing by the grant, pages, times."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import BaseModel
from sqlalchemy import Select, func, select
from sqlmodel import Session

from servers.crm.tables import Account, CrmTable, Opportunity
from servers.toolkit import scope
from servers.toolkit.errors import NotFoundError
from servers.toolkit.idempotency import once
from servers.toolkit.paging import decode_cursor, next_cursor

Statement = TypeVar("Statement", bound=Select[Any])
Result = TypeVar("Result", bound=BaseModel)


def column(table: type[CrmTable], name: str) -> Any:
    return table.__table__.c[name]  # type: ignore[attr-defined]


def visible(statement: Statement, table: type[CrmTable]) -> Statement:
    """Narrow a query to the rows the caller's grant reaches.

    A grant bound to opportunities reaches their accounts too, and nothing else of the accounts
    that belongs to another opportunity.
    """
    statement = scope.narrow(statement, column(table, "account_id"), "account_id")
    if "opportunity_id" in table.__table__.c:  # type: ignore[attr-defined]
        return scope.narrow(statement, column(table, "opportunity_id"), "opportunity_id")
    if scope.bound("opportunity_id") is not None:
        deals = scope.narrow(
            select(column(Opportunity, "account_id")),
            column(Opportunity, "opportunity_id"),
            "opportunity_id",
        )
        statement = statement.where(column(table, "account_id").in_(deals))
    return statement


def all_visible(session: Session, table: type[CrmTable], *conditions: Any) -> list[Any]:
    statement = visible(select(table).where(*conditions), table)
    return list(session.execute(statement).scalars())


def count_visible(session: Session, table: type[CrmTable], *conditions: Any) -> int:
    statement = visible(select(func.count()).select_from(table).where(*conditions), table)
    return int(session.execute(statement).scalar_one())


def page_of(
    session: Session,
    table: type[CrmTable],
    conditions: Sequence[Any],
    order: Sequence[Any],
    limit: int,
    cursor: str | None,
) -> tuple[list[Any], int, str | None]:
    """Return one page of visible rows, how many there are in all, and the next cursor."""
    offset = decode_cursor(cursor)
    statement = visible(select(table).where(*conditions), table)
    rows = list(session.execute(statement.order_by(*order).offset(offset).limit(limit)).scalars())
    total = count_visible(session, table, *conditions)
    return rows, total, next_cursor(offset, len(rows), total)


def slice_of(
    items: Sequence[Any], limit: int, cursor: str | None
) -> tuple[list[Any], int, str | None]:
    """Return one page of a list that is already in memory."""
    offset = decode_cursor(cursor)
    part = list(items[offset : offset + limit])
    return part, len(items), next_cursor(offset, len(part), len(items))


def get_account_row(session: Session, account_id: str) -> Account:
    """Return an account the caller may see.

    Raises:
        NotFoundError: there is none, or the grant does not reach it.
    """
    found: list[Account] = all_visible(
        session, Account, column(Account, "account_id") == account_id
    )
    if not found:
        raise NotFoundError(
            f"no account_id {account_id[:60]!r}", fix="resolve_account finds accounts by name"
        )
    return found[0]


def get_opportunity_row(session: Session, opportunity_id: str) -> Opportunity:
    """Return an opportunity the caller may see.

    Raises:
        NotFoundError: there is none, or the grant does not reach it.
    """
    found: list[Opportunity] = all_visible(
        session, Opportunity, column(Opportunity, "opportunity_id") == opportunity_id
    )
    if not found:
        raise NotFoundError(
            f"no opportunity_id {opportunity_id[:60]!r}", fix="search_opportunities lists the ids"
        )
    return found[0]


def write_once(
    session: Session,
    tool: str,
    opportunity_id: str,
    make: Callable[[Opportunity], Result],
    model: type[Result],
) -> Result:
    """Do something to a visible opportunity once per idempotency key.

    Raises:
        NotFoundError: the opportunity, or what the key stored before, is out of the grant's reach.
    """
    opportunity = get_opportunity_row(session, opportunity_id)
    result = once(session, tool, lambda: make(opportunity), model)
    stored = getattr(result, "opportunity_id", None)
    if stored is not None and stored != opportunity_id:
        get_opportunity_row(session, stored)
    return result


def now() -> str:
    return stamp(datetime.now(UTC))


def stamp(moment: datetime) -> str:
    """Return a time as the tables hold it: UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
