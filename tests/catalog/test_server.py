from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client
from fastmcp.exceptions import ToolError
from mcp.types import ResourceTemplateReference

from servers.catalog.server import open_server
from servers.profiles import components, profile_grant
from servers.toolkit.app import Server
from servers.toolkit.grants import bound_value

ORDER = {"ship_to_country": "IE", "order_date": "2026-11-23"}
SWITCHES = [
    {"line_id": "l1", "sku": "SW-P8-120", "quantity": 12},
    {"line_id": "l2", "sku": "SW-P16-240", "quantity": 3},
]


async def call(client: Client[Any], tool: str, **arguments: Any) -> dict[str, Any]:
    return dict((await client.call_tool(tool, arguments)).structured_content or {})


async def test_the_profile_shows_every_component(client: Client[Any]) -> None:
    shown = {tool.name for tool in await client.list_tools()}
    shown |= {item.uri_template for item in await client.list_resource_templates()}
    shown |= {str(item.uri) for item in await client.list_resources()}
    assert shown == components("catalog", "read")
    assert [p.name for p in await client.list_prompts()] == ["check_configuration"]


async def test_every_tool_reads_only_and_is_trusted(client: Client[Any]) -> None:
    for tool in await client.list_tools():
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint
        assert tool.description
        assert len(tool.description) <= 1024
    result = await client.call_tool("get_product", {"sku": "SW-P8-120"})
    assert (result.meta or {})["ifc"] == {"integrity": "trusted", "confidentiality": "public"}


async def test_no_result_speaks_of_money(client: Client[Any]) -> None:
    for tool in await client.list_tools():
        text = str(tool.output_schema).lower()
        assert not any(word in text for word in ("price", "cost", "currency", "_minor"))


async def test_the_story_of_the_switches(client: Client[Any]) -> None:
    for phrase, sku in (("8-port PoE+ switches", "SW-P8-120"), ("16-port PoE", "SW-P16-240")):
        assert (await call(client, "match_need", phrase=phrase))["resolved"] == sku
    checked = await call(client, "check_configuration", lines=SWITCHES, **ORDER)
    assert (checked["ok"], checked["findings"]) == (True, [])
    completed = await call(client, "complete_configuration", lines=SWITCHES, **ORDER)
    assert completed == {"additions": [], "findings": []}
    stock = await call(client, "check_availability", lines=SWITCHES, order_date="2026-11-23")
    assert stock["findings"] == []
    shipping = await call(client, "shipping_options", lines=SWITCHES, ship_to_country="IE")
    assert (shipping["recommended"], shipping["findings"]) == ("ROAD-STD", [])


async def test_optional_arguments_may_be_null(client: Client[Any]) -> None:
    full = [{**line, "unit": "each", "term_months": None, "start": None, "optional": False,
             "alternative_of": None} for line in SWITCHES]  # fmt: skip
    await call(client, "check_availability", lines=full, order_date="2026-11-23", needed_by=None)
    await call(client, "shipping_options", lines=full, ship_to_country="IE", prefer=None)
    short = await call(client, "check_configuration", lines=SWITCHES, **ORDER)
    long = await call(client, "check_configuration", lines=full, **ORDER)
    assert short["lines_digest"] == long["lines_digest"]


async def test_lines_that_are_bound_are_bound(app: Server) -> None:
    grant = replace(
        profile_grant("catalog", "read"),
        id="g_bound",
        bind={"lines": (bound_value(SWITCHES),), "ship_to_country": ("IE",)},
    )
    async with Client(app.view(grant)) as client:
        assert (await call(client, "check_configuration", lines=SWITCHES, **ORDER))["ok"]
        fewer = [{**SWITCHES[0], "quantity": 1}]
        with pytest.raises(ToolError):
            await call(client, "check_configuration", lines=fewer, **ORDER)


async def test_products_are_read_compared_and_replaced(client: Client[Any]) -> None:
    product = await call(client, "get_product", sku="SW-P24-350")
    assert product["successor_sku"] == "SW-P24-370"
    assert product["certificates"][0].startswith("CE ")
    both = await call(client, "compare_products", skus=["VPN-G100", "VPN-G500"])
    first = both["attributes"][0]
    assert first == {
        "attribute": "tunnels",
        "values": {"VPN-G100": 100, "VPN-G500": 500},
        "differs": True,
    }
    stand_ins = await call(
        client, "suggest_substitutes", sku="CAM-X2", order_date="2026-11-23", ship_to_country="FR"
    )
    assert {item["relation"] for item in stand_ins["items"]} == {"similar"}
    battery = await call(
        client,
        "suggest_substitutes",
        sku="RT-E4-LTE",
        order_date="2026-11-23",
        ship_to_country="IR",
    )
    allowed = {item["sku"]: item["allowed"] for item in battery["items"]}
    assert allowed == {"RT-E4-5G": False, "RT-C4-ETH": True}


async def test_errors_say_what_to_do(client: Client[Any]) -> None:
    with pytest.raises(ToolError, match=r"NOT_FOUND: no product 'SW-P9-999'\. Try: .*match_need"):
        await call(client, "get_product", sku="SW-P9-999")
    with pytest.raises(ToolError, match="INVALID_INPUT: "):
        await call(client, "check_configuration", lines=[], **ORDER)
    twice = [SWITCHES[0], SWITCHES[0]]
    with pytest.raises(ToolError, match="INVALID_INPUT: two lines have the same line_id"):
        await call(client, "check_configuration", lines=twice, **ORDER)
    astray = [{**SWITCHES[0], "alternative_of": "l7"}]
    with pytest.raises(ToolError, match="INVALID_INPUT: line l1 is the alternative of 'l7'"):
        await call(client, "check_configuration", lines=astray, **ORDER)
    with pytest.raises(ToolError, match="INVALID_INPUT: the cursor"):
        await call(client, "search_products", query="switch", cursor="nonsense")


async def test_resource_completion_and_prompt(client: Client[Any]) -> None:
    (content,) = await client.read_resource("catalog://products/SW-P8-120")
    assert '"ports":8' in content.text  # type: ignore[union-attr]
    reference = ResourceTemplateReference(type="ref/resource", uri="catalog://products/{sku}")
    found = await client.complete(reference, {"name": "sku", "value": "sw-p16"})
    assert found.values == ["SW-P16-240", "SW-P16-240-W"]
    prompt = await client.get_prompt(
        "check_configuration", {"parts": "2 x SRV-R2-128", "ship_to_country": "NL"}
    )
    assert "2 x SRV-R2-128" in str(prompt.messages[0].content)


def test_opening_fills_a_new_database_once(tmp_path: Path) -> None:
    for expected in (True, False):
        app, loaded = open_server(str(tmp_path / "catalog.db"))
        assert bool(loaded) == expected
        app.database.close()
