"""Ask a reading tool in this process without the protocol: for a command that only looks.

FastMCP and the tools that are not called are most of what such a command would import. Whoever
asks still holds a grant, the store sees it, and the audit has its row.
"""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError, validate_call
from sqlmodel import Session

from servers.toolkit import scope
from servers.toolkit.database import Database
from servers.toolkit.errors import ForbiddenError
from servers.toolkit.grants import Grant
from servers.toolkit.ledger import Audit

Read = Callable[..., BaseModel]


def ask(
    database: Database, grant: Grant, tool: str, read: Read, arguments: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Return what a tool answers, or None where the server itself has to be asked.

    That is so when the database was never filled, or the arguments are refused: the server says
    how. `read` takes a session and the tool's arguments, with the tool's own types.

    Raises:
        ForbiddenError: the grant is for another server or tool.
    """
    if grant.audience != database.server or tool not in grant.tools:
        raise ForbiddenError(f"no {tool} under this grant", fix="ask with one that has it")
    if database.setting("seeded") is None:
        return None
    checked = validate_call(config={"arbitrary_types_allowed": True})(read)
    audit, mark = Audit(database), scope.current_grant.set(grant)
    try:
        with database.session() as session:
            answer = _answer(checked, session, arguments)
    finally:
        scope.current_grant.reset(mark)
    if answer is not None:
        audit.record(grant, "tools/call", tool, arguments, "allowed")
        audit.flush()
    return answer


def _answer(read: Read, session: Session, arguments: Mapping[str, Any]) -> dict[str, Any] | None:
    try:
        return read(session, **arguments).model_dump(mode="json")
    except ValidationError:
        return None
