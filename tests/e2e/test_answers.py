"""Every tool's answer: whole as text and whole as data, on both protocol eras, and never too large.

Clients read one of the two halves only. What is large comes in parts that add up to the whole.
"""

import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client
from mcp.types import ResourceLink, TextContent

from servers.finance.tables.legal import ScreeningEntry
from servers.profiles import persons, profile_grant
from servers.registry import NAMES, open_server
from servers.toolkit.app import Server
from servers.toolkit.grants import Grant
from servers.toolkit.idempotency import META_KEY

sys.path.insert(0, str(Path(__file__).parents[1]))  # for large_results

from large_results import LARGE, LARGE_RESULTS, ROW, Answer

from .conftest import Folder
from .matrix import sample
from .stated import stated

pytestmark = pytest.mark.timeout(180)
ERAS = ("legacy", "2026-07-28")
DAY = "2026-11-23"
DEAL, HUGE_TEXT = "opp_016", "Sehr geehrte Damen und Herren, 12 Stück bitte. " * 1276
FEW = [{"line_id": "l1", "sku": "SW-P8-120", "quantity": 2}]
PRICED = {
    "account_id": "acc_008",
    "ship_to_address_id": "adr_024",
    "ship_method": "ROAD-STD",
    "order_date": DAY,
}
ALL = {"limit": 100}


@dataclass
class World:
    """The servers on one data folder, and what was measured."""

    apps: dict[str, Server]
    lines: list[dict[str, Any]] = field(default_factory=list)
    quote: dict[str, Any] = field(default_factory=dict)
    largest: dict[str, int] = field(default_factory=dict)
    tried: set[str] = field(default_factory=set)

    @asynccontextmanager
    async def client(
        self, server: str, era: str, person: str = "per_ingrid"
    ) -> AsyncIterator[Client[Any]]:
        grant = profile_grant(server, "admin")
        people = grant.tools | persons(server)
        held = replace(grant, tools=people, person=person, requester="per_lena")
        face = self.apps[server].view(held, output_schemas=era == "legacy")  # checked there once
        async with Client(face, mode=era) as client:
            yield client

    async def call(
        self, client: Client[Any], tool: str, arguments: dict[str, Any], key: str = ""
    ) -> dict[str, Any]:
        """Call a tool and check that both halves of its answer say the same, and how much."""
        meta = {META_KEY: key} if key else None
        found = await client.call_tool(tool, arguments, meta=meta)
        first, *rest = found.content
        assert isinstance(first, TextContent), tool
        assert all(isinstance(block, ResourceLink) for block in rest), tool
        assert json.loads(first.text) == found.structured_content, tool
        size = len(first.text.encode())
        if not arguments.get("whole"):
            self.largest[tool] = max(self.largest.get(tool, 0), size)
        self.tried.add(tool)
        links = [str(block.uri) for block in rest if isinstance(block, ResourceLink)]
        return {**(found.structured_content or {}), "links": links}


@pytest.fixture(scope="module")
def world(seeded: Folder, tmp_path_factory: pytest.TempPathFactory) -> Any:
    import shutil

    home = Path(shutil.copytree(seeded.home, tmp_path_factory.mktemp("answers") / "home"))
    apps = {name: open_server(name, str(home / f"{name}.db"))[0] for name in NAMES}
    _add_huge_texts(apps["crm"])
    yield World(apps)
    for app in apps.values():
        app.ledger.audit.flush()
        app.database.close()


def _add_huge_texts(crm: Server) -> None:
    """A message as long as we read any, and a document of many pages."""
    from servers.crm.tables import Activity, Document

    with crm.database.write() as session:
        shared = {"opportunity_id": DEAL, "account_id": "acc_013"}
        session.add(
            Activity(
                activity_id="act_huge",
                kind="email",
                direction="inbound",
                at="2026-11-20T09:00:00Z",
                subject="Lang",
                text=HUGE_TEXT,
                quoted_text=HUGE_TEXT,
                **shared,
            )
        )
        session.add_all(
            Activity(
                activity_id=f"act_long_{n}",
                kind="email",
                direction="inbound",
                at="2026-11-21T09:00:00Z",
                subject="s" * 400,
                from_name="n" * 200,
                text="12 pcs",
                opportunity_id="opp_015",
                account_id="acc_012",
            )
            for n in range(40)
        )
        session.flush()
        session.add(
            Document(
                document_id="doc_huge",
                filename="lang.txt",
                mime="text/plain",
                text=HUGE_TEXT * 3,
                **shared,
            )
        )


