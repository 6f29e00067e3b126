"""Who plays the agents: Claude, or the offline playbook; never one in the other's place."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from orchestrator.errors import ModelError, WorkflowError
from orchestrator.llm.base import Json, Model, Reply, Request
from orchestrator.workflows import WORKFLOWS

if TYPE_CHECKING:
    from dealdesk.settings import Settings

CLAUDE, PLAYBOOK = "claude-sonnet-5-5", "offline-playbook/1"


def chosen_model(settings: Settings) -> str:
    """Return who plays: what was asked for, else Claude with a key, else the playbook."""
    asked = settings.model
    if asked in ("playbook", PLAYBOOK) or (not asked and not os.environ.get("ANTHROPIC_API_KEY")):
        return PLAYBOOK
    return CLAUDE if asked in (None, "", "claude") else asked


Play = Callable[[Request], Reply]


def play_of(agent: str) -> Play:
    """Return an agent's play: `play_<agent>` in the module that is named for its workflow."""
    for workflow in WORKFLOWS:
        with suppress(ModuleNotFoundError, AttributeError):
            play: Play = resolve_name(f"dealdesk.playbook.{workflow}:play_{agent}")
            return play
    raise WorkflowError(
        f"{PLAYBOOK} has no play for the agent {agent}",
        fix=f"write play_{agent} in dealdesk/playbook/, or name a model with --model",
    )


class PlaybookModel:
    """Plays one agent by its rules."""

    name = PLAYBOOK

    def __init__(self, play: Play) -> None:
        self._play = play

    async def complete(
        self, *, system: str, messages: list[Json], tools: list[Json], output: Json
    ) -> Reply:
        """Answer by the rules, with no tool that the agent was not given."""
        request = Request(system, tuple(messages), tuple(tools), output)
        answer = self._play(request)
        for block in answer.content:
            data = block.to_dict()
            if data["type"] == "tool_use" and data["name"] not in request.tool_names:
                raise ModelError(f"the playbook calls {data['name']!r}, which it was not given")
        return answer


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
