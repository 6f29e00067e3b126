"""How a command uses the desk: to look, or as a named person who decides."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from dealdesk.cli.options import Acting
from dealdesk.settings import load_settings
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from dealdesk.desk import Desk


def looking(home: str | None) -> AbstractAsyncContextManager[Desk]:
    """Open the desk to look; nothing is run, and nobody need say who they are."""
    from dealdesk.desk import Desk

    return Desk.open(load_settings(home=home), work=False)


def acting_as(acting: Acting, *, work: bool = False) -> AbstractAsyncContextManager[Desk]:
    """Open the desk for what only a named person may do; to work where a run then goes on."""
    from dealdesk.desk import Desk

    settings = load_settings(home=acting.home, person=acting.person)
    if not settings.person:
        raise UsageError("who decides?", fix="name the person: --as per_tomas")
    return Desk.open(settings, work=work)