async def _many_lines(world: World) -> list[dict[str, Any]]:
    async with world.client("catalog", ERAS[1]) as client:
        rows = json.loads((await client.read_resource("catalog://categories"))[0].text)["items"]
        skus: list[str] = []
        for row in rows:
            (sheet,) = await client.read_resource(f"catalog://categories/{row['category']}")
            products = json.loads(sheet.text)["products"]
            skus += [p["sku"] for p in products if p["lifecycle"] == "active"]
    return [
        {"line_id": f"l{n}", "sku": skus[n % len(skus)], "quantity": 10 + n} for n in range(1, 201)
    ]


def crm_calls() -> list[tuple[str, dict[str, Any]]]:
    account = {"account_id": "acc_013"}
    deal = {"opportunity_id": DEAL}
    return [
        ("resolve_account", {"text": "Bergwald"}),
        ("search_accounts", {"query": "a", **ALL}),
        ("get_account", account),
        *((tool, {**account, **ALL}) for tool in ("list_contacts", "list_addresses")),
        *((tool, {**account, **ALL}) for tool in ("list_documents", "list_interactions")),
        ("quote_history", {"account_id": "acc_001", "with_lines": True, **ALL}),
        ("list_tasks", ALL),
        ("search_opportunities", {"open_only": False, **ALL}),
        ("get_opportunity", deal),
        ("list_activities", {**deal, **ALL}),
        ("list_activities", {"opportunity_id": "opp_015"}),
        ("read_message", {**deal, "activity_id": "act_huge"}),
        ("read_message", {**deal, "activity_id": "act_016_1"}),
        ("read_document", {**deal, "document_id": "doc_huge"}),
        ("search_text", {**deal, "query": "Damen", **ALL}),
        ("quote_readiness", deal),
        ("account_readiness", {"account_id": "acc_008"}),
        ("log_activity", {**deal, "kind": "note", "body": "Größe geklärt"}),
        ("record_need", {**deal, "source_id": "act_huge", "start": 31, "end": 46}),
        ("list_needs", {**deal, **ALL}),
    ]


