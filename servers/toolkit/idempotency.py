"""Effects that happen once: the key, the effect and its result commit together.

The orchestrator sends the key in the request's `_meta`; the gate puts it in `scope.current_key`.
The first write wins: a repeat gets the stored result, marked `replayed`, even when its other
arguments differ, because a model that is run again words things anew (design law 5).
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from pydantic import BaseModel
from sqlmodel import Session

from servers.toolkit import scope
from servers.toolkit.migrate import idempotency_table

META_KEY = "dealdesk/idempotency-key"
MAX_KEY = 200

Result = TypeVar("Result", bound=BaseModel)


def once(session: Session, tool: str, make: Callable[[], Result], model: type[Result]) -> Result:
    """Run `make` unless this request's key was seen before; then return what it returned.

    A write session holds SQLite's write lock, so look-up and effect cannot interleave with another
    writer's. The result's type has a field `replayed: bool`.
    """
    key = scope.current_key.get()
    if key is None:
        return make()
    connection = session.connection()
    table = idempotency_table
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(
            "SELECT pg_advisory_xact_lock(hashtext(%s))", (f"{tool}\n{key}",)
        )
    row = connection.execute(table.select().where(table.c.key == key, table.c.tool == tool)).first()
    if row is not None:
        return model.model_validate_json(row.result).model_copy(update={"replayed": True})
    result = make()
    session.flush()
    connection.execute(
        table.insert().values(
            key=key,
            tool=tool,
            at=datetime.now(UTC).isoformat(timespec="seconds"),
            result=result.model_dump_json(),
        )
    )
    return result
