"""What the agent loop needs of a model, and nothing more.

`Reply` is a structural type: `anthropic.types.Message` fits it as it is, and so does the small
`PlainReply` that the offline playbook returns. So every model goes through the same loop, and a
run without Claude never imports `anthropic` (4 s of CPU on a small machine).

Messages, tools and blocks are plain JSON in the shapes of the Messages API: a transcript can be
stored, read and compared without any SDK.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from orchestrator.errors import AnswerCutOff, ContextExceeded, ModelError, ModelRefused

Json = dict[str, Any]


class Block(Protocol):
    """One block of a reply; its JSON is what the next request echoes."""

    def to_dict(self) -> Mapping[str, Any]: ...


class Reply(Protocol):
    """A model's answer to one request; `anthropic.types.Message` is one."""

    @property
    def content(self) -> Sequence[Block]: ...
    @property
    def stop_reason(self) -> str | None: ...
    @property
    def usage(self) -> Any: ...


class Model(Protocol):
    """A model behind the one seam of the loop; `name` is stamped on runs and quotes."""

    @property
    def name(self) -> str: ...

    async def complete(
        self, *, system: str, messages: list[Json], tools: list[Json], output: Json
    ) -> Reply:
        """Answer a transcript, which is not changed; `output` is the answer's JSON schema.

        A `DealdeskError` says that no usable answer came.
        """
        ...


@dataclass(frozen=True)
class Spent:
    """Tokens used; `input_tokens` counts those from and to the cache too."""

    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0

    @property
    def total(self) -> int:
        return self.input_tokens + self.output_tokens

    def plus(self, usage: Any) -> Spent:
        """Return the sum with one reply's usage; some servers leave counts out.

        Its `input_tokens` do not count what came from or went to the cache.
        """

        def count(name: str) -> int:
            return getattr(usage, name, None) or 0

        cached = count("cache_read_input_tokens")
        fresh = count("input_tokens") + count("cache_creation_input_tokens")
        return Spent(
            self.input_tokens + fresh + cached,
            self.cached_tokens + cached,
            self.output_tokens + count("output_tokens"),
        )


@dataclass(frozen=True)
class PlainBlock:
    """A block that is only its JSON."""

    data: Mapping[str, Any]

    def to_dict(self) -> Mapping[str, Any]:
        return dict(self.data)


@dataclass(frozen=True)
class PlainReply:
    """A `Reply` made without any SDK; `usage` is None for models that cost nothing."""

    content: tuple[PlainBlock, ...]
    stop_reason: str
    usage: Any = None


@dataclass(frozen=True)
class Request:
    """One request as a model that plays by rules sees it: everything it knows."""

    system: str
    messages: tuple[Json, ...]
    tools: tuple[Json, ...]
    output: Json

    @property
    def task(self) -> str:
        content = self.messages[0]["content"]
        return content if isinstance(content, str) else str(content[0]["text"])

    @property
    def turn(self) -> int:
        """How many answers the transcript already holds."""
        return sum(message["role"] == "assistant" for message in self.messages)

    @property
    def tool_names(self) -> frozenset[str]:
        return frozenset(tool["name"] for tool in self.tools)

    def results(self, name: str | None = None) -> list[Any]:
        """Return what the calls of one tool (or of all) were told, oldest first.

        Results are paired with calls by their place in the turn, since some servers repeat ids.
        JSON comes back parsed; an error comes back as its text, which starts with `ERROR: `.
        """
        found: list[Any] = []
        calls: list[str] = []
        for message in self.messages:
            if message["role"] == "assistant":
                calls = [b["name"] for b in message["content"] if b["type"] == "tool_use"]
            elif not isinstance(message["content"], str):
                told = [b for b in message["content"] if b["type"] == "tool_result"]
                for called, block in zip(calls, told, strict=False):
                    if name in (None, called):
                        found.append(_parsed(block["content"]))
        return found


def text(words: str) -> PlainBlock:
    """Return a block of text; the last one of a final reply is the agent's answer."""
    return PlainBlock({"type": "text", "text": words})


def call(tool: str, /, **arguments: Any) -> PlainBlock:
    """Return a block that calls a tool; `reply` numbers it."""
    return PlainBlock({"type": "tool_use", "name": tool, "input": arguments})


def reply(*blocks: PlainBlock, stop_reason: str | None = None) -> PlainReply:
    """Return a reply of blocks from `text` and `call`."""
    calls = any(block.data["type"] == "tool_use" for block in blocks)
    numbered = tuple(
        PlainBlock({"id": f"toolu_{place}", **block.data})
        if block.data["type"] == "tool_use"
        else block
        for place, block in enumerate(blocks)
    )
    return PlainReply(numbered, stop_reason or ("tool_use" if calls else "end_turn"))


def unusable(agent: str, reply: Reply) -> ModelError:
    """Return the error for a reply that is neither an answer nor a tool call."""
    match reply.stop_reason:
        case "refusal":
            category = getattr(getattr(reply, "stop_details", None), "category", None)
            why = f" ({category})" if category else ""
            return ModelRefused(f"{agent}: the model declined to answer{why}")
        case "max_tokens":
            return AnswerCutOff(f"{agent}: the model's answer was cut off at its longest length")
        case "model_context_window_exceeded":
            return ContextExceeded(f"{agent}: what was read no longer fits the model")
        case other:
            return ModelError(f"{agent}: the model stopped in a way unknown here: {other!r}")


def _parsed(content: Any) -> Any:
    try:
        return json.loads(content)
    except (TypeError, ValueError):
        return content
