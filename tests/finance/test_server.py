"""The finance server as clients meet it: what is listed, what leaks, what is out of reach."""

import json
from typing import Any

import pytest
from fastmcp import Client
from fastmcp.exceptions import ToolError
from finance_support import asking, by, call, drafted, everyone, line
from mcp.shared.exceptions import MCPError
from mcp.types import PromptReference, ResourceTemplateReference
from sqlalchemy import text

from servers.finance.documents import CustomerQuote, QuoteDocument
from servers.finance.facts.blocks import Allowance, FreightBlock, QuoteLine
from servers.finance.server import open_server
from servers.profiles import components, persons, profile_grant
from servers.toolkit.app import Server
from servers.toolkit.database import Database

AGENT = everyone()
CANARY = 7_777_777
"""A cost in micro units that no other number of the test contains."""


async def test_every_component_is_in_a_profile_or_a_persons(app: Server) -> None:
    provider = app.local_provider
    live = {tool.name for tool in await provider.list_tools()}
    live |= {str(one.uri) for one in await provider.list_resources()}
    live |= {one.uri_template for one in await provider.list_resource_templates()}
    live |= {one.name for one in await provider.list_prompts()}
    assert live == components("finance", "admin") | persons("finance")


async def test_tools_say_what_they_are(app: Server) -> None:
    async with Client(app.view(by("per_ingrid"))) as client:
        tools = {tool.name: tool for tool in await client.list_tools()}
    assert set(tools) == {
        *("price_quote", "guide_price", "what_if", "explain_price", "check_credit", "screen_party"),
        *("select_terms", "create_quote", "request_approval", "get_quote", "list_quotes"),
        *("render_quote", "decide_approval", "issue_quote", "withdraw_quote"),
        *("diff_quotes", "revise_quote", "accept_quote", "supersede_quote", "review_screening"),
        *("explain_quote", "get_balance", "price_prospect"),
    }
    for tool in tools.values():
        assert tool.description
        assert len(tool.description) <= 1024
        assert tool.output_schema is not None
        assert tool.output_schema["type"] == "object"
        hints = tool.annotations
        assert hints is not None
        assert None not in (hints.read_only_hint, hints.destructive_hint, hints.open_world_hint)
    for name in ("price_quote", "create_quote"):
        properties = set(tools[name].input_schema["properties"])
        assert not properties & {"price", "unit_price", "cost", "tax", "total_minor", "text"}


