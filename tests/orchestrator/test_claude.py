"""Claude through the real SDK, against a strict fake of the Messages API."""

import json
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import pytest
from fake_messages import KEY, FakeMessages, HTTPFail, check_request, on_loopback
from pydantic import BaseModel, Field
from scripted import call, reply, text

from orchestrator.agent import Agent
from orchestrator.errors import (
    CredentialsError,
    DealdeskError,
    ModelError,
    ModelRefused,
    ModelUnavailable,
)
from orchestrator.llm.base import Request
from orchestrator.llm.claude import DEFAULT_MODEL, ClaudeModel, within_limits
from orchestrator.workflows import load_all

OVERLOADED = HTTPFail(529, "overloaded_error")
LIMITED = HTTPFail(429, "rate_limit_error")


class Answer(BaseModel):
    account_id: str = Field(pattern=r"^acc_\d+$")


def look_then_answer(request: Request) -> Any:
    """Look up two accounts at once, then answer with what the first result says."""
    if request.turn == 0:
        return reply(
            text("Looking."),
            call("get_account", account_id="acc_001"),
            call("get_account", account_id="acc_002"),
        )
    return reply(text(json.dumps({"account_id": request.results("get_account")[0]["account_id"]})))


async def work(scope: Any, model: ClaudeModel) -> Any:
    async with scope("get_account", "say") as toolset:
        return await Agent(
            name="profile",
            system="You look up accounts.",
            task="acc_001",
            output=Answer,
            toolset=toolset,
            model=model,
        ).run()


async def ask(fake: FakeMessages, **options: Any) -> Any:
    model = ClaudeModel(client=fake.client(**options))
    messages = [{"role": "user", "content": "task"}]
    return await model.complete(
        system="s", messages=messages, tools=[], output=Answer.model_json_schema()
    )


async def test_an_agent_works_through_the_real_client(scope, office):
    fake = FakeMessages(look_then_answer)
    result = await work(scope, ClaudeModel(client=fake.client(), structured="native", effort="low"))
    assert result.output.account_id == "acc_001"
    assert office.names == ["get_account", "get_account"]
    assert result.usage["input_tokens"] == 2 * (10 + 5 + 100)
    assert result.usage["cached_tokens"] == 200
    first, second = fake.bodies
    assert [tool["name"] for tool in first["tools"]] == ["get_account", "say"]
    assert first["model"] == DEFAULT_MODEL
    assert first["output_config"]["effort"] == "low"
    assert first["output_config"]["format"]["type"] == "json_schema"
    assert first["output_config"]["format"]["schema"]["additionalProperties"] is False
    assert first["system"][0]["cache_control"] == first["cache_control"] == {"type": "ephemeral"}
    assert {k: first[k] for k in ("system", "tools")} == {k: second[k] for k in ("system", "tools")}
    assert "stream" not in first


async def test_other_endpoints_get_the_schema_in_words_and_no_caching(scope):
    fake = FakeMessages(look_then_answer)
    result = await work(scope, ClaudeModel("some-local-model", client=fake.client()))
    assert result.output.account_id == "acc_001"
    body = fake.bodies[0]
    assert set(body) == {"model", "max_tokens", "messages", "tools", "system"}
    assert body["system"].startswith("You look up accounts.\n\nWhen you are done")
    assert '"pattern":"^acc_\\\\d+$"' in body["system"]


@pytest.mark.parametrize(
    ("base_url", "native"),
    [("https://api.anthropic.com", True), ("http://localhost:11434", False)],
)
def test_the_endpoint_decides_how_structure_is_asked_for(base_url, native):
    model = ClaudeModel(client=anthropic.AsyncAnthropic(api_key=KEY, base_url=base_url))
    body = model._request("s", [], [], Answer.model_json_schema())
    assert ("output_config" in body) is native
    assert model.name == DEFAULT_MODEL


