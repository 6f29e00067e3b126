"""Who may use what, tried out: every agent and profile x every component of every server."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastmcp import Client
from mcp.types import ResourceTemplateReference

from orchestrator.workflows import load_all
from servers.registry import NAMES, open_server
from servers.toolkit import gate, scope
from servers.toolkit.app import Server
from servers.toolkit.gate import Gate
from servers.toolkit.grants import Grant, SigningKey, new_grant_id

from .conftest import Folder
from .matrix import LeakError, Matrix, in_process, over_http, subjects


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory, seeded: Folder) -> Iterator[dict[str, Server]]:
    folder = shutil.copytree(seeded.home, tmp_path_factory.mktemp("permissions") / "home")
    found = {name: open_server(name, str(folder / f"{name}.db"))[0] for name in NAMES}
    yield found
    for app in found.values():
        app.ledger.audit.flush()
        app.database.close()


@pytest.fixture(scope="module")
def signing(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return SigningKey.load(tmp_path_factory.mktemp("keys"))


@pytest.mark.timeout(120)
@pytest.mark.parametrize("transport", [in_process, over_http])
async def test_everything_is_listed_and_usable_exactly_when_granted(
    apps: dict[str, Server],
    signing: SigningKey,
    transport: Callable[[Server, SigningKey], Any],
    record_property: Callable[[str, object], None],
) -> None:
    tried = allowed = 0
    for name, app in apps.items():
        done = await Matrix(app, transport(app, signing)).run(subjects(name))
        tried, allowed = tried + done.tried, allowed + done.allowed
    figure = f"{transport.__name__}: {tried} combinations tried, {allowed} allowed"
    record_property("figure", figure)
    assert tried > allowed > 0


def names_ignored(_monkeypatch: pytest.MonkeyPatch) -> None:
    async def on_call_tool(self: Gate, context: Any, call_next: Any) -> Any:
        grant, call = scope.grant(), context.message
        self._ledger.audit.record(grant, "tools/call", call.name, None, "allowed")
        return await call_next(context)

    _monkeypatch.setattr(Gate, "on_call_tool", on_call_tool)


def lists_unfiltered(_monkeypatch: pytest.MonkeyPatch) -> None:
    async def on_list_tools(self: Gate, context: Any, call_next: Any) -> Any:
        return await call_next(context)

    _monkeypatch.setattr(Gate, "on_list_tools", on_list_tools)


def templates_unfiltered(_monkeypatch: pytest.MonkeyPatch) -> None:
    async def on_read_resource(self: Gate, context: Any, call_next: Any) -> Any:
        return await call_next(context)

    _monkeypatch.setattr(Gate, "on_read_resource", on_read_resource)


def prompts_unfiltered(_monkeypatch: pytest.MonkeyPatch) -> None:
    async def on_get_prompt(self: Gate, context: Any, call_next: Any) -> Any:
        return await call_next(context)

    _monkeypatch.setattr(Gate, "on_get_prompt", on_get_prompt)


def completions_open(_monkeypatch: pytest.MonkeyPatch) -> None:
    async def may(_grant: Grant, _context: object) -> bool:
        return True

    _monkeypatch.setattr(gate, "_may_complete", may)


def everything_denied(_monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(_self: Gate, _context: object) -> None: ...

    _monkeypatch.setattr(Gate, "grant_for", nothing)


DEFECTS = [
    names_ignored,
    lists_unfiltered,
    templates_unfiltered,
    prompts_unfiltered,
    completions_open,
    everything_denied,
]


@pytest.mark.parametrize("plant", DEFECTS)
async def test_the_matrix_finds_a_planted_defect(
    apps: dict[str, Server],
    signing: SigningKey,
    monkeypatch: pytest.MonkeyPatch,
    plant: Callable[[pytest.MonkeyPatch], None],
) -> None:
    plant(monkeypatch)
    app = apps["crm"]
    with pytest.raises(LeakError):
        await Matrix(app, in_process(app, signing)).run(subjects("crm"))


async def account_reads(view: Any, account_id: str) -> list[str]:
    """What a caller bound to acc_001 learns of another account, by every CRM tool there is."""
    leaks = []
    async with Client(view) as client:
        for tool in await client.list_tools():
            properties = tool.input_schema.get("properties", {})
            if "account_id" not in properties:
                continue
            result = await client.call_tool(
                tool.name, {"account_id": account_id}, raise_on_error=False
            )
            if not result.is_error and (result.structured_content or {}).get("items") != []:
                leaks.append(tool.name)
    return leaks


PROFILE_TOOLS = frozenset(
    {"get_account", "list_contacts", "list_addresses", "list_documents", "quote_history",
     "list_interactions", "search_opportunities", "search_accounts"}
)  # fmt: skip


def bound_grant(**changes: Any) -> Grant:
    fields: dict[str, Any] = {
        "id": new_grant_id(),
        "audience": "crm",
        "agent": "profile",
        "tools": PROFILE_TOOLS,
        "bind": {"account_id": ("acc_001",)},
    }
    return Grant(**{**fields, **changes})


async def test_another_customers_id_gives_nothing(apps: dict[str, Server]) -> None:
    view = apps["crm"].view(bound_grant())
    assert await account_reads(view, "acc_002") == []
    assert await account_reads(view, "acc_001") != []


async def test_a_search_without_the_bound_argument_shows_bound_rows_only(
    apps: dict[str, Server],
) -> None:
    async with Client(apps["crm"].view(bound_grant())) as client:
        found = await client.call_tool("search_accounts", {"query": "GmbH"}, raise_on_error=False)
        items = (found.structured_content or {}).get("items", [])
        assert {item["account_id"] for item in items} <= {"acc_001"}
        refused = await client.call_tool("search_opportunities", {}, raise_on_error=False)
        rows = (refused.structured_content or {}).get("items", [])
        assert {row["account_id"] for row in rows} <= {"acc_001"}


@pytest.mark.parametrize("defect", ["arguments", "rows"])
async def test_planted_binding_defects_are_found(
    apps: dict[str, Server], monkeypatch: pytest.MonkeyPatch, defect: str
) -> None:
    """Each line of defence is there by itself: break one and the other holds; break both: found."""
    view = apps["crm"].view(bound_grant())
    if defect == "arguments":
        monkeypatch.setattr(gate, "_unbound", lambda *_args: None)
        assert await account_reads(view, "acc_002") == []  # the repository still narrows
    monkeypatch.setattr(gate, "_unbound", lambda *_args: None)
    monkeypatch.setattr(scope, "bound", lambda _name: None)
    assert await account_reads(view, "acc_002") != []


async def test_a_completion_shows_bound_ids_only(apps: dict[str, Server]) -> None:
    template = "crm://accounts/{account_id}"
    view = apps["crm"].view(bound_grant(resources=frozenset({template})))
    async with Client(view) as client:
        reference = ResourceTemplateReference(type="ref/resource", uri=template)
        found = await client.complete(reference, {"name": "account_id", "value": "acc"})
    assert found.values == ["acc_001"]


FOR_PEOPLE = {
    "crm": {
        *("create_account", "add_contact", "add_address", "open_opportunity", "merge_accounts"),
        *("list_tasks", "add_task", "finish_task", "update_stage"),
    },
    "finance": {"get_balance"},
}


@pytest.mark.parametrize("server", FOR_PEOPLE)
def test_no_workflow_grants_what_people_do_in_the_crm(server: str) -> None:
    for workflow in load_all():
        assert not FOR_PEOPLE[server] & set(workflow.tools_of(server)), workflow.name