def numbers(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


async def test_neither_cost_nor_margin_ever_reaches_an_agent_or_a_customer(
    app: Server, database: Database
) -> None:
    with database.write() as session:
        session.execute(text("UPDATE item SET cost = :c"), {"c": CANARY * 1000})
    cost = CANARY * 1000 * 12 // 10_000  # what twelve pieces cost, in cents
    draft = await drafted(app, discount_bp=100)
    margin = (await call(app, by("per_ingrid"), "get_quote", {"quote_id": draft["quote_id"]}))[
        "margin"
    ]
    assert margin["cost_minor"] == cost
    secrets = {str(margin[name]) for name in ("cost_minor", "margin_bp", "hardware_margin_bp")}
    secrets |= {str(CANARY), "7777.777"}
    seen = [
        numbers(await call(app, AGENT, tool, asking(discount_bp=100), ""))
        for tool in ("price_quote", "explain_price")
    ]
    seen.append(numbers(await call(app, AGENT, "what_if", asking(change_discount_bp=200))))
    seen.append(numbers(draft))
    nobody = by("per_stranger")
    for grant in (AGENT, everyone(agent="engine"), profile_grant("finance", "admin"), nobody):
        for view in ("internal", "customer"):
            arguments = {"quote_id": draft["quote_id"], "view": view}
            seen.append(numbers(await call(app, grant, "get_quote", arguments)))
            for form in ("html", "markdown", "json"):
                shown = await call(app, grant, "render_quote", {**arguments, "format": form})
                seen.append(shown["text"])
    for view in ("html", "markdown", "json"):
        arguments = {"quote_id": draft["quote_id"], "view": "customer", "format": view}
        seen.append((await call(app, by("per_ingrid"), "render_quote", arguments))["text"])
    for one in seen:
        assert not any(secret in one for secret in secrets)


def fields(model: Any) -> set[str]:
    return set(json.dumps(model.model_json_schema(mode="serialization")).replace('"', " ").split())


def test_the_customers_type_has_no_place_for_what_is_ours() -> None:
    ours = {
        *("margin", "cost", "cost_minor", "margin_bp", "findings", "approvals", "trace"),
        *("approvals_needed", "claims", "warnings", "generated_by", "auto_issue", "created_by"),
        *("requested_by", "price_book", "list_unit_price", "contract_id", "digest"),
    }
    assert not fields(CustomerQuote) & ours
    assert fields(QuoteDocument) >= {"margin", "findings", "approvals", "trace"}
    for model in (CustomerQuote, QuoteLine, FreightBlock, Allowance):
        assert model.model_config["extra"] == "forbid"


async def test_the_customer_view_is_the_same_quote(app: Server) -> None:
    draft = await drafted(app, claims=["bank"], warnings=["LEAD_TIME"])
    arguments = {"quote_id": draft["quote_id"], "view": "customer"}
    shown = CustomerQuote.model_validate(await call(app, AGENT, "get_quote", arguments))
    assert shown.totals.total_minor == draft["total_minor"]
    assert "LEAD_TIME" not in shown.model_dump_json()
    assert "CLAIM" not in shown.model_dump_json()


async def test_a_quote_is_rendered_in_every_format(app: Server) -> None:
    draft = await drafted(app)
    for view in ("customer", "internal"):
        for form in ("html", "markdown", "json"):
            arguments = {"quote_id": draft["quote_id"], "format": form, "view": view}
            shown = await call(app, AGENT, "render_quote", arguments)
            assert "Bergwald Holz GmbH" in shown["text"]
            assert (shown["format"], shown["view"], shown["number"]) == (form, view, None)


async def test_a_hostile_name_stays_data(app: Server) -> None:
    hostile = await drafted(
        app, account_id="acc_014", ship_to_address_id="adr_043", opportunity_id="opp_914"
    )
    assert hostile["auto_issue"] is True
    assert "SYSTEM" not in json.dumps(hostile)
    arguments = {"quote_id": hostile["quote_id"]}
    async with Client(app.view(AGENT)) as client:
        result = await client.call_tool("get_quote", arguments)
        assert "SYSTEM" in json.dumps(result.structured_content)
        assert (result.meta or {})["ifc"]["integrity"] == "untrusted"
        screened = await client.call_tool("screen_party", {"account_id": "acc_014"})
        assert "SYSTEM" not in json.dumps(screened.structured_content)


async def test_a_grant_reaches_its_own_account_and_opportunity_only(app: Server) -> None:
    mine = await drafted(app)
    theirs = await drafted(
        app, account_id="acc_001", ship_to_address_id="adr_003", opportunity_id="opp_901"
    )
    bound = everyone(bind={"account_id": ("acc_008",)})
    listed = await call(app, bound, "list_quotes", {"account_id": "acc_008"})
    assert [row["quote_id"] for row in listed["items"]] == [mine["quote_id"]]
    dealt = everyone(bind={"opportunity_id": ("opp_900",)})
    listed = await call(app, dealt, "list_quotes", {"opportunity_id": "opp_900"})
    assert (listed["total"], listed["next_cursor"]) == (1, None)
    for grant in (bound, dealt):
        await call(app, grant, "get_quote", {"quote_id": mine["quote_id"]})
        for tool in ("get_quote", "request_approval"):
            with pytest.raises(ToolError, match="NOT_FOUND"):
                await call(app, grant, tool, {"quote_id": theirs["quote_id"]})
    with pytest.raises(ToolError, match="NOT_FOUND"):
        await call(app, bound, "price_quote", asking(account_id="acc_001"))
    arguments = {"quote_id": theirs["quote_id"], "digest": theirs["digest"]}
    with pytest.raises(ToolError, match="NOT_FOUND"):
        await call(app, bound, "issue_quote", arguments)


async def test_a_person_bound_to_one_account_decides_nothing_of_another(app: Server) -> None:
    draft = await drafted(app, discount_bp=1000)
    asked = await call(app, AGENT, "request_approval", {"quote_id": draft["quote_id"]})
    arguments = {"approval_id": asked["approvals"][0]["approval_id"], "decision": "approve"}
    elsewhere = by("per_tomas", bind={"account_id": ("acc_001",)})
    with pytest.raises(ToolError, match="NOT_FOUND: no approval"):
        await call(app, elsewhere, "decide_approval", arguments)


async def test_quotes_are_listed_in_pages_newest_first(app: Server) -> None:
    made = [(await drafted(app, opportunity_id=f"opp_{n}"))["quote_id"] for n in range(5)]
    seen, cursor = [], ""
    while cursor is not None:
        page = await call(app, AGENT, "list_quotes", {"limit": 2, "cursor": cursor})
        assert page["total"] == 5
        seen += [row["quote_id"] for row in page["items"]]
        cursor = page["next_cursor"]
    assert sorted(seen) == sorted(made)
    issued = await call(app, AGENT, "list_quotes", {"status": "issued"})
    assert issued == {"items": [], "total": 0, "next_cursor": None}


async def test_what_if_prices_one_change_beside_the_price_without_it(app: Server) -> None:
    base = asking()
    more = await call(app, AGENT, "what_if", {**base, "change_line": "l1", "change_quantity": 25})
    assert more["after"]["lines"][0]["allowances"][0]["percent"] == "8"
    assert more["difference_minor"] == more["after_total_minor"] - more["before_total_minor"] > 0
    less = await call(app, AGENT, "what_if", {**base, "change_discount_bp": 300})
    assert less["difference_minor"] < 0
    then = await call(app, AGENT, "what_if", {**base, "change_order_date": "2025-01-01"})
    assert (then["after_total_minor"], then["difference_minor"]) == (None, None)
    for wrong in ({}, {"change_line": "l1"}, {"change_line": "l9", "change_quantity": 2}):
        with pytest.raises(ToolError, match="INVALID_INPUT"):
            await call(app, AGENT, "what_if", {**base, **wrong})


async def test_explain_price_names_rules_rows_and_losers(app: Server) -> None:
    answer = await call(app, AGENT, "explain_price", asking(line_id="l1"))
    assert [one["step"] for one in answer["steps"]] == ["list", "gross", "tier", "round", "tax"]
    assert all(one["rule_id"] for one in answer["steps"])


async def test_credit_screening_and_terms(app: Server) -> None:
    amount = {"account_id": "acc_001", "currency": "EUR"}
    clear = await call(app, AGENT, "check_credit", {**amount, "amount_minor": 100})
    assert (clear["verdict"], clear["limit_minor"]) == ("clear", 4_000_000)
    above = await call(app, AGENT, "check_credit", {**amount, "amount_minor": 4_000_001})
    assert (above["verdict"], above["findings"][0]["code"]) == ("needs_human", "CREDIT_LIMIT")
    screened = await call(app, AGENT, "screen_party", {"account_id": "acc_001"})
    assert (screened["verdict"], screened["findings"]) == ("clear", [])
    arguments = {
        "account_id": "acc_008",
        "lines": [line("l1", "SUB-AN-ADV", 5, unit="license")],
        "ship_to_address_id": "adr_024",
        "total_minor": 60_000,
        "currency": "EUR",
        "payment_terms_asked": "NET60",
    }
    terms = await call(app, AGENT, "select_terms", arguments)
    assert terms["payment_terms"] == "NET30"
    assert [found["code"] for found in terms["findings"]] == ["PAYMENT_TERMS_ASKED"]
    assert "CL-DPA" in terms["clause_ids"]
    assert terms["reasons"]["CL-DPA"] == "flags: personal_data"


async def test_a_customer_on_hold_needs_finance(app: Server) -> None:
    draft = await drafted(app, account_id="acc_015", ship_to_address_id="adr_046")
    assert {found["code"] for found in draft["findings"]} == {"CREDIT_HOLD"}
    assert draft["auto_issue"] is False


@pytest.mark.parametrize(
    "change",
    [
        {"discount_bp": -1},
        {"discount_bp": 10_001},
        {"promo_codes": ["x'; DROP TABLE quote"]},
        {"lines": []},
        {"lines": [line("l1", "SW-P8-120", 0)]},
        {"lines": [line("l1", "SW-P8-120", 100_001)]},
        {"lines": [line("l1", "SW-P8-120", 1, unit_price="0.01")]},
        {"currency": "eur"},
        {"order_date": "next week"},
        {"price": "1"},
    ],
)
async def test_arguments_are_bounded_and_no_price_is_one(
    app: Server, change: dict[str, Any]
) -> None:
    with pytest.raises(ToolError, match="INVALID_INPUT"):
        await call(app, AGENT, "price_quote", {**asking(), **change})


async def test_resource_prompt_and_completion(app: Server) -> None:
    draft = await drafted(app)
    quote_id, uri = draft["quote_id"], "finance://quotes/{quote_id}"
    grant = everyone(resources=frozenset({uri}), prompts=frozenset({"explain_quote"}))
    async with Client(app.view(grant)) as client:
        (content,) = await client.read_resource(f"finance://quotes/{quote_id}")
        said = json.loads(content.text)  # type: ignore[union-attr]
        assert (said["quote_id"], said["margin"]) == (quote_id, None)
        prompt = await client.get_prompt("explain_quote", {"quote_id": quote_id})
        assert quote_id in str(prompt.messages[0].content)
        for reference in (
            ResourceTemplateReference(type="ref/resource", uri=uri),
            PromptReference(type="ref/prompt", name="explain_quote"),
        ):
            argument = {"name": "quote_id", "value": "q_"}
            assert (await client.complete(reference, argument)).values == [quote_id]
    bound = everyone(resources=frozenset({uri}), bind={"account_id": ("acc_001",)})
    async with Client(app.view(bound)) as client:
        with pytest.raises(MCPError):
            await client.read_resource(f"finance://quotes/{quote_id}")
        reference = ResourceTemplateReference(type="ref/resource", uri=uri)
        argument = {"name": "quote_id", "value": ""}
        assert (await client.complete(reference, argument)).values == []


def test_opening_a_new_database_fills_it_once(tmp_path: Any) -> None:
    app, loaded = open_server(str(tmp_path / "finance.db"))
    app.database.close()
    assert loaded["customers"] >= 15
    again, loaded = open_server(str(tmp_path / "finance.db"))
    again.database.close()
    assert loaded == {}


async def test_a_prospect_is_charged_what_anybody_is_and_no_contract_of_a_customer(
    app: Server,
) -> None:
    order = asking(account_id="acc_002", ship_to_address_id="adr_005")
    asked = {name: order[name] for name in ("lines", "ship_method", "order_date")}
    asked |= {"country": "DE", "currency": "EUR"}
    priced = await call(app, AGENT, "price_prospect", asked)
    (line,) = priced["lines"]
    assert (line["net_minor"], line["contract_id"]) == (443_460, None)
    assert priced["totals"]["net_minor"] > 443_460, "freight comes on top"
    with pytest.raises(ToolError, match="share a line_id"):
        await call(app, AGENT, "price_prospect", {**asked, "lines": asked["lines"] * 2})