@pytest.mark.parametrize(
    "spec", [s for w in load_all() for s in w.agents], ids=lambda spec: spec.name
)
async def test_the_api_takes_every_contract(spec):
    fake = FakeMessages(lambda _: reply(text("{}")))
    model = ClaudeModel(client=fake.client(), structured="native")
    messages = [{"role": "user", "content": "task"}]
    schema = spec.output.model_json_schema()
    await model.complete(system="s", messages=messages, tools=[], output=schema)
    assert len(fake.bodies) == 1, "the schema was refused, and asked for in words"
    assert schema == spec.output.model_json_schema(), "the contract itself was changed"


def test_what_a_contract_leaves_out_is_what_is_null_by_default():
    class Inner(BaseModel):
        note: str | None = Field(default=None, description="why")
        both: int | str | None = None
        flag: bool = False

    class Outer(BaseModel):
        name: str
        inner: Inner = Inner()
        many: list[Inner] = Field(default_factory=list)
        must: int | None

    wire = within_limits(Outer.model_json_schema())
    assert wire["required"] == ["name", "inner", "many", "must"]
    inner = wire["$defs"]["Inner"]
    assert inner["required"] == ["flag"]
    assert inner["properties"]["note"] == {"description": "why", "title": "Note", "type": "string"}
    both = inner["properties"]["both"]["anyOf"]
    assert both == [{"type": "integer"}, {"type": "string"}]
    assert {"type": "null"} in wire["properties"]["must"]["anyOf"]


def many(kind: str, count: int) -> dict[str, Any]:
    """Return a schema of that many optional or union-typed parameters."""
    part = {"anyOf": [{"type": "string"}, {"type": "integer"}]}
    names = [f"p{place}" for place in range(count)]
    return {
        "type": "object",
        "properties": {name: part if kind == "union" else {"type": "string"} for name in names},
        "required": names if kind == "union" else [],
        "additionalProperties": False,
    }


def native(schema: Any, **more: Any) -> dict[str, Any]:
    return {
        "model": "m",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "hi"}],
        "output_config": {"format": {"type": "json_schema", "schema": schema}},
        **more,
    }


def strict_tool(schema: Any, *, strict: bool) -> dict[str, Any]:
    return {"name": "t", "description": "d", "input_schema": schema, "strict": strict}


LOOP = {"$ref": "#/$defs/A"}
HEADERS = {"x-api-key": "k", "anthropic-version": "2026-10-21"}


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        (native(many("optional", 24)), ""),
        (native(many("optional", 25)), "too many optional parameters (25)"),
        (native(many("union", 16)), ""),
        (native(many("union", 17)), "too many parameters with union types (17)"),
        (
            native(many("optional", 20), tools=[strict_tool(many("optional", 5), strict=True)]),
            "too many optional parameters (25)",
        ),
        (native(many("optional", 20), tools=[strict_tool(many("optional", 5), strict=False)]), ""),
        (native({**many("union", 1), "additionalProperties": True}), "additionalProperties"),
        (native({"type": "integer", "minimum": 1}), "minimum"),
        (native({"type": "string", "maxLength": 9}), "maxLength"),
        (native({"type": "array", "items": {"type": "string"}, "minItems": 2}), "minItems"),
        (native({"$defs": {"A": {"type": "array", "items": LOOP}}, **LOOP}), "recursive"),
    ],
)
def test_the_fake_takes_the_schemas_that_the_api_takes(body, refused):
    problem = check_request(HEADERS, body)
    assert (problem is None) is (not refused)
    assert problem is None or refused in problem.message


async def test_a_schema_that_is_refused_is_asked_for_in_words_from_then_on(scope):
    large = HTTPFail(400, "invalid_request_error", "The compiled grammar is too large.")
    fake = FakeMessages(look_then_answer, fails=[large])
    result = await work(scope, ClaudeModel(client=fake.client(), structured="native"))
    assert result.output.account_id == "acc_001"
    assert ["output_config" in body for body in fake.bodies] == [True, False, False]
    assert "It fits this JSON Schema" in fake.bodies[1]["system"]


