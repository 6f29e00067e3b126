"""A fake OpenAI endpoint, chat completions and responses: it answers by a script.

No model runs. A script is a list of tool calls, one a turn, and an answer made of what came
back, so an answer that is right proves that the results went through the framework.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

KEY = "sk-test-0123456789"
Json = dict[str, Any]


@dataclass(frozen=True)
class Script:
    """What the model plays: its calls in order, then an answer made of their results.

    Attributes:
        calls: The tools and their arguments, one a turn.
        says: The answer, with names in braces.
        reads: Per name, a pattern whose group is what a model would read in the results.
    """

    calls: tuple[tuple[str, Json], ...]
    says: str
    reads: Mapping[str, str]

    def turn(self, results: list[str]) -> tuple[str, Json] | str:
        """Return the next call, or the answer when every call has its result."""
        if len(results) < len(self.calls):
            return self.calls[len(results)]
        told = " ".join(results)
        found = {name: re.search(pattern, told) for name, pattern in self.reads.items()}
        return self.says.format_map({n: m[1] if m else "nothing" for n, m in found.items()})


@dataclass
class FakeOpenAI:
    """The endpoint's state: its script and what it was sent."""

    script: Script
    bodies: list[Json] = field(default_factory=list)

    @property
    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/chat/completions", self._chat, methods=["POST"]),
                Route("/v1/responses", self._responses, methods=["POST"]),
            ]
        )

    @property
    def offered(self) -> list[set[str]]:
        """The names of the tools that each request offered."""
        return [
            {(tool.get("function") or tool)["name"] for tool in body.get("tools", ())}
            for body in self.bodies
        ]

    async def _chat(self, request: HttpRequest) -> Response:
        body = await self._taken(request)
        if body is None:
            return _refused(401, "no key")
        asked = [call["id"] for m in body["messages"] for call in m.get("tool_calls") or ()]
        told = [m for m in body["messages"] if m["role"] == "tool"]
        if asked != [m["tool_call_id"] for m in told]:
            return _refused(400, "every tool call needs its result")
        turn = self.script.turn([_text(m["content"]) for m in told])
        message: Json = {"role": "assistant", "content": turn if isinstance(turn, str) else None}
        if not isinstance(turn, str):
            function = {"name": turn[0], "arguments": json.dumps(turn[1])}
            call = {"id": f"call_{len(told)}", "type": "function", "function": function}
            message["tool_calls"] = [call]
        reason = "stop" if isinstance(turn, str) else "tool_calls"
        head = {"id": f"chat_{len(told)}", "created": 0, "model": body["model"]}
        if body.get("stream"):
            return StreamingResponse(_chunks(head, message, reason), media_type="text/event-stream")
        choice = {"index": 0, "message": message, "finish_reason": reason}
        usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
        return JSONResponse(
            {**head, "object": "chat.completion", "choices": [choice], "usage": usage}
        )

    async def _responses(self, request: HttpRequest) -> Response:
        body = await self._taken(request)
        if body is None:
            return _refused(401, "no key")
        if body.get("stream"):
            return _refused(400, "this endpoint does not stream")
        items = body["input"] if isinstance(body["input"], list) else []
        asked = [item["call_id"] for item in items if item.get("type") == "function_call"]
        told = [item for item in items if item.get("type") == "function_call_output"]
        if asked != [item["call_id"] for item in told]:
            return _refused(400, "every tool call needs its result")
        turn = self.script.turn([_text(item["output"]) for item in told])
        number = str(len(told))
        if isinstance(turn, str):
            part = {"type": "output_text", "text": turn, "annotations": []}
            item: Json = {"id": f"msg_{number}", "type": "message", "role": "assistant"}
            item |= {"status": "completed", "content": [part]}
        else:
            item = {"id": f"fc_{number}", "type": "function_call", "call_id": f"call_{number}"}
            item |= {"name": turn[0], "arguments": json.dumps(turn[1]), "status": "completed"}
        return JSONResponse(
            {
                "id": f"resp_{number}",
                "object": "response",
                "created_at": 0,
                "status": "completed",
                "model": body["model"],
                "output": [item],
                "parallel_tool_calls": False,
                "tool_choice": "auto",
                "tools": [],
                "usage": {
                    "input_tokens": 10,
                    "input_tokens_details": {"cached_tokens": 0},
                    "output_tokens": 5,
                    "output_tokens_details": {"reasoning_tokens": 0},
                    "total_tokens": 15,
                },
            }
        )

    async def _taken(self, request: HttpRequest) -> Json | None:
        body: Json = await request.json()
        self.bodies.append(body)
        return body if request.headers.get("authorization") == f"Bearer {KEY}" else None


def _refused(status: int, message: str) -> Response:
    return JSONResponse({"error": {"message": message, "type": "invalid_request_error"}}, status)


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


def _chunks(head: Json, message: Json, reason: str) -> Iterator[str]:
    """Yield a chat completion as server-sent events."""

    def event(delta: Json, finish: str | None = None, **more: Any) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        chunk = {**head, "object": "chat.completion.chunk", "choices": [choice], **more}
        return f"data: {json.dumps(chunk)}\n\n"

    calls = [{"index": i, **call} for i, call in enumerate(message.get("tool_calls", ()))]
    yield event({"role": "assistant", "content": message["content"]})
    if calls:
        yield event({"tool_calls": calls})
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    yield event({}, reason, usage=usage)
    yield "data: [DONE]\n\n"
