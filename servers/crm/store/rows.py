"""What every query shares: narrowing by the grant, pages, times."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import BaseModel
from sqlalchemy import Select, func, select
from sqlmodel import Session

from servers.crm.tables import (
    Account,
    Activity,
    Contact,
    CrmTable,
    Document,
    Need,
    Opportunity,
    Task,
)
from servers.toolkit import scope
from servers.toolkit.errors import NotFoundError
from servers.toolkit.idempotency import once
from servers.toolkit.paging import Page, decode_cursor, next_cursor

Statement = TypeVar("Statement", bound=Select[Any])
Result = TypeVar("Result", bound=BaseModel)
Row = TypeVar("Row", bound=CrmTable)
Rows = TypeVar("Rows", bound=Page[Any])

_FOUND_BY: dict[type[CrmTable], str] = {
    Account: "resolve_account finds accounts by name",
    Opportunity: "search_opportunities lists the ids",
    Activity: "list_activities lists the ids",
    Document: "read_message names the attachments of a message",
    Need: "list_needs lists the ids",
    Contact: "list_contacts lists the ids",
    Task: "list_tasks lists the ids",
}


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
        deal = column(Opportunity, "opportunity_id")
        owners = select(column(Opportunity, "account_id"))
        deals = scope.narrow(owners, deal, "opportunity_id")
        statement = statement.where(column(table, "account_id").in_(deals))
    return statement


def all_visible(
    session: Session, table: type[Row], *conditions: Any, order: Sequence[Any] = (), **equal: Any
) -> list[Row]:
    """Return the visible rows with these values that also meet the conditions."""
    statement = visible(select(table).where(*conditions).filter_by(**equal), table)
    return list(session.execute(statement.order_by(*order)).scalars())


def first_visible(
    session: Session,
    table: type[Row],
    most: int,
    order: Sequence[Any],
    *conditions: Any,
    **equal: Any,
) -> list[Row]:
    """Return the first of the rows that `all_visible` returns."""
    statement = visible(select(table).where(*conditions).filter_by(**equal), table)
    return list(session.execute(statement.order_by(*order).limit(most)).scalars())


def count_visible(session: Session, table: type[CrmTable], *conditions: Any, **equal: Any) -> int:
    counted = select(func.count()).select_from(table).where(*conditions).filter_by(**equal)
    return int(session.execute(visible(counted, table)).scalar_one())


def the_row(session: Session, table: type[Row], **ids: str) -> Row:
    """Return the visible row with an id, the first of those given.

    Raises:
        NotFoundError: there is none, or the grant does not reach it.
    """
    found = all_visible(session, table, **ids)
    if not found:
        name, value = next(iter(ids.items()))
        raise NotFoundError(f"no {name} {value[:60]!r}", fix=_FOUND_BY[table])
    return found[0]


def the_account(session: Session, account_id: str) -> Account:
    """Return the visible account with an id; of one that was merged, the account that it is now."""
    row = the_row(session, Account, account_id=account_id)
    if row.merged_into is None:
        return row
    return the_row(session, Account, account_id=row.merged_into)


def span(column: Any, first: str, last: str) -> list[Any]:
    """Return the conditions that a day or time is on or between two days, where those are said."""
    found = [column >= first] if first else []
    return [*found, column <= f"{last}T99"] if last else found  # each time of that day


def page_of(
    session: Session,
    page: type[Rows],
    table: type[CrmTable],
    order: Sequence[Any],
    limit: int,
    cursor: str | None,
    *conditions: Any,
    told: Callable[[list[Any]], Sequence[Any]] = list,
    **equal: Any,
) -> Rows:
    """Return one page of the rows that `all_visible` returns.

    `told` makes what the page says of them, when it is more than the columns of the same name.
    """
    offset = decode_cursor(cursor)
    statement = visible(select(table).where(*conditions).filter_by(**equal), table)
    found = session.execute(statement.order_by(*order).offset(offset).limit(limit))
    rows, total = list(found.scalars()), count_visible(session, table, *conditions, **equal)
    after = next_cursor(offset, len(rows), total)
    said = {"items": told(rows), "total": total, "next_cursor": after}
    return page.model_validate(said, from_attributes=True)


def slice_of(page: type[Rows], items: Sequence[Any], limit: int, cursor: str | None) -> Rows:
    """Return one page of a list that is already in memory."""
    offset = decode_cursor(cursor)
    part = items[offset : offset + limit]
    after = next_cursor(offset, len(part), len(items))
    said = {"items": list(part), "total": len(items), "next_cursor": after}
    return page.model_validate(said, from_attributes=True)


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
    opportunity = the_row(session, Opportunity, opportunity_id=opportunity_id)

    def seen(stored: Result) -> None:
        the_row(session, Opportunity, **stored.model_dump(include={"opportunity_id"}))

    return once(session, tool, lambda: make(opportunity), model, seen)


def write_for(
    session: Session,
    tool: str,
    account_id: str,
    make: Callable[[Account], Result],
    model: type[Result],
) -> Result:
    """Do something to a visible account once per idempotency key, as `write_once` does."""
    account = the_account(session, account_id)

    def seen(stored: Result) -> None:
        the_account(session, **stored.model_dump(include={"account_id"}))

    return once(session, tool, lambda: make(account), model, seen)


def now() -> str:
    return stamp(datetime.now(UTC))


def stamp(moment: datetime) -> str:
    """Return a time as the tables hold it: UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
