"""The servers as one: each component behind its owner's gate, everything working as alone."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport
from mcp.shared.exceptions import MCPError
from mcp.types import PromptReference, ResourceTemplateReference

from servers.profiles import profile_grant
from servers.together import main
from servers.toolkit.app import Server
from servers.toolkit.combined import Routes, SharedNameError, combined_view
from servers.toolkit.grants import Grant, new_grant_id
from servers.toolkit.migrate import audit_table

from .conftest import Warm
from .matrix import LeakError, Matrix, Subject, subjects
from .wire import SERVERS, World, environment, free_port, http_server, status, talk, world

__all__ = ["world"]


def nobody(server: str) -> Grant:
    return Grant(id=new_grant_id(), audience=server, agent="nobody")


async def together(apps: dict[str, Server], *grants: Grant) -> Any:
    """All as one; a server that no grant is for has nobody as its caller."""
    given = {grant.audience: grant for grant in grants}
    return await combined_view(
        "dealdesk", "1", [(app, given.get(name, nobody(name))) for name, app in apps.items()]
    )


def among(apps: dict[str, Server], *others: Grant) -> Callable[[Grant], Any]:
    """Open all as one for a grant, with other servers' grants beside it."""

    @asynccontextmanager
    async def opened(grant: Grant) -> AsyncIterator[Client[Any]]:
        async with Client(await together(apps, *others, grant), mode="2026-07-28") as client:
            yield client

    return opened


def some(server: str) -> list[Subject]:
    """An agent with something to do there, a profile and nobody: test_permissions tries all."""
    found = subjects(server)
    agents = [one for one in found if one.grant.agent and one.grant.tools]
    return [*agents[:1], *(one for one in found if one.name in ("profile sales", "nobody"))]


@pytest.mark.parametrize("server", SERVERS)
async def test_everything_is_listed_and_usable_exactly_when_granted_by_its_owner(
    world: World, server: str, record_property: Callable[[str, object], None]
) -> None:
    others = [profile_grant(name, "admin") for name in SERVERS if name != server]
    app = world.apps[server]
    done = await Matrix(app, among(world.apps, *others)).run(some(server))
    record_property("figure", f"{server} in all: {done.tried} tried, {done.allowed} allowed")
    assert done.tried > done.allowed > 0


async def everything(app: Server) -> Grant:
    """A grant that names all that a server has."""
    found = await Matrix(app, among({})).components()
    return Grant(
        id=new_grant_id(),
        audience=app.name,
        agent="greedy",
        tools=frozenset(found.tools),
        resources=frozenset(found.resources | found.templates),
        prompts=frozenset(found.prompts),
    )


@pytest.mark.parametrize("server", SERVERS)
async def test_a_grant_of_one_server_opens_nothing_of_another_whatever_it_names(
    world: World, server: str
) -> None:
    greedy = await everything(world.apps[server])
    others = [replace(greedy, audience=name) for name in SERVERS if name != server]
    done = await Matrix(world.apps[server], among(world.apps, *others)).run(subjects(server)[-1:])
    assert done.allowed == 0


async def test_a_grant_for_another_server_in_a_servers_place_opens_nothing(world: World) -> None:
    catalog = world.apps["catalog"]
    wrong = replace(await everything(catalog), audience="crm")
    view = await combined_view("dealdesk", "1", [(catalog, wrong)])
    async with Client(view, mode="2026-07-28") as client:
        assert await client.list_tools() == []
        said = await client.call_tool("get_product", {"sku": "SW-P8-120"}, raise_on_error=False)
        assert said.content[0].text == "Unknown tool: 'get_product'"  # type: ignore[union-attr]


def wrong_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Routes, "owner", lambda self, _kind, _name: self._parts[-1])


def no_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    async def straight(_self: Routes, context: Any, call_next: Any) -> Any:
        return await call_next(context)

    monkeypatch.setattr(Routes, "__call__", straight)


@pytest.mark.parametrize("plant", [wrong_gate, no_gate])
async def test_the_matrix_finds_a_planted_defect(
    world: World, monkeypatch: pytest.MonkeyPatch, plant: Callable[[pytest.MonkeyPatch], None]
) -> None:
    plant(monkeypatch)
    greedy = replace(await everything(world.apps["crm"]), audience="finance")
    with pytest.raises(LeakError):
        await Matrix(world.apps["crm"], among(world.apps, greedy)).run(subjects("crm")[-1:])


async def test_prompts_resources_completions_and_instructions_work(world: World) -> None:
    grants = [profile_grant(name, "read") for name in SERVERS]
    async with Client(await together(world.apps, *grants)) as client:
        assert client.instructions is not None
        for name in SERVERS:
            assert f"{name}: {world.apps[name].instructions}" in client.instructions
        prompt = await client.get_prompt("prepare_quote", {"opportunity_id": "opp_001"})
        assert "opp_001" in str(prompt.messages[0].content)
        product = await client.read_resource("catalog://products/SW-P8-120")
        assert "SW-P8-120" in str(product[0])
        for uri, argument in (
            ("crm://accounts/{account_id}", "account_id"),
            ("catalog://products/{sku}", "sku"),
        ):
            reference = ResourceTemplateReference(type="ref/resource", uri=uri)
            found = await client.complete(reference, {"name": argument, "value": ""})
            assert found.values, uri
        by_prompt = PromptReference(type="ref/prompt", name="prepare_quote")
        found = await client.complete(by_prompt, {"name": "opportunity_id", "value": "opp_00"})
        assert "opp_001" in found.values


