"""Claude through the Messages API, or a server that speaks it.

Only generally available parts of the API are used, so any compatible server will do. A missing
or wrong key is an error with one clear line; no other model ever steps in for it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from typing import TYPE_CHECKING, Any, Literal, cast

from orchestrator.errors import CredentialsError, DealdeskError, ModelError, ModelUnavailable
from orchestrator.llm.base import Json, Model

if TYPE_CHECKING:
    import anthropic
    from anthropic.types import Message

DEFAULT_MODEL = "claude-sonnet-5-5"
MAX_TOKENS = 16_000
LONGEST_UNSTREAMED = 21_333  # beyond this the SDK wants a stream
RETRIES = 2
SECONDS = 240.0
RESUME = "the run is saved: `dealdesk runs resume` goes on from here"

Structured = Literal["native", "prompt"]
Effort = Literal["low", "medium", "high", "xhigh", "max"]


class ClaudeModel(Model):
    """A model behind an Anthropic client of any kind.

    `structured` says how the answer's shape is asked for. `native`: by the API, with prompt
    caching. `prompt`: in the system prompt and without caching, for servers that know only the
    core of the API; the default for any endpoint that is not Anthropic's own.
    """

    def __init__(
        self,
        model: str = DEFAULT_MODEL,
        *,
        client: anthropic.AsyncAnthropic | None = None,
        structured: Structured | None = None,
        effort: Effort | None = None,
        max_tokens: int = MAX_TOKENS,
        seconds: float = SECONDS,
    ) -> None:
        """Get ready to ask; nothing is sent yet.

        Without a `client` endpoint and credentials are the environment's (`ANTHROPIC_API_KEY` or
        another of the SDK's sources, `ANTHROPIC_BASE_URL`). `seconds` is the longest wait for one
        answer, retries included: a rate limit may ask for an hour of patience, and a saved run is
        better than that.
        """
        for name in ("anthropic", "httpx", "httpcore"):  # at DEBUG they write down what is asked
            if (log := logging.getLogger(name)).level == logging.NOTSET:
                log.setLevel(logging.WARNING)
        self._client = client or client_of_the_environment()
        own = self._client.base_url.host == "api.anthropic.com"
        self._model = model
        self._structured = structured or ("native" if own else "prompt")
        self._effort = effort
        self._max_tokens = max_tokens
        self._seconds = seconds
        self._in_words: set[str] = set()  # schemas that the endpoint refused

    @property
    def name(self) -> str:
        return self._model

    async def complete(
        self, *, system: str, messages: list[Json], tools: list[Json], output: Json
    ) -> Message:
        """Send one request; the SDK retries what can be retried."""
        import anthropic

        request = self._request(system, messages, tools, output)
        try:
            async with asyncio.timeout(self._seconds):
                try:
                    answer = await self._send(request)
                except anthropic.BadRequestError as problem:
                    if not _refuses_schema(problem, request):
                        raise
                    self._in_words.add(json.dumps(output))
                    answer = await self._send(self._request(system, messages, tools, output))
        except TimeoutError:
            raise ModelUnavailable(
                f"{self._model} gave no answer within {self._seconds:g} s", fix=RESUME
            ) from None
        except (anthropic.AnthropicError, ValueError) as problem:
            # `from None`: the SDK's error holds the request, and that holds the key
            raise self._error(problem) from None
        if not isinstance(getattr(answer, "content", None), list):  # a web page, say
            raise ModelError(
                f"{self._model}: the endpoint does not speak the Messages API",
                fix="check ANTHROPIC_BASE_URL; it ends before /v1",
            )
        return answer

    async def _send(self, request: dict[str, Any]) -> Message:
        if self._max_tokens <= LONGEST_UNSTREAMED:
            return cast("Message", await self._client.messages.create(**request))
        async with self._client.messages.stream(**request) as stream:
            return await stream.get_final_message()

    def _request(
        self, system: str, messages: list[Json], tools: list[Json], output: Json
    ) -> dict[str, Any]:
        import anthropic

        request: dict[str, Any] = {
            "model": self._model,
            "max_tokens": self._max_tokens,
            "messages": messages,
        }
        if tools:
            request["tools"] = tools
        settings: dict[str, Any] = {"effort": self._effort} if self._effort else {}
        if self._structured == "native" and json.dumps(output) not in self._in_words:
            mark = {"type": "ephemeral"}
            request["cache_control"] = mark
            request["system"] = [{"type": "text", "text": system, "cache_control": mark}]
            schema = anthropic.transform_schema(within_limits(output))
            settings["format"] = {"type": "json_schema", "schema": schema}
        else:
            request["system"] = f"{system}\n\n{_ask_for(output)}"
        if settings:
            request["output_config"] = settings
        return request

    def _error(self, problem: Exception) -> DealdeskError:
        import anthropic

        status = getattr(problem, "status_code", None)
        number = getattr(problem, "request_id", None)
        said = self._clean(getattr(problem, "api_message", None) or type(problem).__name__)
        where = f"{self._model}: {said}" + (f" (request {number})" if number else "")
        if status in (401, 402, 403) or isinstance(problem, anthropic.CredentialsError):
            return CredentialsError(
                f"the model's endpoint does not accept the credentials: {where}",
                fix="check ANTHROPIC_API_KEY and ANTHROPIC_BASE_URL",
            )
        passing = status is not None and (status in (408, 409, 429) or status >= 500)
        if passing or isinstance(problem, anthropic.APIConnectionError):
            return ModelUnavailable(
                f"the model cannot be reached now, also after {self._client.max_retries} retries: "
                f"{where}",
                fix=RESUME,
            )
        return ModelError(
            f"the model's endpoint did not take the request: {where}",
            fix="check the model's name and ANTHROPIC_BASE_URL",
        )

    def _clean(self, words: str) -> str:
        """Return an endpoint's words on one short line, without the key some servers echo."""
        for secret in (self._client.api_key, self._client.auth_token):
            words = words.replace(secret, "[key]") if secret else words
        return re.sub(r"\s+", " ", words)[:300]


