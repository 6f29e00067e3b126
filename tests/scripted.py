"""A model that plays a script: for tests, examples and a first look at the loop.

    model = ScriptedModel([
        reply(call("get_account", account_id="acc_001")),
        reply(text('{"account_id": "acc_001"}')),
    ])

A script may also be a function of the request. It must be a pure one: the same transcript gives
the same answer, so a run that is resumed or retried plays on where it was, with no state to lose.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from orchestrator.errors import ModelError
from orchestrator.llm.base import Json, PlainReply, Reply, Request, call, reply, text

__all__ = ["Brain", "PlainReply", "PlainUsage", "Request", "ScriptedModel", "call", "reply", "text"]

Brain = Callable[[Request], Reply]


@dataclass(frozen=True)
class PlainUsage:
    """What one reply cost."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_creation_input_tokens: int = 0
    cache_read_input_tokens: int = 0


class ScriptedModel:
    """Answers from a list of replies or from a function, and remembers what it was asked.

    Attributes:
        requests: Every request, as it was when it came.
    """

    def __init__(self, script: Brain | Sequence[Reply], *, name: str = "scripted/1") -> None:
        """Take a function of the request, or the replies of the turns in order."""
        self.name = name
        self.requests: list[Request] = []
        self._brain = script if callable(script) else _play(script)

    async def complete(
        self, *, system: str, messages: list[Json], tools: list[Json], output: Json
    ) -> Reply:
        """Answer by the script.

        Raises:
            ModelError: the script has no reply for this turn.
        """
        request = Request(
            system,
            tuple(copy.deepcopy(messages)),
            tuple(copy.deepcopy(tools)),
            copy.deepcopy(output),
        )
        self.requests.append(request)
        return self._brain(request)


def _play(replies: Sequence[Reply]) -> Brain:
    def brain(request: Request) -> Reply:
        if request.turn >= len(replies):
            raise ModelError(f"the script has {len(replies)} replies and turn {request.turn + 1}")
        return replies[request.turn]

    return brain
