import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastmcp import Client
from fastmcp.exceptions import ToolError
from fastmcp.utilities.tests import asgi_client
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    CompleteResult,
    EmptyResult,
    PromptReference,
    Request,
    RequestParams,
    ResourceTemplateReference,
)
from toy import grant, toy_app, toy_database

from servers.toolkit.app import Server
from servers.toolkit.errors import ForbiddenError
from servers.toolkit.grants import Grant, SigningKey
from servers.toolkit.migrate import audit_table


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Server]:
    database = toy_database(tmp_path / "toy.db")
    yield toy_app(database)
    database.close()


@pytest.fixture
def signing(tmp_path: Path) -> SigningKey:
    return SigningKey.load(tmp_path / "keys")


def audit(app: Server) -> list[tuple[str, str, str]]:
    app.ledger.audit.flush()
    with app.database.session() as session:
        rows = session.connection().execute(sa.select(audit_table).order_by(audit_table.c.seq))
        return [(row.component, row.outcome, row.reason) for row in rows]


async def test_the_base_app_serves_nobody(app: Server) -> None:
    async with Client(app) as client:
        assert await client.list_tools() == []
        with pytest.raises(ToolError, match="Unknown tool"):
            await client.call_tool("list_notes")


async def test_a_view_lists_and_calls_exactly_what_is_granted(app: Server) -> None:
    async with Client(app.view(grant())) as client:
        assert sorted(t.name for t in await client.list_tools()) == ["get_note", "list_notes"]
        assert await client.list_resources() == []
        assert await client.list_resource_templates() == []
        assert await client.list_prompts() == []
        assert (await client.call_tool("get_note", {"account_id": "acc_1"})).data.body == "pumps"
        for name in ("add_note", "decide_approval", "nothing_like_it"):
            with pytest.raises(ToolError, match=f"Unknown tool: '{name}'"):
                await client.call_tool(name, {"account_id": "acc_1"})
        with pytest.raises(MCPError):
            await client.read_resource("toy://notes/acc_1")
        with pytest.raises(MCPError):
            await client.get_prompt("sum_up", {"account_id": "acc_1"})


async def test_bound_ids_hold_in_arguments_lists_templates_prompts_and_completions(
    app: Server,
) -> None:
    view = app.view(
        grant(
            bind={"account_id": ("acc_1",)},
            resources=frozenset({"toy://notes/{account_id}"}),
            prompts=frozenset({"sum_up"}),
        )
    )
    async with Client(view) as client:
        with pytest.raises(ToolError, match="NOT_FOUND: no account_id 'acc_2'"):
            await client.call_tool("get_note", {"account_id": "acc_2"})
        with pytest.raises(ToolError, match="NOT_FOUND"):
            await client.call_tool("get_note", {})
        listed = (await client.call_tool("list_notes")).structured_content
        assert [note["account_id"] for note in listed["items"]] == ["acc_1"]
        assert "pumps" in (await client.read_resource("toy://notes/acc_1"))[0].text
        with pytest.raises(MCPError):
            await client.read_resource("toy://notes/acc_2")
        assert await client.get_prompt("sum_up", {"account_id": "acc_1"})
        with pytest.raises(MCPError):
            await client.get_prompt("sum_up", {"account_id": "acc_2"})
        reference = ResourceTemplateReference(type="ref/resource", uri="toy://notes/{account_id}")
        found = await client.complete(reference, {"name": "account_id", "value": ""})
        assert found.values == ["acc_1"]


async def test_a_completion_outside_the_grant_is_empty(app: Server) -> None:
    async with Client(app.view(grant())) as client:
        for reference in (
            ResourceTemplateReference(type="ref/resource", uri="toy://notes/{account_id}"),
            PromptReference(type="ref/prompt", name="sum_up"),
        ):
            found = await client.complete(reference, {"name": "account_id", "value": ""})
            assert found.values == []


GOOD = {"type": "ref/prompt", "name": "sum_up"}


class Raw(RequestParams):
    """What no honest client sends."""

    ref: Any = None
    argument: Any = {"name": "account_id", "value": ""}  # noqa: RUF012


