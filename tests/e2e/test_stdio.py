"""Over stdio: who may use what, and that a server speaks only the protocol on its stdout."""

import base64
import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OKPKey

from servers.profiles import profile_grant
from servers.toolkit.grants import ISSUER, Grant, new_grant_id

from .conftest import Warm
from .matrix import SAMPLES, Subject, bound, sample, subjects
from .wire import SERVERS, Said, World, environment, gathered, request, talk, talk_raw

LISTS = ("tools/list", "resources/list", "resources/templates/list", "prompts/list")


async def everything(world: World, server: str) -> tuple[dict[str, Any], list[str], Any]:
    """Every tool (with its schema), resource and prompt (with its arguments) of a server."""
    provider = world.apps[server].local_provider
    tools = {tool.name: tool.parameters for tool in await provider.list_tools()}
    resources = [template.uri_template for template in await provider.list_resource_templates()]
    resources += [str(resource.uri) for resource in await provider.list_resources()]
    prompts = {
        prompt.name: [argument.name for argument in prompt.arguments or ()]
        for prompt in await provider.list_prompts()
    }
    return tools, sorted(resources), prompts


async def ask_everything(
    world: World, server: str, grant: Grant, command: list[str], **variables: str
) -> tuple[Said, list[tuple[str, str]]]:
    """Ask one process for every list and every component; also return what was asked for."""
    tools, resources, prompts = await everything(world, server)
    values = {**SAMPLES, **bound(grant)}
    asked: list[tuple[str, dict[str, Any]]] = [(method, {}) for method in LISTS]
    for name, schema in sorted(tools.items()):
        asked.append(("tools/call", {"name": name, "arguments": sample(schema, grant)}))
    asked += [("resources/read", {"uri": uri.format_map(values)}) for uri in resources]
    for name, wanted in sorted(prompts.items()):
        given = {argument: str(values.get(argument, "x")) for argument in wanted}
        asked.append(("prompts/get", {"name": name, "arguments": given}))
    said = await talk(command, environment(world.home, **variables), asked)
    named = [("list", method) for method in LISTS]
    named += [("tool", name) for name in sorted(tools)]
    named += [("resource", uri) for uri in resources]
    named += [("prompt", name) for name in sorted(prompts)]
    return said, named


def judge(
    subject: Subject, said: Said, named: list[tuple[str, str]], everything_: set[str]
) -> tuple[int, int, int]:
    """Compare a conversation with a grant; return tried, allowed, and calls that worked."""
    grant = subject.grant
    granted = {"tool": grant.tools, "resource": grant.resources, "prompt": grant.prompts}
    tried = allowed = worked = 0
    warned = "opens nothing here" in said.stderr
    assert (said.code, said.stderr if not warned else "") == (0, ""), said.stderr
    assert warned == (not (grant.tools or grant.resources or grant.prompts))
    assert all(json.loads(line)["jsonrpc"] == "2.0" for line in said.stdout)
    assert len(said.answers) == len(named)
    listed: set[str] = set()
    for (kind, name), answer in zip(named, said.answers, strict=True):
        if kind == "list":
            items = next(v for v in answer["result"].values() if isinstance(v, list))
            listed |= {item.get("uriTemplate") or item.get("uri") or item["name"] for item in items}
            continue
        tried += 1
        refused, well = outcome(kind, answer)
        if ("quote_id" in name or "document_id" in name) and name in granted[kind]:
            refused = False  # there is no such row; being told so is being let in
        assert refused != (name in granted[kind]), (subject.name, kind, name, answer)
        allowed += not refused
        worked += well
    assert listed == everything_ & (grant.tools | grant.resources | grant.prompts), subject.name
    return tried + len(everything_), allowed + len(listed), worked


def outcome(kind: str, answer: dict[str, Any]) -> tuple[bool, bool]:
    """Say whether a component was refused as unknown, and whether it gave a result."""
    if kind == "tool":
        result = answer["result"]
        text = " ".join(block.get("text", "") for block in result["content"])
        return text.startswith("Unknown tool"), not result.get("isError")
    if "error" in answer:
        message = answer["error"]["message"]
        return "not found" in message.lower() or message.startswith("Unknown"), False
    return False, True


async def names_of(world: World, server: str) -> set[str]:
    tools, resources, prompts = await everything(world, server)
    return {*tools, *resources, *prompts}


def token(world: World, grant: Grant) -> dict[str, str]:
    return {
        "DEALDESK_GRANT": world.signing.mint(replace(grant, id=new_grant_id()), ttl=600),
        "DEALDESK_GRANT_PUBLIC_KEY": world.public_key,
    }


@pytest.mark.timeout(300)
async def test_each_agent_with_a_grant_lists_and_uses_exactly_that(
    world: World, warm: Warm, record_property: Callable[[str, object], None]
) -> None:
    pairs = [
        (server, subject)
        for server in SERVERS
        for subject in subjects(server)
        if subject.name.startswith("agent") and subject.grant.tools
    ]
    started = time.monotonic()
    said = await gathered(
        [
            ask_everything(
                world,
                server,
                subject.grant,
                warm(f"servers.{server}"),
                **token(world, subject.grant),
            )
            for server, subject in pairs
        ]
    )
    tried = allowed = 0
    for (server, subject), (conversation, named) in zip(pairs, said, strict=True):
        figures = judge(subject, conversation, named, await names_of(world, server))
        assert figures[2] > 0, subject.name
        tried, allowed = tried + figures[0], allowed + figures[1]
    figure = (
        f"stdio: {len(pairs)} pairs of agent and server, {tried} combinations tried, "
        f"{allowed} allowed, {time.monotonic() - started:.0f} s"
    )
    record_property("figure", figure)
    assert tried > allowed > 0


WATCH = (
    "import atexit, runpy, sys\n"
    "engines = {'orchestrator', 'anthropic', 'dbos'}\n"
    "atexit.register(lambda: sys.stderr.write(' '.join(engines & set(sys.modules))))\n"
    "sys.argv = sys.argv[1:]\n"
    "runpy.run_module(sys.argv[0], run_name='__main__')\n"
)
"""Runs `python -m MODULE` and at its end names what it should never have imported."""


@pytest.mark.timeout(300)
async def test_each_module_serves_the_read_profile_alone_and_a_flag_names_another(
    world: World, warm: Warm
) -> None:
    """`python -m servers.x` without a grant; it imports no orchestrator, anthropic or dbos."""
    alone = [sys.executable, "-c", WATCH]
    cases = [(server, "read", [*alone, f"servers.{server}"]) for server in SERVERS]
    cases.append(("finance", "sales", warm("servers.finance", "--profile", "sales")))
    said = await gathered(
        [
            ask_everything(world, server, profile_grant(server, profile), command)
            for server, profile, command in cases
        ]
    )
    for (server, profile, _), (conversation, named) in zip(cases, said, strict=True):
        subject = Subject(f"profile {profile}", profile_grant(server, profile))
        assert judge(subject, conversation, named, await names_of(world, server))[2] > 0


def bad_tokens(world: World) -> dict[str, tuple[str, str]]:
    """Tokens that prove nothing: a name, and the server it is tried on with the token."""

    def subject(server: str) -> Grant:
        return max((s.grant for s in subjects(server)), key=lambda grant: len(grant.tools))

    def claims(server: str, **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        return {
            "iss": ISSUER, "aud": server, "jti": new_grant_id(), "iat": now, "exp": now + 600,
            "tools": sorted(subject(server).tools), "agent": "tests", **changes,
        }  # fmt: skip

    ours = OKPKey.import_key((world.home / "keys" / "grant.pem").read_text())
    header = {"alg": "Ed25519"}
    past = int(time.time()) - 100
    found = {
        f"wrong audience {server}": (
            server,
            jwt.encode(header, claims(server, aud=other), ours, algorithms=["Ed25519"]),
        )
        for server, other in zip(SERVERS, (*SERVERS[1:], SERVERS[0]), strict=True)
    }
    expired = claims("crm", iat=past - 600, exp=past)
    good = jwt.encode(header, claims("crm"), ours, algorithms=["Ed25519"])
    found["expired"] = "crm", jwt.encode(header, expired, ours, algorithms=["Ed25519"])
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    found["unsigned"] = "crm", f"{none}.{good.split('.')[1]}."
    return found


@pytest.mark.timeout(300)
async def test_a_grant_that_proves_nothing_opens_nothing(world: World, warm: Warm) -> None:
    nothing = Grant(id="none", audience="none")
    cases = bad_tokens(world)
    said = await gathered(
        [
            ask_everything(
                world,
                server,
                nothing,
                warm(f"servers.{server}"),
                DEALDESK_GRANT=text,
                DEALDESK_GRANT_PUBLIC_KEY=world.public_key,
            )
            for server, text in cases.values()
        ]
    )
    for (name, (server, _)), (conversation, named) in zip(cases.items(), said, strict=True):
        figures = judge(Subject(name, nothing), conversation, named, await names_of(world, server))
        assert figures[0] > 0
        assert figures[1:] == (0, 0), name


async def test_a_garbled_message_does_not_end_the_server(world: World, warm: Warm) -> None:
    lines = [
        "this is not JSON",
        '{"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": ',
        "[]",
        "\x00\x01",
        '{"jsonrpc": "2.0", "method": "notifications/never-heard-of-it"}',
        request(7, "tools/call", {"name": 5}),
        request(8, "no/such/method"),
        request(9, "tools/list"),
    ]
    said = await talk_raw(warm("servers.crm"), environment(world.home), lines, 3)
    assert said.code == 0
    numbered = {answer["id"]: answer for answer in said.answers}
    assert "error" in numbered[7]
    assert "error" in numbered[8]
    assert numbered[9]["result"]["tools"]
    assert all(json.loads(line)["jsonrpc"] == "2.0" for line in said.stdout)
    assert "Traceback" not in said.stderr
