"""The gate at its limits: the last second, the last call, the last second before a release shows,
and what each kind of request says when it is refused."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastmcp import Client
from fastmcp.exceptions import ToolError
from fastmcp.utilities.tests import asgi_client
from mcp.shared.exceptions import MCPError
from mcp.types import INVALID_PARAMS
from toy import grant, toy_app, toy_database

from servers.toolkit.app import Server
from servers.toolkit.grants import SigningKey
from servers.toolkit.ledger import REFRESH, Ledger
from servers.toolkit.migrate import audit_table

NOW = 1_800_000_000
NOTE, ABOUT = "toy://notes/{account_id}", "toy://about"
EVERYTHING = {"resources": frozenset({NOTE, ABOUT}), "prompts": frozenset({"sum_up"})}


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Server]:
    database = toy_database(tmp_path / "toy.db")
    served = toy_app(database)
    yield served
    served.ledger.audit.flush()
    database.close()


def audit(app: Server) -> list[tuple[str, str, str, str]]:
    app.ledger.audit.flush()
    with app.database.session() as session:
        rows = session.connection().execute(sa.select(audit_table).order_by(audit_table.c.seq))
        return [(row.method, row.component, row.outcome, row.reason) for row in rows]


@pytest.mark.parametrize(
    ("expires", "open_"), [(NOW - 1, False), (NOW, False), (NOW + 1, True), (0, True)]
)
async def test_a_grant_ends_with_its_second_and_one_without_end_does_not(
    app: Server, monkeypatch: pytest.MonkeyPatch, expires: int, *, open_: bool
) -> None:
    monkeypatch.setattr("servers.toolkit.gate.time.time", lambda: NOW)
    async with Client(app.view(grant(expires=expires))) as client:
        assert bool(await client.list_tools()) is open_


@pytest.mark.parametrize("limit", [0, 1, 2, 3])
async def test_a_tool_is_called_as_often_as_granted_and_not_once_more(
    app: Server, limit: int
) -> None:
    mine = grant(calls={"list_notes": limit})
    async with Client(app.view(mine)) as client:
        for _ in range(limit):
            await client.call_tool("list_notes")
        with pytest.raises(ToolError, match=f"BUDGET: list_notes may be called {limit} times"):
            await client.call_tool("list_notes")
        await client.call_tool("get_note", {"account_id": "acc_1"})
    async with Client(app.view(grant(id="g_other", calls={"list_notes": 1}))) as client:
        await client.call_tool("list_notes")
    assert ("tools/call", "list_notes", "denied", "call budget") in audit(app)


async def test_a_call_that_is_refused_costs_no_call(app: Server) -> None:
    mine = grant(calls={"get_note": 1}, bind={"account_id": ("acc_1",)})
    async with Client(app.view(mine)) as client:
        with pytest.raises(ToolError, match="NOT_FOUND"):
            await client.call_tool("get_note", {"account_id": "acc_2"})
        await client.call_tool("get_note", {"account_id": "acc_1"})


@pytest.mark.parametrize(
    ("after", "known"), [(REFRESH - 0.1, False), (REFRESH, False), (REFRESH + 0.1, True)]
)
def test_a_release_elsewhere_is_known_after_a_second(
    app: Server, monkeypatch: pytest.MonkeyPatch, after: float, *, known: bool
) -> None:
    clock = [100.0]
    monkeypatch.setattr("servers.toolkit.ledger.time.monotonic", lambda: clock[0])
    here, elsewhere = Ledger(app.database), Ledger(app.database)
    assert not here.is_revoked("g_1")
    elsewhere.revoke(grant(id="g_1"))
    clock[0] += after
    assert here.is_revoked("g_1") is known
    assert elsewhere.is_revoked("g_1")


async def test_what_is_granted_beside_tools_is_listed_read_and_audited(app: Server) -> None:
    async with Client(app.view(grant(**EVERYTHING))) as client:
        assert [str(one.uri) for one in await client.list_resources()] == [ABOUT]
        templates = await client.list_resource_templates()
        assert [one.uri_template for one in templates] == [NOTE]
        assert [one.name for one in await client.list_prompts()] == ["sum_up"]
        assert (await client.read_resource(ABOUT))[0].text == "a toy"
        await client.read_resource("toy://notes/acc_1")
        await client.get_prompt("sum_up", {"account_id": "acc_1"})
    assert audit(app) == [
        ("resources/read", ABOUT, "allowed", ""),
        ("resources/read", "toy://notes/acc_1", "allowed", ""),
        ("prompts/get", "sum_up", "allowed", ""),
    ]


async def test_what_is_not_granted_reads_like_what_is_not_there(app: Server) -> None:
    mine = grant(resources=frozenset({ABOUT}), bind={"account_id": ("acc_1",)})
    refused: dict[str, str] = {}
    async with Client(app.view(mine)) as client:
        for uri in ("toy://notes/acc_1", "toy://nowhere"):
            with pytest.raises(MCPError) as caught:
                await client.read_resource(uri)
            refused[uri] = str(caught.value).replace(uri, "")
        for name in ("sum_up", "nothing"):
            with pytest.raises(MCPError) as caught:
                await client.get_prompt(name, {"account_id": "acc_1"})
            refused[name] = str(caught.value).replace(name, "")
    assert refused["toy://notes/acc_1"] == refused["toy://nowhere"]
    assert refused["sum_up"] == refused["nothing"]
    assert {reason for *_, reason in audit(app)} == {"not granted"}


async def test_a_bound_argument_holds_wherever_it_is_named(app: Server) -> None:
    """A prompt may leave it out; a template's variable and a prompt's value may not be others."""
    mine = grant(**EVERYTHING, bind={"account_id": ("acc_1",)})
    async with Client(app.view(mine)) as client:
        with pytest.raises(MCPError):
            await client.read_resource("toy://notes/acc_2")
        with pytest.raises(MCPError):
            await client.get_prompt("sum_up", {"account_id": "acc_2", "words": "few"})
        await client.get_prompt("sum_up", {"account_id": "acc_1", "words": "any"})
    assert [row[1:] for row in audit(app)] == [
        ("toy://notes/acc_2", "denied", "bound variable"),
        ("sum_up", "denied", "not granted"),
        ("sum_up", "allowed", ""),
    ]


async def test_nobody_gets_the_answer_that_fits_the_request(app: Server) -> None:
    async with Client(app.view(grant(audience="crm"))) as client:
        for listed in (client.list_tools, client.list_resources, client.list_prompts):
            assert await listed() == []
        for ask in (client.read_resource(ABOUT), client.get_prompt("sum_up", {})):
            with pytest.raises(MCPError) as caught:
                await ask
            assert caught.value.error.code == INVALID_PARAMS
    assert [row for row in audit(app) if row[0] == "resources/read"] == [
        ("resources/read", ABOUT, "denied", "no live grant")
    ]


async def test_denied_lists_are_audited_in_batches_and_denied_uses_at_once(app: Server) -> None:
    counted = sa.select(sa.func.count()).select_from(audit_table)
    found = []
    async with Client(app.view(grant(audience="crm"))) as client:
        for ask in (client.list_tools(), client.get_prompt("sum_up", {})):
            with suppress(MCPError):
                await ask
            with app.database.session() as session:
                found.append(session.connection().execute(counted).scalar())
    assert found[0] == 0
    assert found[1] > 1


async def test_an_error_is_audited_by_its_kind(app: Server) -> None:
    mine = grant(tools=frozenset({"break_it", "get_note"}))
    async with Client(app.view(mine)) as client:
        for name, arguments in (("break_it", {}), ("get_note", {"account_id": "acc_9"})):
            with pytest.raises(ToolError):
                await client.call_tool(name, arguments)
    assert [(row[1], row[2], bool(row[3])) for row in audit(app)] == [
        ("break_it", "error", True),
        ("get_note", "error", True),
    ]


@pytest.mark.parametrize(("value", "shown"), [("x" * 19, "'" + "x" * 19 + "'"), (7, "like that")])
async def test_a_refused_argument_is_shown_when_it_is_text(
    app: Server, value: Any, shown: str
) -> None:
    async with Client(app.view(grant(bind={"account_id": ("acc_1",)}))) as client:
        with pytest.raises(ToolError) as caught:
            await client.call_tool("get_note", {"account_id": value})
    assert f"no account_id {shown}. Try" in str(caught.value)


async def test_a_refused_argument_is_shown_up_to_eighty_letters(app: Server) -> None:
    async with Client(app.view(grant(bind={"account_id": ("acc_1",)}))) as client:
        with pytest.raises(ToolError) as caught:
            await client.call_tool("get_note", {"account_id": "x" * 500})
    assert f"no account_id '{'x' * 79}. Try" in str(caught.value)


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("Bearer {}", ["get_note"]),
        ("bEARER {}", ["get_note"]),
        ("Basic {}", None),
        ("{}", None),
        ("", None),
        (None, ["list_notes"]),
    ],
)
async def test_over_http_a_bearer_token_counts_and_none_at_all_is_the_profile(
    app: Server, tmp_path: Path, header: str | None, names: list[str] | None
) -> None:
    """A token that proves nothing is not the same as none: it gets nothing at all."""
    key = SigningKey.load(tmp_path / "keys")
    token = key.mint(grant(tools=frozenset({"get_note"})), ttl=60)
    local = grant(id="profile", agent="", tools=frozenset({"list_notes"}))
    face = app.http_view(lambda: key.public, without_token=local)
    headers = {} if header is None else {"Authorization": header.format(token)}
    async with asgi_client(face, headers=headers) as client:
        assert [tool.name for tool in await client.list_tools()] == (names or [])