async def test_only_arguments_of_what_is_granted_are_completed(app: Server) -> None:
    """The same finders serve all components: a prompt must not open those of a resource."""
    template = "toy://notes/{account_id}"
    mine = grant(prompts=frozenset({"sum_up"}), resources=frozenset({template}))
    async with Client(app.view(mine)) as client:
        for reference, argument, found in (
            (PromptReference(type="ref/prompt", name="sum_up"), "account_id", 2),
            (PromptReference(type="ref/prompt", name="sum_up"), "need_id", 0),
            (ResourceTemplateReference(type="ref/resource", uri=template), "account_id", 2),
            (ResourceTemplateReference(type="ref/resource", uri=template), "words", 0),
        ):
            said = await client.complete(reference, {"name": argument, "value": ""})
            assert len(said.values) == found, (reference, argument)


@pytest.mark.parametrize(
    "ref",
    [
        None,
        "sum_up",
        {"type": ["ref/prompt"], "name": "sum_up"},
        {"type": "ref/prompt", "name": ["sum_up"]},
        {"type": "ref/prompt", "name": "another", "uri": "sum_up"},
    ],
)
async def test_a_malformed_completion_is_empty(app: Server, ref: object) -> None:
    view = app.view(grant(prompts=frozenset({"sum_up"})))
    async with Client(view, mode="2026-07-28") as client:
        for asked, found in ((Raw(ref=ref), []), (Raw(ref=GOOD), ["acc_1", "acc_2"])):
            said = await client.session.send_request(
                Request(method="completion/complete", params=asked), CompleteResult
            )
            assert said.completion.values == found


@pytest.mark.parametrize(
    "spoil",
    [
        lambda key, good: good[:-4] + "AAAA",
        lambda key, good: "nonsense",
        lambda key, good: "",
        lambda key, good: key.mint(grant(audience="crm"), ttl=60),
        lambda key, good: SigningKey(OKPKey.generate_key("Ed25519")).mint(grant(), ttl=60),
        lambda key, good: jwt.encode(
            {"alg": "HS256"},
            {"iss": "dealdesk", "aud": "toy", "jti": "g", "iat": 1, "exp": 9999999999},
            OctKey.import_key("0" * 32),
        ),
        lambda key, good: "eyJhbGciOiJub25lIn0.eyJpc3MiOiJkZWFsZGVzayIsImF1ZCI6InRveSJ9.",
    ],
    ids=["tampered", "garbled", "empty", "audience", "other-key", "other-algorithm", "unsigned"],
)
async def test_a_token_that_proves_nothing_opens_nothing(
    app: Server, signing: SigningKey, spoil: object
) -> None:
    token = spoil(signing, signing.mint(grant(), ttl=60))  # type: ignore[operator]
    async with Client(app.view(token, signing.public)) as client:
        assert await client.list_tools() == []
        with pytest.raises(ToolError, match="Unknown tool"):
            await client.call_tool("list_notes")