def catalog_calls(lines: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    day, country = {"order_date": DAY}, {"ship_to_country": "DE"}
    return [
        ("search_products", {"query": "switch", **ALL}),
        ("get_product", {"sku": "SW-P8-120"}),
        ("compare_products", {"skus": [line["sku"] for line in lines[:6]]}),
        ("match_need", {"phrase": "PoE switch", "limit": 20}),
        ("suggest_substitutes", {"sku": "SW-P8-120", **day, **country}),
        ("check_configuration", {"lines": lines, **day, **country}),
        ("complete_configuration", {"lines": lines, **day, **country}),
        ("check_availability", {"lines": lines, **day, "needed_by": DAY}),
        ("shipping_options", {"lines": lines, **country}),
    ]


@pytest.mark.parametrize("era", ERAS)
async def test_both_halves_of_every_crm_answer_are_whole(world: World, era: str) -> None:
    async with world.client("crm", era) as client:
        for place, (tool, arguments) in enumerate(crm_calls()):
            found = await world.call(client, tool, arguments, key=f"{era}-{place}")
        need = found["items"][0]
        confirmed = {
            "opportunity_id": DEAL,
            "need_id": need["need_id"],
            "expected_version": need["version"],
        }
        await world.call(client, "confirm_need", confirmed, key="confirm")
        deal = await world.call(client, "get_opportunity", {"opportunity_id": "opp_002"})
        moved = {"stage": deal["next_stages"][0], "expected_version": deal["version"]}
        await world.call(client, "update_stage", {"opportunity_id": "opp_002", **moved}, key="move")
        await _put_on_file(world, client, era)
        recorded = {
            "opportunity_id": DEAL,
            "quote_id": "q_1",
            "revision": 1,
            "outcome": "draft",
            "total_minor": 1,
            "currency": "EUR",
        }
        await world.call(client, "record_quote_outcome", recorded)
        alone = {n: v for n, v in recorded.items() if n != "opportunity_id"} | {"quote_id": "q_2"}
        await world.call(client, "record_account_quote", {"account_id": "acc_008", **alone})


async def _put_on_file(world: World, client: Any, era: str) -> None:
    """What people put on file, in a new account, which is another one's duplicate in the end."""
    named = {"name": f"Müßig {era}", "country": "AT"}
    mine = {"account_id": (await world.call(client, "create_account", named))["account_id"]}
    where = {"kind": "billing", "lines": ["Gasse 1"], "city": "Graz", "country": "AT"}
    await world.call(client, "add_contact", {**mine, "name": "Ada Größer"})
    await world.call(client, "add_address", {**mine, **where})
    await world.call(client, "open_opportunity", {**mine, "name": "Größen"})
    task = await world.call(client, "add_task", {**mine, "what": "Größe klären"})
    done = {"task_id": task["task_id"], "expected_version": task["version"]}
    await world.call(client, "finish_task", {**mine, **done})
    both = {"account_id": "acc_013", "duplicate_id": mine["account_id"]}
    await world.call(client, "merge_accounts", both)


@pytest.mark.parametrize("era", ERAS)
async def test_both_halves_of_every_catalog_answer_are_whole(world: World, era: str) -> None:
    world.lines = world.lines or await _many_lines(world)
    async with world.client("catalog", era) as client:
        for tool, arguments in catalog_calls(world.lines[: None if era == ERAS[1] else 6]):
            await world.call(client, tool, arguments)


@pytest.mark.parametrize("era", ERAS)
async def test_both_halves_of_every_finance_answer_are_whole(world: World, era: str) -> None:
    world.lines = world.lines or await _many_lines(world)
    lines = world.lines[: None if era == ERAS[1] else 6]
    order = {**PRICED, "lines": lines}
    async with world.client("finance", era) as client:

        async def call(tool: str, key: str = "", **arguments: Any) -> dict[str, Any]:
            return await world.call(client, tool, arguments, key)

        async def chosen_for(lines: list[dict[str, Any]]) -> dict[str, Any]:
            priced = await call("price_quote", **PRICED, lines=lines)
            money = {"currency": priced["currency"]}
            total = priced["totals"]["total_minor"]
            await call("check_credit", account_id="acc_008", amount_minor=total, **money)
            asked = {"account_id": "acc_008", "ship_to_address_id": "adr_024", **money}
            terms = await call("select_terms", **asked, total_minor=total, lines=lines)
            return {name: terms[name] for name in ("payment_terms", "clause_ids")}

        chosen = await chosen_for(lines)
        await call("what_if", **order, change_discount_bp=500)
        await call("explain_price", **order)
        bare = {name: order[name] for name in ("lines", "ship_method", "order_date")}
        await call("price_prospect", **bare, country="DE", currency="EUR")
        await call("screen_party", account_id="acc_008")
        await call("get_balance", account_id="acc_006")
        deal = f"opp_{len(lines)}"
        said = stated(world.apps["finance"].database, order, deal)
        world.quote = made = await call(
            "create_quote", f"make {era}", **order, **chosen, **said, opportunity_id=deal
        )
        asked_for = await call("request_approval", f"ask {era}", quote_id=made["quote_id"])
        await call("list_quotes", **ALL)
        await call("guide_price", quote_id=made["quote_id"])
        for view in ("internal", "customer"):
            await call("get_quote", quote_id=made["quote_id"], view=view)
            for form in ("html", "markdown", "json"):
                await call("render_quote", quote_id=made["quote_id"], view=view, format=form)
        decided = {"approval_id": asked_for["approvals"][0]["approval_id"], "decision": "reject"}
        await call("decide_approval", f"decide {era}", **decided)
        await call("explain_quote", quote_id=made["quote_id"])
        change = {"quote_id": made["quote_id"], "digest": made["digest"], "discount_bp": 200}
        revised = await call("revise_quote", f"revise {era}", **change)
        pair = {"quote_id": made["quote_id"], "other_quote_id": revised["quote_id"]}
        await call("diff_quotes", **pair)
        small = {**PRICED, "lines": FEW, **await chosen_for(FEW), "opportunity_id": "opp_901"}
        said = stated(world.apps["finance"].database, small, "opp_901")
        other = await call("create_quote", "make small", **small, **said)
        issued = {"quote_id": other["quote_id"], "digest": other["digest"]}
        await call("issue_quote", "issue", **issued)
        await call("accept_quote", "accept", **issued)
        small["opportunity_id"] = f"opp_902_{era[:4]}"
        third = await call("create_quote", f"make third {era}", **small)
        small["opportunity_id"] = f"opp_903_{era[:4]}"
        fourth = await call("create_quote", f"make fourth {era}", **small)
        pair = {"quote_id": third["quote_id"], "by_quote_id": fourth["quote_id"]}
        await call("supersede_quote", f"close {era}", **pair)
        await call("withdraw_quote", "back", quote_id=fourth["quote_id"], reason="a test")


@pytest.mark.parametrize("era", ERAS)
async def test_both_halves_of_a_review_are_whole(world: World, era: str) -> None:
    with world.apps["finance"].database.write() as session:
        session.merge(ScreeningEntry(entry_id="T-1", name="Alder and Finch", country=""))
    async with world.client("finance", era, "per_jonas") as client:
        hit = {"account_id": "acc_001", "entry_id": "T-1", "decision": "different_party"}
        await world.call(client, "review_screening", hit, f"review {era}")
        await world.call(client, "screen_party", {"account_id": "acc_001"})


async def test_no_answer_is_larger_than_the_table_says(
    world: World, record_property: Callable[[str, object], None]
) -> None:
    live = set()
    for app in world.apps.values():
        live |= {tool.name for tool in await app.local_provider.list_tools()}
    bounds = {tool: row for table in LARGE_RESULTS.values() for tool, row in table.items()}
    for name, app in world.apps.items():  # a tool without a row: its longest page is not large
        async with world.client(name, "legacy") as client:
            for tool in await app.local_provider.list_tools():
                if tool.name not in bounds:
                    asked = sample(tool.parameters, Grant("", name))
                    page = ALL if "limit" in tool.parameters["properties"] else {}
                    await world.call(client, tool.name, asked | page)
                    bounds[tool.name] = Answer(LARGE, ROW)
    assert set(bounds) == live == world.tried
    over = {tool: size for tool, size in world.largest.items() if size > bounds[tool].at_most}
    assert not over
    worst = sorted(world.largest.items(), key=lambda row: -row[1])[:8]
    told = ", ".join(f"{tool} {size}" for tool, size in worst)
    record_property("figure", f"largest answers in bytes (200 lines, 60,000 characters): {told}")
    assert [tool for tool, row in bounds.items() if row.at_most > LARGE] == [
        "read_message",
        "check_availability",
    ]


async def test_the_parts_of_a_large_answer_are_the_whole(world: World) -> None:
    async with world.client("finance", ERAS[1]) as client:
        one = {"quote_id": world.quote["quote_id"]}
        for view, uri in (("internal", ""), ("customer", "/quote.json")):
            whole = await world.call(client, "get_quote", {**one, "view": view, "whole": True})
            assert whole["links"] == []
            lines: list[Any] = []
            steps: list[Any] = []
            place: int | None = 1
            while place is not None:
                part = await world.call(
                    client, "get_quote", {**one, "view": view, "from_line": place}
                )
                if part["next_line"]:
                    assert part["links"] == [f"finance://quotes/{one['quote_id']}{uri}"]
                    (told,) = await client.read_resource(part["links"][0])
                    assert len(json.loads(told.text)["lines"]) == 200
                lines += part["lines"]
                steps += [step for step in part.get("trace", ()) if step["line_id"]]
                assert part["totals"] == whole["totals"]
                place = part["next_line"]
            assert lines == whole["lines"]
            assert len(lines) == 200
            assert steps == [step for step in whole.get("trace", ()) if step["line_id"]]
        for form, ending in (("html", "html"), ("markdown", "md"), ("json", "json")):
            text, offset = "", 0
            while offset is not None:
                part = await world.call(
                    client, "render_quote", {**one, "format": form, "offset": offset}
                )
                text, offset = text + part["text"], part["next_offset"]
            assert part["links"] == [f"finance://quotes/{one['quote_id']}/quote.{ending}"]
            assert part["uri"] == part["links"][0]
            (told,) = await client.read_resource(part["uri"])
            assert told.text == text
            assert len(text) == part["total_characters"]
    async with world.client("crm", ERAS[1]) as client:
        for tool, name, source, text in (
            ("read_message", "activity_id", "act_huge", HUGE_TEXT),
            ("read_document", "document_id", "doc_huge", HUGE_TEXT * 3),
        ):
            read, offset = "", 0
            while offset is not None:
                part = await world.call(
                    client, tool, {"opportunity_id": DEAL, name: source, "offset": offset}
                )
                read, offset = read + part["text"], part["next_offset"]
            assert read == text
            (told,) = await client.read_resource(part["links"][0])
            assert json.loads(told.text)["text"] == text