async def test_what_is_not_there_and_what_is_not_granted_read_the_same(world: World) -> None:
    async with Client(await together(world.apps, *[profile_grant("crm", "read")])) as client:
        for name in ("create_quote", "no_such_tool", "update_stage", "search_products"):
            said = await client.call_tool(name, {}, raise_on_error=False)
            assert said.content[0].text == f"Unknown tool: {name!r}"  # type: ignore[union-attr]
        texts = []
        for uri in ("catalog://products/SW-P8-120", "catalog://nothing/x", "no://such/thing"):
            with pytest.raises(MCPError) as refusal:
                await client.read_resource(uri)
            texts.append(str(refusal.value).replace(uri, "URI"))
        assert len(set(texts)) == 1, texts


async def test_each_server_audits_its_own_calls(world: World) -> None:
    def calls(name: str, tool: str) -> int:
        app = world.apps[name]
        app.ledger.audit.flush()
        mine = audit_table.c.component == tool
        with app.database.session() as session:
            count = sa.select(sa.func.count()).select_from(audit_table).where(mine)
            return int(session.connection().execute(count).scalar_one())

    before = {name: calls(name, "check_credit") for name in SERVERS}
    async with Client(await together(world.apps, profile_grant("crm", "read"))) as client:
        await client.call_tool("check_credit", {"account_id": "acc_001"}, raise_on_error=False)
    after = {name: calls(name, "check_credit") for name in SERVERS}
    assert after == {**before, "finance": before["finance"] + 1}


async def test_two_servers_with_the_same_component_are_not_served(world: World) -> None:
    crm = world.apps["crm"]
    with pytest.raises(SharedNameError, match="both have the tool"):
        await combined_view("dealdesk", "1", [(crm, nobody("crm")), (crm, nobody("crm"))])


async def test_over_stdio_it_is_one_server_and_takes_no_grant(world: World, warm: Warm) -> None:
    said = await talk(
        warm("dealdesk", "serve", "all", "--profile", "sales"),
        environment(world.home),
        [
            ("tools/list", {}),
            ("tools/call", {"name": "decide_approval", "arguments": {}}),
            ("tools/call", {"name": "get_product", "arguments": {"sku": "SW-P8-120"}}),
        ],
    )
    assert (said.code, said.stderr) == (0, "")
    listed, refused, product = (answer["result"] for answer in said.answers)
    wanted = set[str]().union(*(profile_grant(name, "sales").tools for name in SERVERS))
    assert {tool["name"] for tool in listed["tools"]} == wanted - {
        "prepare_quote", "review_opportunity",
    }  # fmt: skip
    assert refused["content"][0]["text"] == "Unknown tool: 'decide_approval'"
    assert product["structuredContent"]["sku"] == "SW-P8-120"


async def test_over_http_each_server_has_its_path_and_gate(world: World, warm: Warm) -> None:
    grant = replace(profile_grant("catalog", "read"), id=new_grant_id(), agent="visitor")
    token = world.signing.mint(grant, ttl=600)
    with http_server("all", world.home, command=warm("dealdesk", "serve", "all")) as base:
        assert status(f"{base}/health") == 200
        assert status(f"{base}/catalog/mcp", b"{}") == 401
        assert status(f"{base}/mcp", b"{}") == 404
        assert status(f"{base}/catalog/mcp", b"{}", Host="evil.example") == 421
        for name, code in (("crm", 401), ("finance", 401)):
            bearer = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            assert status(f"{base}/{name}/mcp", b"{}", **bearer) == code
        async with Client(StreamableHttpTransport(f"{base}/catalog/mcp", auth=token)) as client:
            assert {tool.name for tool in await client.list_tools()} == grant.tools
            found = await client.call_tool("get_product", {"sku": "SW-P8-120"})
            assert found.structured_content["sku"] == "SW-P8-120"


def said_no(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    assert ended.value.code == 3
    printed = capsys.readouterr()
    assert printed.out == ""
    return printed.err


@pytest.fixture
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take back what starting a server sets for its process."""
    monkeypatch.setattr("servers.toolkit.main.quiet", lambda: None)


@pytest.mark.usefixtures("_quiet")
@pytest.mark.parametrize("token", ["a.grant.token", ""])
def test_a_grant_is_refused_where_it_could_not_be_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], token: str
) -> None:
    monkeypatch.setenv("DEALDESK_GRANT", token)
    assert said_no(capsys) == (
        "dealdesk serve all: STORAGE: the grant in DEALDESK_GRANT is for one server. Try: serve "
        f"that server ({', '.join(SERVERS)}), or serve all without a grant.\n"
    )


@pytest.mark.usefixtures("_quiet")
@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--transport", "http", "--host", "0.0.0.0", "--profile", "read"], "reached by others"),  # noqa: S104
        (
            ["--transport", "http", "--home", "/nowhere", "--port", str(free_port())],
            "no usable public key",
        ),
        (["--database", "one.db"], f"--database names one database, and there are {len(SERVERS)}"),
    ],
)
def test_what_cannot_be_served_is_said_in_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], problem: str
) -> None:
    said = said_no(capsys, *arguments, "--port", str(free_port()))
    assert problem in said
    assert said.count("\n") == 1
