"""Who plays the agents: Claude, or the offline playbook; never one in the other's place."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from dealdesk.playbook.player import NAME as PLAYBOOK
from dealdesk.playbook.player import PlaybookModel, play_of
from orchestrator.errors import ModelError
from orchestrator.llm.base import Model, Reply

if TYPE_CHECKING:
    from dealdesk.settings import Settings

CLAUDE = "claude-sonnet-5-5"


def chosen_model(settings: Settings) -> str:
    """Return who plays: what was asked for, else Claude with a key, else the playbook."""
    asked = settings.model
    if asked in ("playbook", PLAYBOOK) or (not asked and not os.environ.get("ANTHROPIC_API_KEY")):
        return PLAYBOOK
    return CLAUDE if asked in (None, "", "claude") else asked


class OnlyName:
    """Stands for a model where nothing is played: runs are queued under its name."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def complete(self, **_request: Any) -> Reply:
        """Refuse to play."""
        raise ModelError(f"nothing is played here, so {self.name} was not opened")


@asynccontextmanager
async def open_models(
    settings: Settings, *, only_name: bool = False
) -> AsyncIterator[Callable[[str], Model]]:
    """Give each agent its model, or with `only_name` what cannot play and needs no key."""
    name = chosen_model(settings)
    if only_name:
        yield lambda _agent: OnlyName(name)
        return
    if name == PLAYBOOK:
        yield lambda agent: PlaybookModel(play_of(agent))
        return
    from orchestrator.llm.claude import ClaudeModel, client_of_the_environment

    client = client_of_the_environment()
    model = ClaudeModel(model=name, client=client)
    try:
        yield lambda _agent: model
    finally:
        await client.close()


def played_by(name: str) -> str:
    if name != PLAYBOOK:
        return ""
    return (
        f"Played by {PLAYBOOK}: rules, no language model. "
        "Set ANTHROPIC_API_KEY (or --model) to let Claude read."
    )
