"""Tools about tasks: what one of us has to do, for whom, until when."""

from datetime import date

from sqlmodel import Session

from servers.crm.account_schemas import TaskPage, TaskRow
from servers.crm.schemas import TaskId, Version
from servers.crm.store import tasks
from servers.crm.tools.arguments import ACCOUNT, Assignee, Day, Owner, What
from servers.toolkit.components import tool
from servers.toolkit.declare import reads, writes
from servers.toolkit.fields import AccountId, Cursor, Limit, OpportunityId

ABOUT = ("account_id", "opportunity_id")


@tool(reads("List tasks", rows="filtered", binds=ACCOUNT, integrity="untrusted"))
def list_tasks(
    session: Session,
    account_id: AccountId | None = None,
    owner: Owner = "",
    due_from: Day = "",
    due_to: Day = "",
    open_only: bool = True,
    limit: Limit = 20,
    cursor: Cursor = "",
) -> TaskPage:
    """List tasks, the first due first: of an account, of an owner, or due between two days."""
    said = {"owner": owner, "due_from": due_from, "due_to": due_to}
    return tasks.list_tasks(
        session, account_id, **said, open_only=open_only, limit=limit, cursor=cursor
    )


@tool(writes("Add a task", rows="bound", binds=ABOUT, integrity="untrusted"))
def add_task(
    session: Session,
    account_id: AccountId,
    what: What,
    due: date | None = None,
    owner: Assignee = "",
    opportunity_id: OpportunityId | None = None,
) -> TaskRow:
    """Put down what one of us has to do about an account, or about one of its opportunities."""
    return tasks.add_task(
        session, account_id, what=what, due=due, owner=owner, opportunity_id=opportunity_id
    )


@tool(writes("Finish a task", rows="bound", binds=ACCOUNT, integrity="untrusted"))
def finish_task(
    session: Session, account_id: AccountId, task_id: TaskId, expected_version: Version
) -> TaskRow:
    """Say that a task is done. task_id and version come from list_tasks or get_account.

    Refused when it changed in between.
    """
    return tasks.finish_task(session, account_id, task_id, expected_version)
