"""The prompt `prepare_quote`, followed to the letter by a client with the profile `sales`.

The walk knows no more than the prompt's steps: what each call takes comes from the answers before.
The customer's words are read by hand here; everything else must come out as the gold records say.
"""

import json
import re
import shutil
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client
from fastmcp.exceptions import ToolError

from orchestrator.workflows.quote import WORKFLOW
from servers.profiles import profile_grant
from servers.registry import open_server

from .conftest import Folder

pytestmark = pytest.mark.timeout(180)
TODAY = "2026-11-23"
QUOTING = {tool.partition(".")[0] for spec in WORKFLOW.agents for tool in spec.tools}
"""The servers that a quote takes."""
GOLD = Path(__file__).parents[2] / "evals" / "quotes" / "gold"
READ: dict[str, tuple[list[tuple[str, int, dict[str, Any]]], list[str]]] = {
    "opp_001": (
        [
            ("8-port PoE+ switch, DIN rail (SW-P8-120)", 12, {}),
            ("16-port PoE+ switch, DIN rail (SW-P16-240)", 3, {}),
        ],
        [],
    ),
    "opp_005": (
        [
            ("server edge da rack 1U, 64 GB (SRV-R1-64)", 4, {}),
            ("alimentatori 550 W per server rack (PSU-R550)", 4, {}),
        ],
        ["discount"],
    ),
    "opp_022": (
        [
            (
                "Lizenzen Device Management Pro (SUB-DM-PRO)",
                250,
                {"unit": "license", "term_months": 24, "start": "2027-01-01"},
            )
        ],
        [],
    ),
    "opp_007": (
        [
            ("T4 temperature sensors", 40, {}),
            ("advanced analytics", 40, {"unit": "license", "term_months": 12}),
        ],
        [],
    ),
}


class Walker:
    """A client of all three servers that calls tools by name alone, as a host's model does."""

    def __init__(self, clients: dict[str, Client[Any]]) -> None:
        self.clients = clients
        self.called: list[str] = []

    async def call(self, server: str, tool: str, **arguments: Any) -> dict[str, Any]:
        self.called.append(tool)
        found = await self.clients[server].call_tool(tool, arguments)
        return dict(found.structured_content or {})


@pytest.fixture
async def walker(seeded: Folder, tmp_path: Path) -> Any:
    home = Path(shutil.copytree(seeded.home, tmp_path / "home"))
    async with AsyncExitStack() as stack:
        clients = {}
        for name in sorted(QUOTING):
            server, _ = open_server(name, str(home / f"{name}.db"))
            stack.callback(server.database.close)
            stack.callback(server.ledger.audit.flush)
            face = server.view(profile_grant(name, "sales"), output_schemas=False)
            clients[name] = await stack.enter_async_context(Client(face, mode="2026-07-28"))
        yield Walker(clients)


