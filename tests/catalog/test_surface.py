"""What a person opens and completes in the catalog."""

import json
from dataclasses import replace
from typing import Any

import pytest
from fastmcp import Client
from mcp.shared.exceptions import MCPError
from mcp.types import PromptReference, ResourceTemplateReference

from servers.profiles import profile_grant
from servers.toolkit.app import Server

CATEGORY = "catalog://categories/{category}"
PRODUCT = "catalog://products/{sku}"
CHECK = PromptReference(type="ref/prompt", name="check_configuration")


async def told(client: Client[Any], uri: str) -> Any:
    (content,) = await client.read_resource(uri)
    return json.loads(content.text)  # type: ignore[union-attr]


async def completed(
    client: Client[Any], uri: str, name: str, value: str, **known: str
) -> list[str]:
    reference = ResourceTemplateReference(type="ref/resource", uri=uri)
    found = await client.complete(reference, {"name": name, "value": value}, known or None)
    assert len(found.values) == min(100, found.total or 0)
    return list(found.values)


async def test_the_catalog_can_be_opened_from_its_categories_down(client: Client[Any]) -> None:
    rows = (await told(client, "catalog://categories"))["items"]
    assert {"switches", "servers", "cameras"} <= {row["category"] for row in rows}
    sheet = await told(client, "catalog://categories/switches")
    counted = {row["category"]: row["products"] for row in rows}
    assert len(sheet["products"]) == counted["switches"]
    assert sheet["left_out"] == 0
    sku = sheet["products"][0]["sku"]
    assert (await told(client, f"catalog://products/{sku}"))["family"] == "switches"
    for uri in ("catalog://categories/toys", "catalog://products/SW-NONE"):
        with pytest.raises(MCPError, match=r"^Resource not found"):
            await client.read_resource(uri)


async def test_the_ways_to_ship_can_be_opened(client: Client[Any]) -> None:
    sheet = await told(client, "catalog://shipping")
    assert "ROAD-STD" in {row["method"] for row in sheet["methods"]}
    assert "IE" in {country for zone in sheet["zones"].values() for country in zone}
    assert sheet["other_countries"]


async def test_skus_categories_and_countries_are_completed(client: Client[Any]) -> None:
    assert await completed(client, PRODUCT, "sku", "swp16") == ["SW-P16-240", "SW-P16-240-W"]
    named = await completed(client, PRODUCT, "sku", "CAMERA")
    assert named
    assert all(sku.startswith("CAM") for sku in named[:1])
    assert await completed(client, CATEGORY, "category", "Swit") == ["switches"]
    assert len(await completed(client, PRODUCT, "sku", "")) == 100
    argument = {"name": "ship_to_country", "value": "irel"}
    assert (await client.complete(CHECK, argument)).values == ["IE", "GB"]
    every = await client.complete(CHECK, {"name": "ship_to_country", "value": ""})
    assert len(every.values) == 100
    assert every.has_more
    assert (every.total or 0) > 200
    by_code = await client.complete(CHECK, {"name": "ship_to_country", "value": "de"})
    assert by_code.values[0] == "DE"


async def test_completions_keep_to_what_a_grant_binds(app: Server) -> None:
    grant = profile_grant("catalog", "read")
    bind = {"sku": ("SW-P8-120",), "ship_to_country": ("IE",), "category": ("switches",)}
    async with Client(app.view(replace(grant, bind=bind), output_schemas=False)) as client:
        assert await completed(client, PRODUCT, "sku", "") == ["SW-P8-120"]
        assert await completed(client, CATEGORY, "category", "") == ["switches"]
        countries = await client.complete(CHECK, {"name": "ship_to_country", "value": ""})
        assert countries.values == ["IE"]
        assert countries.total == 1
        with pytest.raises(MCPError, match=r"^Resource not found"):
            await client.read_resource("catalog://products/SW-P16-240")
