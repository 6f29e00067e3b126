"""A fake `/v1/messages` endpoint: it answers by a script and is as strict as the real one.

The script is the same kind that `ScriptedModel` plays, so one script can be tried with and
without the real SDK and its wire in between.
"""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
import uvicorn
from anthropic import AsyncAnthropic
from scripted import Brain
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from orchestrator.llm.base import PlainReply, Request

KEY = "sk-ant-test-0123456789"
VERSION = "2026-10-21"
PARAMETERS = {
    "cache_control",
    "max_tokens",
    "messages",
    "metadata",
    "model",
    "output_config",
    "stop_sequences",
    "stream",
    "system",
    "thinking",
    "tool_choice",
    "tools",
}


@dataclass(frozen=True)
class HTTPFail:
    """An error response to give before the script plays on."""

    status: int
    kind: str
    message: str = "no"
    headers: Mapping[str, str] = field(default_factory=lambda: {"retry-after-ms": "1"})

    def response(self) -> Response:
        error = {"type": self.kind, "message": self.message}
        return JSONResponse(
            {"type": "error", "error": error}, self.status, {"request-id": "req_1", **self.headers}
        )


@dataclass
class FakeMessages:
    """The endpoint's state: its script, the failures still to come, and what it was sent."""

    brain: Brain
    fails: list[HTTPFail] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)

    @property
    def app(self) -> Starlette:
        return Starlette(routes=[Route("/v1/messages", self._messages, methods=["POST"])])

    def client(self, **options: Any) -> AsyncAnthropic:
        """Return the real SDK's client, wired to this endpoint without a socket."""
        transport = httpx2.ASGITransport(app=self.app)
        settings = {"api_key": KEY, "base_url": "http://fake.test", "max_retries": 2, **options}
        return AsyncAnthropic(http_client=httpx2.AsyncClient(transport=transport), **settings)

    async def _messages(self, request: HttpRequest) -> Response:
        body = await request.json()
        self.bodies.append(body)
        self.headers.append(dict(request.headers))
        if self.fails:
            return self.fails.pop(0).response()
        if problem := check_request(request.headers, body):
            return problem.response()
        system = body.get("system", "")
        answer = self.brain(
            Request(
                system if isinstance(system, str) else system[0]["text"],
                tuple(body["messages"]),
                tuple(body.get("tools", ())),
                body.get("output_config", {}).get("format", {}).get("schema", {}),
            )
        )
        message = as_message(answer, body["model"], len(self.bodies))
        if body.get("stream"):
            return StreamingResponse(events(message), media_type="text/event-stream")
        return JSONResponse(message)


def check_request(headers: Mapping[str, str], body: dict[str, Any]) -> HTTPFail | None:
    """Return the error the real API gives for a request, or None."""
    if not (headers.get("authorization", "").startswith("Bearer ") or headers.get("x-api-key")):
        return HTTPFail(401, "authentication_error", "x-api-key header is required")
    problem = _wrong(headers, body)
    return HTTPFail(400, "invalid_request_error", problem) if problem else None


def _wrong(headers: Mapping[str, str], body: dict[str, Any]) -> str | None:
    if headers.get("anthropic-version") != VERSION:
        return "anthropic-version: header is required and must name a known version"
    for name in ("max_tokens", "messages", "model"):
        if name not in body:
            return f"{name}: Field required"
    if extra := sorted(set(body) - PARAMETERS):
        return f"{extra[0]}: Extra inputs are not permitted"
    names = [tool["name"] for tool in body.get("tools", ())]
    if len(set(names)) != len(names):
        return "tools: Tool names must be unique."
    for name in names:
        if not re.fullmatch(r"[a-zA-Z0-9_-]{1,128}", name):
            return f"tools: {name} does not match the pattern of names"
    for tool in body.get("tools", ()):
        if tool["input_schema"].get("type") != "object":
            return "tools: input_schema.type: Field required"
    if problem := _wrong_schemas(body):
        return problem
    if body.get("tool_choice", {}).get("type", "auto") in ("any", "tool"):
        return "tool_choice: forced tools are not supported by this model"
    return _wrong_transcript(body["messages"])


SCHEMA_WORDS = {
    "object": {"properties", "required", "additionalProperties"},
    "array": {"items", "minItems"},
    "string": {"format", "pattern"},
    "integer": set(),
    "number": set(),
    "boolean": set(),
    "null": set(),
}
ANY_SCHEMA = {"type", "title", "description", "default", "enum", "const", "anyOf", "allOf", "$ref"}
FORMATS = {
    "date-time",
    "time",
    "date",
    "duration",
    "email",
    "hostname",
    "uri",
    "ipv4",
    "ipv6",
    "uuid",
}
OPTIONAL, UNIONS, STRICT_TOOLS = 24, 16, 20


