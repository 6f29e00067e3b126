"""The offline playbook: rules in the place of a model, so that everything works without a key.

It is not a language model and does not pretend to be one. Each agent has a play, a pure function
of the transcript that calls the same tools through the same loop and the same gate; its name is
stamped on every run and quote. It knows the shapes of the demo's texts and asks a person about
the rest; it does not generalise.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pkgutil import resolve_name

from orchestrator.errors import ModelError, WorkflowError
from orchestrator.llm.base import Json, Reply, Request
from orchestrator.workflows import WORKFLOWS

NAME = "offline-playbook/1"

Play = Callable[[Request], Reply]


def play_of(agent: str) -> Play:
    """Return an agent's play: `play_<agent>` in the module that is named for its workflow."""
    for workflow in WORKFLOWS:
        with suppress(ModuleNotFoundError, AttributeError):
            play: Play = resolve_name(f"dealdesk.playbook.{workflow}:play_{agent}")
            return play
    raise WorkflowError(
        f"{NAME} has no play for the agent {agent}",
        fix=f"write play_{agent} in dealdesk/playbook/, or name a model with --model",
    )


class PlaybookModel:
    """Plays one agent by its rules."""

    name = NAME

    def __init__(self, play: Play) -> None:
        self._play = play

    async def complete(
        self, *, system: str, messages: list[Json], tools: list[Json], output: Json
    ) -> Reply:
        """Answer by the rules.

        Raises:
            ModelError: the play calls a tool that the agent was not given.
        """
        request = Request(system, tuple(messages), tuple(tools), output)
        answer = self._play(request)
        for block in answer.content:
            data = block.to_dict()
            if data["type"] == "tool_use" and data["name"] not in request.tool_names:
                raise ModelError(f"the playbook calls {data['name']!r}, which it was not given")
        return answer