async def test_an_expired_grant_opens_nothing(
    app: Server, signing: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = signing.mint(grant(), ttl=60)
    now = time.time()
    async with Client(app.view(token, signing.public)) as client:
        assert len(await client.list_tools()) == 2
        monkeypatch.setattr("servers.toolkit.gate.time.time", lambda: now + 61)
        assert await client.list_tools() == []


async def test_a_released_grant_opens_nothing_and_never_shows_the_release(app: Server) -> None:
    mine = grant(id="g_released")
    async with Client(app.view(mine)) as client:
        assert "release_grant" not in {t.name for t in await client.list_tools()}
        assert (await client.call_tool("release_grant")).content[0].text == "released"
        assert await client.list_tools() == []
        with pytest.raises(ToolError, match="Unknown tool"):
            await client.call_tool("list_notes")
    async with Client(app.view(replace(mine, id="g_other"))) as client:
        assert len(await client.list_tools()) == 2


async def test_a_local_profile_cannot_be_given_back_for_all(app: Server) -> None:
    local = grant(id="profile-read", agent="", run="")
    async with Client(app.view(local)) as client:
        await client.call_tool("release_grant")
        assert len(await client.list_tools()) == 2


async def test_a_released_grant_is_refused_by_another_process(app: Server) -> None:
    app.ledger.revoke(grant(id="g_gone"))
    fresh = toy_app(app.database)  # its ledger has read nothing yet
    async with Client(fresh.view(grant(id="g_gone"))) as client:
        assert await client.list_tools() == []


async def test_only_a_persons_grant_reaches_the_deciding_tool(app: Server) -> None:
    decide = frozenset({"decide_approval"})
    async with Client(app.view(grant(tools=decide))) as client:
        assert await client.list_tools() == []
        with pytest.raises(ToolError, match="Unknown tool"):
            await client.call_tool("decide_approval", {"account_id": "acc_1"})
    async with Client(app.view(grant(tools=decide, agent="", person="per_ann"))) as client:
        result = await client.call_tool("decide_approval", {"account_id": "acc_1"})
        assert result.data.body == "per_ann"


@pytest.mark.parametrize("who", [{"agent": "price"}, {"agent": "x", "person": "per_a"}, {}])
def test_no_agent_can_be_minted_a_deciding_tool(signing: SigningKey, who: dict[str, str]) -> None:
    fields = {"agent": "", "person": "", **who}
    with pytest.raises(ForbiddenError):
        signing.mint(grant(tools=frozenset({"decide_approval"}), **fields), ttl=60)


async def test_a_call_budget_is_kept_across_views(app: Server) -> None:
    mine = grant(calls={"list_notes": 2})
    for _ in range(2):
        async with Client(app.view(mine)) as client:
            await client.call_tool("list_notes")
    async with Client(app.view(mine)) as client:
        with pytest.raises(ToolError, match="BUDGET"):
            await client.call_tool("list_notes")


async def test_http_takes_the_grant_from_each_request(app: Server, signing: SigningKey) -> None:
    face = app.http_view(lambda: signing.public)
    token = signing.mint(grant(bind={"account_id": ("acc_2",)}), ttl=60)
    async with asgi_client(face, auth=token) as client:
        assert sorted(t.name for t in await client.list_tools()) == ["get_note", "list_notes"]
        assert (await client.call_tool("get_note", {"account_id": "acc_2"})).data.body == "valves"
        with pytest.raises(ToolError, match="NOT_FOUND"):
            await client.call_tool("get_note", {"account_id": "acc_1"})
    with pytest.raises((MCPError, RuntimeError)):
        async with asgi_client(face) as client:
            await client.list_tools()


async def test_an_in_memory_server_inside_an_http_tool_is_not_the_callers(
    app: Server, signing: SigningKey
) -> None:
    """The confused deputy: the inner server must not see the outer caller's token."""
    inner = app.http_view(lambda: signing.public)
    seen: dict[str, object] = {}

    @app.tool(**_public("Nest"))
    async def nest() -> dict[str, str]:
        """Call another server from inside a tool."""
        async with Client(inner) as client:
            seen["listed"] = await client.list_tools()
            result = await client.call_tool("list_notes", raise_on_error=False)
            seen["error"] = result.is_error
        return {"ok": "yes"}

    token = signing.mint(grant(tools=frozenset({"nest", "list_notes"})), ttl=60)
    async with asgi_client(app.http_view(lambda: signing.public), auth=token) as client:
        await client.call_tool("nest")
    assert seen == {"listed": [], "error": True}


async def test_a_client_may_send_back_the_meta_of_the_tool_it_was_shown(app: Server) -> None:
    async with Client(app.view(grant())) as client:
        shown = {tool.name: tool.meta for tool in await client.list_tools()}["list_notes"]
        assert shown is not None
        assert "fastmcp" in shown
        await client.call_tool("list_notes", meta=shown)
        for picking in ({"version": "1"}, {"tags": [], "tool_hash": "x"}, "1"):
            with pytest.raises(ToolError, match="Unknown tool: 'list_notes'"):
                await client.call_tool("list_notes", meta={**shown, "fastmcp": picking})


async def test_another_component_version_cannot_be_picked(app: Server) -> None:
    async with Client(app.view(grant())) as client:
        with pytest.raises(ToolError, match="Unknown tool"):
            await client.call_tool("list_notes", version="1")


async def test_writes_and_denials_are_audited_at_once_and_reads_in_batches(app: Server) -> None:
    mine = grant(tools=frozenset({"get_note", "add_note"}), bind={"account_id": ("acc_1",)})
    async with Client(app.view(mine)) as client:
        await client.call_tool("get_note", {"account_id": "acc_1"})
        with app.database.session() as session:
            count = sa.select(sa.func.count()).select_from(audit_table)
            assert session.connection().execute(count).scalar() == 0
        await client.call_tool("add_note", {"account_id": "acc_1", "body": "x"})
        with pytest.raises(ToolError):
            await client.call_tool("get_note", {"account_id": "acc_2"})
        with pytest.raises(ToolError):
            await client.call_tool("decide_approval", {"account_id": "acc_1"})
    assert audit(app) == [
        ("get_note", "allowed", ""),
        ("add_note", "allowed", ""),
        ("get_note", "denied", "bound argument account_id"),
        ("decide_approval", "denied", "not granted"),
    ]


async def test_the_audit_is_append_only(app: Server) -> None:
    app.ledger.audit.record(None, "tools/call", "x", None, "denied")
    app.ledger.audit.flush()
    for statement in ("DELETE FROM audit", "UPDATE audit SET outcome='allowed'"):
        with pytest.raises(sa.exc.IntegrityError), app.database.write() as session:
            session.connection().exec_driver_sql(statement)


async def test_a_repeat_gets_the_stored_result_also_with_other_words(app: Server) -> None:
    mine: Grant = grant(tools=frozenset({"add_note", "list_notes"}))
    meta = {"dealdesk/idempotency-key": "run_1/assemble/add_note/0"}
    async with Client(app.view(mine)) as client:
        first = await client.call_tool("add_note", {"account_id": "acc_1", "body": "a"}, meta=meta)
        again = await client.call_tool("add_note", {"account_id": "acc_1", "body": "b"}, meta=meta)
        assert not first.data.replayed
        assert (again.data.replayed, again.data.body) == (True, "a")
        assert len((await client.call_tool("list_notes")).data.items) == 3


async def test_errors_say_what_to_do_and_leak_nothing(app: Server) -> None:
    mine = grant(tools=frozenset({"get_note", "add_note", "break_it"}))
    async with Client(app.view(mine)) as client:
        with pytest.raises(ToolError) as caught:
            await client.call_tool("get_note", {"account_id": "acc_9"})
        assert str(caught.value) == ("NOT_FOUND: no note of 'acc_9'. Try: list_notes lists them.")
        with pytest.raises(ToolError) as caught:
            await client.call_tool("add_note", {"account_id": "acc_1", "body": "s3cret" * 20})
        assert str(caught.value).startswith("INVALID_INPUT: body: ")
        assert "s3cret" not in str(caught.value)
        assert "pydantic" not in str(caught.value)
        with pytest.raises(ToolError) as caught:
            await client.call_tool("break_it")
        assert "secret" not in str(caught.value)
        with pytest.raises(ToolError, match="too large"):
            await client.call_tool("add_note", {"account_id": "acc_1", "body": "x" * 300_000})


async def test_a_bound_argument_that_is_missing_is_called_so(app: Server) -> None:
    async with Client(app.view(grant(bind={"account_id": ("acc_1",)}))) as client:
        with pytest.raises(ToolError) as caught:
            await client.call_tool("get_note")
    assert str(caught.value) == (
        "NOT_FOUND: no account_id was given. Try: use the account_id of your task."
    )


@pytest.mark.parametrize("arguments", [{"account_id": "s3cret" * 20}, {}])
async def test_a_prompts_refusal_says_what_it_takes_and_leaks_nothing(
    app: Server, arguments: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    async with Client(app.view(grant(prompts=frozenset({"sum_up"})))) as client:
        with pytest.raises(MCPError) as caught:
            await client.get_prompt("sum_up", arguments)
    assert caught.value.error.code == INVALID_PARAMS
    assert caught.value.error.message == (
        "INVALID_INPUT: the arguments do not fit sum_up. Try: account_id, words (optional), "
        "each as its description says."
    )
    assert not caplog.records


async def test_a_resource_that_cannot_be_reads_like_one_that_is_not_there(app: Server) -> None:
    view = app.view(grant(resources=frozenset({"toy://notes/{account_id}"})))
    async with Client(view) as client:
        for account_id in ("acc_9", "x" * 50):
            with pytest.raises(MCPError, match=f"Resource not found: 'toy://notes/{account_id}'"):
                await client.read_resource(f"toy://notes/{account_id}")


async def test_results_are_labelled(app: Server) -> None:
    async with Client(app.view(grant())) as client:
        result = await client.call_tool("get_note", {"account_id": "acc_1"})
        assert result.meta["ifc"] == {"integrity": "untrusted", "confidentiality": "private"}


def _public(title: str) -> dict[str, object]:
    from servers.toolkit.declare import reads

    return reads(title, rows="public")


@pytest.mark.parametrize("granted", [True, False])
async def test_a_method_nobody_serves_is_not_found(app: Server, granted: bool) -> None:
    """`subscriptions/listen` too: nothing here changes for a client to be told of."""
    view = app.view(grant() if granted else grant(audience="another"))
    async with Client(view, mode="2026-07-28") as client:
        for method in ("subscriptions/listen", "tasks/get", "Tools/Call"):
            with pytest.raises(MCPError, match="Method not found") as refused:
                await client.session.send_request(
                    Request(method=method, params=RequestParams()), EmptyResult
                )
            assert refused.value.error.code == METHOD_NOT_FOUND