def _wrong_schemas(body: dict[str, Any]) -> str | None:
    """Judge what the model is held to: the answer's schema and those of strict tools, together."""
    tools = [tool for tool in body.get("tools", ()) if tool.get("strict")]
    if len(tools) > STRICT_TOOLS:
        return f"tools: Too many strict tools ({len(tools)}). (limit: {STRICT_TOOLS})"
    answer = body.get("output_config", {}).get("format", {}).get("schema")
    schemas = [("output_config.format.schema", answer)] if answer is not None else []
    schemas += [(f"tools.{tool['name']}.input_schema", tool["input_schema"]) for tool in tools]
    counts = {"optional parameters": 0, "parameters with union types": 0}
    for where, schema in schemas:
        try:
            _walk(schema, schema, (), counts)
        except ValueError as problem:
            return f"{where}: {problem}"
    for (what, count), limit in zip(counts.items(), (OPTIONAL, UNIONS), strict=True):
        if count > limit:
            return f"Schemas contains too many {what} ({count}), (limit: {limit})."
    return None


def _walk(part: Any, whole: Any, refs: tuple[str, ...], counts: dict[str, int]) -> None:
    """Count, with every reference read where it stands; ValueError for what is not taken."""
    if ref := part.get("$ref"):
        if not ref.startswith("#/$defs/") or ref in refs:
            raise ValueError("external and recursive references are not supported")
        _walk(whole["$defs"][ref.removeprefix("#/$defs/")], whole, (*refs, ref), counts)
    kind = part.get("type")
    if kind not in (*SCHEMA_WORDS, None):
        counts["parameters with union types"] += isinstance(kind, list)
        kind = None
    known = ANY_SCHEMA | (SCHEMA_WORDS[kind] if kind else set())
    if extra := sorted(set(part) - known - ({"$defs"} if part is whole else set())):
        raise ValueError(f"For {kind!r} type, properties {', '.join(extra)} are not supported")
    if part.get("minItems", 0) not in (0, 1) or part.get("format", "date") not in FORMATS:
        raise ValueError("minItems and format take only some values")
    if kind == "object" and part.get("additionalProperties") is not False:
        raise ValueError("For 'object' type, additionalProperties must be false")
    counts["parameters with union types"] += "anyOf" in part
    properties = part.get("properties", {})
    counts["optional parameters"] += len(set(properties) - set(part.get("required", ())))
    under = [*properties.values(), *part.get("anyOf", ()), *part.get("allOf", ())]
    for one in [*under, *([part["items"]] if "items" in part else [])]:
        _walk(one, whole, refs, counts)


def _wrong_transcript(messages: list[dict[str, Any]]) -> str | None:
    if not messages or messages[0]["role"] != "user":
        return "messages: first message must use the user role"
    if messages[-1]["role"] == "assistant":
        return "messages: This model does not support assistant message prefill."
    open_calls: list[str] = []
    for place, message in enumerate(messages):
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        if not blocks:
            return f"messages.{place}: content must not be empty"
        if any(b["type"] == "text" and not b["text"].strip() for b in blocks):
            return f"messages.{place}: text content blocks must contain non-whitespace text"
        results = [b["tool_use_id"] for b in blocks if b["type"] == "tool_result"]
        if results != open_calls:
            return f"messages.{place}: tool_use ids need tool_result blocks, in the next message"
        if any(b["type"] != "tool_result" for b in blocks[: len(results)]):
            return f"messages.{place}: tool_result blocks come first"
        open_calls = [b["id"] for b in blocks if b["type"] == "tool_use"]
    return None


def as_message(answer: PlainReply, model: str, number: int) -> dict[str, Any]:
    """Return a reply as the API sends it."""
    refused = {"type": "refusal", "category": "cyber", "explanation": "no"}
    return {
        "id": f"msg_{number}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [dict(block.to_dict()) for block in answer.content],
        "stop_reason": answer.stop_reason,
        "stop_sequence": None,
        "stop_details": refused if answer.stop_reason == "refusal" else None,
        "usage": {
            "input_tokens": 10,
            "cache_creation_input_tokens": 5,
            "cache_read_input_tokens": 100,
            "output_tokens": 7,
        },
    }


def events(message: dict[str, Any]) -> Iterator[str]:
    """Yield a message as server-sent events."""

    def event(kind: str, **data: Any) -> str:
        return f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n"

    start = {**message, "content": [], "stop_reason": None}
    yield event("message_start", message=start)
    for index, block in enumerate(message["content"]):
        if block["type"] == "tool_use":
            opening = {**block, "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        else:
            opening = {**block, "text": ""}
            delta = {"type": "text_delta", "text": block["text"]}
        yield event("content_block_start", index=index, content_block=opening)
        yield event("content_block_delta", index=index, delta=delta)
        yield event("content_block_stop", index=index)
    ending = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield event("message_delta", delta=ending, usage={"output_tokens": 7})
    yield event("message_stop")


@asynccontextmanager
async def on_loopback(fake: FakeMessages) -> AsyncIterator[str]:
    """Serve the endpoint on a real socket of this machine and yield its URL."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(fake.app, log_level="error", lifespan="off"))
        serving = asyncio.create_task(server.serve(sockets=[sock]))
        while not server.started:
            await asyncio.sleep(0)
        try:
            yield f"http://127.0.0.1:{sock.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving
