"""Tasks: what one of us has to do, for whom, until when."""

import secrets
from datetime import date
from typing import Any

from sqlmodel import Session

from servers.crm.account_schemas import TaskPage, TaskRow
from servers.crm.reading.cleaning import redact
from servers.crm.stages import check_version
from servers.crm.store.new_accounts import line
from servers.crm.store.rows import column, now, page_of, span, the_account, the_row, write_for
from servers.crm.tables import Account, Opportunity, Task
from servers.toolkit import scope

FIRST_DUE = (column(Task, "due").is_(None), column(Task, "due"), column(Task, "task_id"))


def list_tasks(
    session: Session,
    account_id: str | None,
    *,
    owner: str,
    due_from: str,
    due_to: str,
    open_only: bool,
    limit: int,
    cursor: str | None,
) -> TaskPage:
    """Return tasks, the first due first, those without a day last."""
    equal: dict[str, Any] = {"owner": owner} if owner else {}
    if account_id is not None:
        equal["account_id"] = the_account(session, account_id).account_id
    wanted = span(column(Task, "due"), due_from, due_to)
    if open_only:
        wanted.append(column(Task, "done_at").is_(None))
    return page_of(session, TaskPage, Task, FIRST_DUE, limit, cursor, *wanted, **equal)


def add_task(
    session: Session,
    account_id: str,
    *,
    what: str,
    due: date | None,
    owner: str,
    opportunity_id: str | None,
) -> TaskRow:
    def make(account: Account) -> TaskRow:
        mine: dict[str, Any] = {"account_id": account.account_id}
        if opportunity_id is not None:
            the_row(session, Opportunity, opportunity_id=opportunity_id, **mine)
        row = Task(
            task_id=f"task_{secrets.token_hex(8)}",
            **mine,
            opportunity_id=opportunity_id,
            owner=owner or scope.requester(),
            what=redact(line(what, "task", 500)),
            due=None if due is None else due.isoformat(),
        )
        session.add(row)
        session.flush()
        return TaskRow.model_validate(row, from_attributes=True)

    return write_for(session, "add_task", account_id, make, TaskRow)


def finish_task(session: Session, account_id: str, task_id: str, expected_version: int) -> TaskRow:
    def make(account: Account) -> TaskRow:
        row = the_row(session, Task, task_id=task_id, account_id=account.account_id)
        check_version(expected_version, row.version)
        if row.done_at is None:
            row.done_at, row.version = now(), row.version + 1
            session.add(row)
            session.flush()
        return TaskRow.model_validate(row, from_attributes=True)

    return write_for(session, "finish_task", account_id, make, TaskRow)
