"""Who acts: the settings of a command that only a named person can give."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dealdesk.settings import Settings


def decider(home: str | None, person: str | None) -> Settings:
    """Return the settings of a command that only a named person can give."""
    from dealdesk.settings import load_settings
    from orchestrator.errors import UsageError

    settings = load_settings(home=home, person=person)
    if not settings.person:
        raise UsageError("who decides?", fix="name the person: --as per_tomas")
    return settings