@pytest.mark.parametrize("deal", READ)
async def test_a_literal_follower_ends_with_the_gold_quote(walker: Walker, deal: str) -> None:
    gold = json.loads((GOLD / f"{deal}.json").read_text(encoding="utf-8"))
    call = walker.call
    ready = await call("crm", "quote_readiness", opportunity_id=deal)
    assert ready["verdict"] == "quote"
    assert (await call("finance", "list_quotes", opportunity_id=deal))["items"] == []
    account_id = (await call("crm", "get_opportunity", opportunity_id=deal))["account_id"]
    story = await call("crm", "list_activities", opportunity_id=deal)
    messages = [
        await call("crm", "read_message", opportunity_id=deal, activity_id=row["activity_id"])
        for row in story["items"]
    ]
    needs, claims = READ[deal]
    lines = []
    for place, (phrase, quantity, more) in enumerate(needs, start=1):
        match = await call(
            "catalog", "match_need", phrase=phrase, quantity=quantity, order_date=TODAY
        )
        line = {"line_id": f"l{place}", "sku": match["resolved"], "quantity": quantity, **more}
        lines.append(line)
    addresses = (await call("crm", "list_addresses", account_id=account_id))["items"]
    ship_to = next(a for a in addresses if a["kind"] == "shipping" and a["is_default"])
    contact = (await call("crm", "list_contacts", account_id=account_id))["items"][0]
    where = {"ship_to_country": ship_to["country"]}
    completed = await call(
        "catalog", "complete_configuration", lines=lines, **where, order_date=TODAY
    )
    lines += [
        {"line_id": f"l{len(lines) + place}", "sku": part["sku"], "quantity": part["quantity"]}
        for place, part in enumerate(completed["additions"], start=1)
    ]
    check = await call("catalog", "check_configuration", lines=lines, **where, order_date=TODAY)
    assert check["ok"]
    stock = await call("catalog", "check_availability", lines=lines, order_date=TODAY)
    ways = await call("catalog", "shipping_options", lines=lines, **where)
    found = [*completed["findings"], *check["findings"], *stock["findings"], *ways["findings"]]
    serious = {f["code"] for f in found if f["severity"] in ("warning", "needs_human")}
    order = {
        "account_id": account_id,
        "lines": lines,
        "ship_to_address_id": ship_to["address_id"],
        "ship_method": ways["recommended"],
        "order_date": TODAY,
    }
    priced = await call("finance", "price_quote", **order)
    total, currency = priced["totals"]["total_minor"], priced["currency"]
    money = {"total_minor": total, "currency": currency}
    asked = {key: order[key] for key in ("account_id", "lines", "ship_to_address_id")}
    terms = await call("finance", "select_terms", **asked, **money)
    credit = {"account_id": account_id, "amount_minor": total, "currency": currency}
    assert (await call("finance", "check_credit", **credit))["verdict"] == "clear"
    await call("finance", "screen_party", account_id=account_id)
    made = await call(
        "finance",
        "create_quote",
        **order,
        opportunity_id=deal,
        contact_id=contact["contact_id"],
        payment_terms=terms["payment_terms"],
        clause_ids=terms["clause_ids"],
        claims=claims,
        warnings=sorted(serious),
        catalog_statement=check["statement"],
        crm_statement=ready["statement"],
    )
    step = made["next_step"]
    if step["waits_for"] == "request_approval":
        step = (await call("finance", "request_approval", quote_id=made["quote_id"]))["next_step"]
    need = needs[0][0].split(" (")[0].split()[0]
    source = next((m for m in messages if need in m["text"]), None)
    if source is not None:
        start = source["text"].index(need)
        span = {"source_id": source["activity_id"], "start": start, "end": start + len(need)}
        await call("crm", "record_need", opportunity_id=deal, **span)
    page = await call("finance", "render_quote", quote_id=made["quote_id"])

    assert [(line["sku"], line["quantity"]) for line in lines] == [
        (line["sku"], line["quantity"]) for line in gold["lines"]
    ]
    assert f"{total / 100:,.2f}" == f"{float(gold['total']):,.2f}"
    assert f"{total / 100:,.2f} {currency}" in page["text"]
    assert step["waits_for"] == ("decision" if gold["outcome"] == "waiting" else "issue")
    roles = {approval.partition(":")[0] for approval in gold["approvals"]}
    assert {one["role"] for one in step["decisions"]} == roles
    assert all(one["people"] for one in step["decisions"])
    assert "dealdesk quote" not in step["say"], "what decides is typed by people"
    prompt = await walker.clients["crm"].get_prompt("prepare_quote", {"opportunity_id": deal})
    told = str(prompt.messages[0].content)
    places = [told.index(tool) for tool in dict.fromkeys(walker.called)]
    assert places == sorted(places), "the prompt names them in the order they are needed"


async def test_the_walk_from_a_pasted_email_finds_the_deal(walker: Walker) -> None:
    sender = await walker.call("crm", "resolve_account", text="niamh.alder@alderfinch.example")
    assert sender["resolved"] == "acc_001"
    deals = await walker.call(
        "crm", "search_opportunities", account_id="acc_001", query="PoE switch"
    )
    assert [row["opportunity_id"] for row in deals["items"]] == ["opp_001"]


GIVEN = {
    "opportunity_id": "opp_001",
    "request": "12 switches",
    "parts": "2 x SRV-R2-128",
    "ship_to_country": "NL",
    "quote_id": "q_1",
}


def names_in(schema: Any) -> set[str]:
    """Return every property name and every closed word of a schema, however deep."""
    if isinstance(schema, list):
        return {name for part in schema for name in names_in(part)}
    if not isinstance(schema, dict):
        return set()
    own = set(schema.get("properties", {})) | {w for w in schema.get("enum", ()) if w}
    return own.union(*(names_in(part) for part in schema.values()))


async def test_prompts_name_only_what_the_servers_have(walker: Walker) -> None:
    known, told = {"request"}, {}
    for name, client in walker.clients.items():
        face = client.transport.server  # type: ignore[attr-defined]
        assert len(face.instructions) <= 1024
        assert all(other in face.instructions for other in QUOTING - {name})
        for provider in face.providers:
            for tool in await provider.list_tools():
                known |= {tool.name} | names_in(tool.parameters) | names_in(tool.output_schema)
        for prompt in await client.list_prompts():
            known.add(prompt.name)
            assert prompt.title
            assert all(argument.description for argument in prompt.arguments or ())
            for left_out in (None, "opportunity_id"):
                given = {
                    a.name: GIVEN[a.name]
                    for a in prompt.arguments or ()
                    if a.name != left_out or a.required
                }
                found = await client.get_prompt(prompt.name, given)
                told[prompt.name, left_out] = str(found.messages[0].content.text)  # type: ignore[union-attr]
    assert len(told) == 8
    for key, text in told.items():
        words = set(re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", text))
        assert words <= known, (key, words - known)


async def test_the_profile_of_the_walk_cannot_decide_or_issue(walker: Walker) -> None:
    for tool in ("decide_approval", "issue_quote", "withdraw_quote"):
        with pytest.raises(ToolError, match="Unknown tool"):
            await walker.call("finance", tool)