async def test_a_schema_is_asked_for_in_words_once():
    large = HTTPFail(400, "invalid_request_error", "The compiled grammar is too large.")
    fake = FakeMessages(look_then_answer, fails=[large, large])
    model = ClaudeModel(client=fake.client(), structured="native")
    with pytest.raises(ModelError, match="grammar is too large"):
        await model.complete(
            system="s",
            messages=[{"role": "user", "content": "task"}],
            tools=[],
            output=Answer.model_json_schema(),
        )
    assert len(fake.bodies) == 2


async def test_the_client_retries_what_passes(scope):
    fake = FakeMessages(look_then_answer, fails=[LIMITED, OVERLOADED])
    assert (await work(scope, ClaudeModel(client=fake.client()))).turns == 2
    assert len(fake.bodies) == 4


@pytest.mark.parametrize("fail", [LIMITED, OVERLOADED, HTTPFail(500, "api_error")])
async def test_what_does_not_pass_can_be_resumed(fail):
    fake = FakeMessages(look_then_answer, fails=[fail] * 3)
    with pytest.raises(ModelUnavailable, match="after 2 retries") as caught:
        await ask(fake)
    assert caught.value.retryable
    assert "dealdesk runs resume" in caught.value.fix
    assert "(request req_1)" in caught.value.message


async def test_nobody_waits_an_hour_because_a_rate_limit_says_so():
    patience = HTTPFail(429, "rate_limit_error", headers={"retry-after": "3600"})
    fake = FakeMessages(look_then_answer, fails=[patience])
    model = ClaudeModel(client=fake.client(), seconds=0.05)
    with pytest.raises(ModelUnavailable, match=r"no answer within 0\.05 s"):
        await model.complete(system="s", messages=[], tools=[], output={})


async def test_an_endpoint_that_is_not_there_can_be_resumed():
    client = anthropic.AsyncAnthropic(api_key=KEY, base_url="http://127.0.0.1:9", max_retries=0)
    with pytest.raises(ModelUnavailable, match="APIConnectionError"):
        await ClaudeModel(client=client).complete(system="s", messages=[], tools=[], output={})


@pytest.mark.parametrize("status", [401, 402, 403])
async def test_credentials_that_are_not_accepted_are_named_at_once(status):
    fake = FakeMessages(look_then_answer, fails=[HTTPFail(status, "authentication_error")])
    with pytest.raises(CredentialsError, match="does not accept the credentials"):
        await ask(fake)
    assert len(fake.bodies) == 1


@pytest.mark.parametrize("status", [400, 404, 413, 422])
async def test_a_request_that_is_not_taken_is_not_repeated(status):
    fake = FakeMessages(look_then_answer, fails=[HTTPFail(status, "x", "model: no such model")])
    with pytest.raises(ModelError, match="no such model") as caught:
        await ask(fake)
    assert not caught.value.retryable
    assert len(fake.bodies) == 1


@pytest.mark.parametrize("status", [400, 401, 429, 500])
async def test_the_key_never_shows_even_when_the_endpoint_echoes_it(status):
    echo = HTTPFail(status, "x", f"bad key\n {KEY} for Bearer {KEY}")
    with pytest.raises(DealdeskError) as caught:
        await ask(FakeMessages(look_then_answer, fails=[echo]), max_retries=0)
    error = caught.value
    shown = "".join(traceback.format_exception(error)) + repr(error) + error.fix
    assert KEY not in shown
    assert "bad key [key] for Bearer [key]" in error.message
    assert error.__cause__ is None


async def test_a_refusal_names_its_category(scope):
    fake = FakeMessages(lambda _request: reply(text("no"), stop_reason="refusal"))
    with pytest.raises(ModelRefused, match=r"profile: the model declined to answer \(cyber\)"):
        await work(scope, ClaudeModel(client=fake.client()))


