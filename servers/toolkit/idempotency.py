"""Effects that happen once: the key, whose it is, the effect and its result commit together.

The orchestrator sends the key in the request's `_meta`; the gate puts it in `scope.current_key`.
The first write wins: a repeat by the same caller gets the stored result, marked `replayed`, even
when its other arguments differ, because a model that is run again words things anew (design law 5).
A key is easy to guess (`RUN/step:tool:0`), so it belongs to its caller: that of another is unknown.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from pydantic import BaseModel
from sqlmodel import Session

from servers.toolkit import scope
from servers.toolkit.errors import NotFoundError
from servers.toolkit.migrate import idempotency_table

META_KEY = "dealdesk/idempotency-key"
MAX_KEY = 200

Result = TypeVar("Result", bound=BaseModel)


def once(
    session: Session,
    tool: str,
    make: Callable[[], Result],
    model: type[Result],
    seen: Callable[[Result], object],
) -> Result:
    """Run `make` unless this caller sent this key before; then return what it returned.

    A write session holds SQLite's write lock, so look-up and effect cannot interleave with another
    writer's. The result's type has a field `replayed: bool`. `seen` reads what a stored result is
    about as any read does, and so raises for a caller whose grant does not reach it.
    """
    key = scope.current_key.get()
    if key is None:
        return make()
    connection, grant = session.connection(), scope.grant()
    table, caller = idempotency_table, grant.caller
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(
            "SELECT pg_advisory_xact_lock(hashtext(%s))", (f"{tool}\n{caller}\n{key}",)
        )
    owners = [caller]
    if grant.run and key.startswith(f"{grant.run}/"):
        owners.append("")  # kept before callers were: the key says of which run it is
    mine = (table.c.key == key, table.c.tool == tool, table.c.caller.in_(owners))
    row = connection.execute(table.select().where(*mine)).first()
    if row is not None:
        stored = model.model_validate_json(row.result)
        try:
            seen(stored)
        except NotFoundError:  # which would name what is out of reach
            raise NotFoundError("this key was used for something else", fix="another key") from None
        return stored.model_copy(update={"replayed": True})
    result = make()
    session.flush()
    connection.execute(
        table.insert().values(
            key=key,
            tool=tool,
            caller=caller,
            at=datetime.now(UTC).isoformat(timespec="seconds"),
            result=result.model_dump_json(),
        )
    )
    return result
