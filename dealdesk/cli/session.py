"""How a command uses the desk: to look, or as a named person who decides."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from dealdesk.cli.options import Acting
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from dealdesk.desk import Desk


def looking(home: str | None) -> AbstractAsyncContextManager[Desk]:
    """Open the desk to look; nothing is run, and nobody need say who they are."""
    from dealdesk.desk import Desk
    from dealdesk.settings import load_settings

    return Desk.open(load_settings(home=home), work=False)


def acting_as(acting: Acting, *, work: bool = False) -> AbstractAsyncContextManager[Desk]:
    """Open the desk for what only a named person may do; to work where a run then goes on."""
    from dealdesk.desk import Desk
    from dealdesk.settings import load_settings

    settings = load_settings(home=acting.home, person=acting.person)
    if not settings.person:
        raise UsageError("who decides?", fix="name the person: --as per_tomas")
    return Desk.open(settings, work=work)


async def all_parts(
    desk: Desk,
    server: str,
    tool: str,
    asked: Mapping[str, Any],
    *,
    rows: str,
    after: str,
    start: str,
) -> dict[str, Any]:
    """Call a tool until the `rows` of its answer are whole; a large one comes in parts.

    The field `after` says where the next part starts, and the argument `start` takes it.
    """
    found = await desk.look(server, tool, asked)
    while found[after] is not None:
        part = await desk.look(server, tool, {**asked, start: found[after]})
        found = {**part, rows: found[rows] + part[rows]}
    return found