@pytest.mark.parametrize(("body", "kind"), [(b"<html>", "text/html"), (b"{}", "application/json")])
async def test_an_endpoint_that_speaks_something_else_is_named(body, kind):
    def answer(_request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, content=body, headers={"content-type": kind})

    http = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
    client = anthropic.AsyncAnthropic(api_key=KEY, base_url="http://fake.test", http_client=http)
    with pytest.raises(ModelError, match="does not speak the Messages API"):
        await ClaudeModel(client=client).complete(system="s", messages=[], tools=[], output={})


async def test_long_answers_are_streamed_over_a_real_socket(scope):
    fake = FakeMessages(look_then_answer)
    async with on_loopback(fake) as url, anthropic.AsyncAnthropic(api_key=KEY, base_url=url) as c:
        result = await work(scope, ClaudeModel(client=c, max_tokens=64_000))
    assert result.output.account_id == "acc_001"
    assert [body["stream"] for body in fake.bodies] == [True, True]


async def test_credentials_come_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("ANTHROPIC_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://localhost:11434")
    model = ClaudeModel("local", effort="high")
    body = model._request("s", [], [], {})
    assert (model.name, body["output_config"]) == ("local", {"effort": "high"})
    assert KEY not in repr(model)


def test_no_credentials_is_one_clear_line_before_anything_is_sent(monkeypatch, tmp_path):
    monkeypatch.setenv("ANTHROPIC_CONFIG_DIR", str(tmp_path))
    monkeypatch.delenv("ANTHROPIC_PROFILE", raising=False)
    with pytest.raises(CredentialsError, match="there are no credentials for Claude") as caught:
        ClaudeModel()
    assert "ANTHROPIC_API_KEY" in caught.value.fix


def test_work_without_claude_never_imports_the_sdk():
    code = (
        "import sys, orchestrator.agent, orchestrator.llm.claude, orchestrator.llm.base\n"
        "sys.exit('anthropic' in sys.modules)"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root, timeout=50)


HEADERS = {"authorization": f"Bearer {KEY}", "anthropic-version": "2026-10-21"}
USER = {"role": "user", "content": "task"}
CALLED = {
    "role": "assistant",
    "content": [{"type": "tool_use", "id": "t1", "name": "a", "input": {}}],
}
TOOL = {"name": "a", "input_schema": {"type": "object"}}


@pytest.mark.parametrize(
    ("headers", "changes", "status", "words"),
    [
        ({"authorization": ""}, {}, 401, "x-api-key"),
        ({"anthropic-version": "2023-06-01"}, {}, 400, "anthropic-version"),
        ({}, {"temperature": 0}, 400, "temperature: Extra inputs"),
        ({}, {"thread": {"type": "create"}}, 400, "thread: Extra inputs"),
        ({}, {"tools": [TOOL, TOOL]}, 400, "must be unique"),
        ({}, {"tools": [{**TOOL, "name": "crm.get"}]}, 400, "pattern"),
        ({}, {"tools": [{"name": "a", "input_schema": {}}]}, 400, "input_schema.type"),
        ({}, {"tool_choice": {"type": "any"}}, 400, "forced tools"),
        ({}, {"messages": []}, 400, "first message"),
        ({}, {"messages": [USER, {"role": "assistant", "content": "{"}]}, 400, "prefill"),
        ({}, {"messages": [USER, CALLED, USER]}, 400, "tool_result"),
        ({}, {"messages": [{"role": "user", "content": []}]}, 400, "not be empty"),
        ({}, {"messages": [{"role": "user", "content": " "}]}, 400, "non-whitespace"),
    ],
)
def test_the_fake_is_as_strict_as_the_api(headers, changes, status, words):
    body = {"model": "m", "max_tokens": 1, "messages": [USER], **changes}
    fail = check_request({**HEADERS, **headers}, body)
    assert fail is not None
    assert (fail.status, words in fail.message) == (status, True)
    assert check_request(HEADERS, {"model": "m", "max_tokens": 1, "messages": [USER]}) is None