def within_limits(schema: Json) -> Json:
    """Return an answer's schema with few optional parameters and no unions with null.

    The API takes at most 24 optional and 16 union-typed parameters in a request. So what is null
    by default can only be left out here, and what has another default must be said. An answer that
    fits the result fits the schema that was given.
    """
    wire = dict(schema)
    for name in ("$defs", "properties"):
        if name in wire:
            wire[name] = {key: within_limits(part) for key, part in wire[name].items()}
    if "items" in wire:
        wire["items"] = within_limits(wire["items"])
    if "anyOf" in wire:
        wire["anyOf"] = [within_limits(part) for part in wire["anyOf"]]
    required = []
    for name, part in wire.get("properties", {}).items():
        if name in wire.get("required", ()) or part.get("default", ...) is not None:
            required.append(name)
            continue
        values = [one for one in part.pop("anyOf", ()) if one.get("type") != "null"]
        only = values[0] if len(values) == 1 else {"anyOf": values} if values else {}
        wire["properties"][name] = {**only, **part}
        del wire["properties"][name]["default"]
    return {**wire, "required": required} if required else wire


def _refuses_schema(problem: anthropic.BadRequestError, request: Json) -> bool:
    """Say whether an endpoint took offence at the schema of the answer, not at the rest."""
    words = str(getattr(problem, "api_message", None) or problem).lower()
    native = "format" in request.get("output_config", {})
    return native and any(word in words for word in ("schema", "grammar", "output_config"))


def _ask_for(output: Json) -> str:
    schema = json.dumps(output, separators=(",", ":"))
    return (
        "When you are done, your last message is one JSON object and nothing else. "
        f"It fits this JSON Schema:\n{schema}"
    )


def client_of_the_environment() -> anthropic.AsyncAnthropic:
    """Return a client with the credentials that the SDK finds, or say that there are none."""
    import anthropic

    missing = CredentialsError(
        "there are no credentials for Claude",
        fix="set ANTHROPIC_API_KEY (any value will do for a local ANTHROPIC_BASE_URL), "
        "or choose `--model playbook`",
    )
    try:
        client = anthropic.AsyncAnthropic(max_retries=RETRIES)
    except anthropic.AnthropicError as problem:
        raise missing from problem
    if not (client.api_key or client.auth_token or client.credentials):
        raise missing
    return client
