"""One tool call, as the agent, the run log and the verification of an output all see it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from mcp.types import TextContent

from orchestrator.errors import ToolRefused

if TYPE_CHECKING:
    from mcp.types import CallToolResult

MAX_RESULT_CHARS = 100_000


@dataclass(frozen=True)
class Call:
    """One tool call: what was asked, and what was told.

    Attributes:
        arguments: As they were sent, bound ones included; of a denied call, as they were asked.
        outcome: `denied` calls were never sent.
        text: What the model is told: JSON, or `ERROR: CODE: what is wrong. Try: what to do next.`
        result: The structured result of a successful call.
        seconds: How long it took.
    """

    name: str
    arguments: Mapping[str, Any]
    outcome: Literal["ok", "error", "denied"]
    text: str
    result: Mapping[str, Any] | None = None
    seconds: float = 0.0

    @property
    def is_error(self) -> bool:
        return self.outcome != "ok"

    @property
    def findings(self) -> list[Mapping[str, Any]]:
        found = (self.result or {}).get("findings")
        return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def answer_of(tool: str, answer: CallToolResult) -> dict[str, Any]:
    """Return a call's structured result, for code that needs one.

    Raises:
        ToolRefused: the server said no; the message is the server's.
    """
    if answer.is_error or answer.structured_content is None:
        text = " ".join(getattr(block, "text", "") for block in answer.content)
        raise ToolRefused(text or f"{tool} gave no answer")
    return dict(answer.structured_content)


def told(name: str, arguments: Mapping[str, Any], answer: CallToolResult) -> Call:
    """Return what came of a call: the structured result, or text, or an error."""
    words = "\n".join(part.text for part in answer.content if isinstance(part, TextContent))
    data = answer.structured_content
    text = words if data is None else json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    if answer.is_error:
        text = words or "FAILED: the tool did not say why."
    elif not text:
        text = "NO_RESULT: the tool answered with nothing readable."
    elif len(text) > MAX_RESULT_CHARS:
        text = f"TOO_LONG: the result has {len(text)} characters. Try: a smaller page."
    else:
        result = data if isinstance(data, Mapping) or data is None else {"result": data}
        return Call(name, arguments, "ok", text, result)
    return Call(name, arguments, "error", f"ERROR: {text}")
