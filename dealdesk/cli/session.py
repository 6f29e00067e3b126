"""How a command opens the desk: to look, or as a named person who decides."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from dealdesk.desk import Desk


def looking(home: str | None) -> AbstractAsyncContextManager[Desk]:
    """Open the desk to look; nothing is run, and nobody need say who they are."""
    from dealdesk.desk import Desk
    from dealdesk.settings import load_settings

    return Desk.open(load_settings(home=home), work=False)


def deciding(
    home: str | None, person: str | None, *, work: bool = False
) -> AbstractAsyncContextManager[Desk]:
    """Open the desk for what only a named person may do.

    Args:
        home: The data folder.
        person: Who decides, where the settings name nobody.
        work: Whether a run goes on afterwards.

    Raises:
        UsageError: nobody is named.
    """
    from dealdesk.desk import Desk
    from dealdesk.settings import load_settings

    settings = load_settings(home=home, person=person)
    if not settings.person:
        raise UsageError("who decides?", fix="name the person: --as per_tomas")
    return Desk.open(settings, work=work)
