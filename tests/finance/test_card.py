"""The quote card as a client finds it; `tests/interop/test_card.py` looks at it in a browser."""

import base64
import hashlib
import json
import re
from typing import Any

import pytest
from fastmcp import Client
from finance_support import call, drafted, everyone
from mcp.shared.exceptions import MCPError

from servers.finance.card import CARD, MIME, REACHES_NOTHING, page
from servers.profiles import profile_grant
from servers.toolkit.app import Server, create_app, finish
from servers.toolkit.database import Database
from servers.toolkit.declare import UndeclaredComponentError, reads
from servers.toolkit.money import exponent

SHOWN = {"get_quote", "create_quote", "request_approval", "issue_quote"}


async def cards(app: Server, **changes: Any) -> dict[str, Any]:
    """What each listed tool says about how to show it."""
    async with Client(app.view(everyone(**changes)), mode="2026-07-28") as client:
        return {tool.name: (tool.meta or {}).get("ui") for tool in await client.list_tools()}


async def test_a_reader_finds_the_card_and_the_page(app: Server) -> None:
    async with Client(app.view(profile_grant("finance", "read")), mode="2026-07-28") as client:
        tools = {tool.name: tool for tool in await client.list_tools()}
        assert tools["get_quote"].meta["ui"] == {"resourceUri": CARD}
        (listed,) = [one for one in await client.list_resources() if str(one.uri) == CARD]
        assert (listed.mime_type, listed.title) == (MIME, "Quote card")
        assert listed.meta["ui"]["csp"] == REACHES_NOTHING
        (read,) = await client.read_resource(CARD)
        assert (read.mime_type, read.text) == (MIME, page())
        assert read.meta["ui"] == {"csp": REACHES_NOTHING, "prefersBorder": True}


async def test_the_tools_about_one_quote_name_the_card(app: Server) -> None:
    found = await cards(app, resources=frozenset({CARD}))
    assert {name for name, ui in found.items() if ui} == SHOWN
    assert all(found[name] == {"resourceUri": CARD} for name in SHOWN)


async def test_without_the_grant_there_is_no_card(app: Server) -> None:
    assert not any((await cards(app)).values())  # no tool names a page that it may not read
    async with Client(app.view(everyone()), mode="2026-07-28") as client:
        assert await client.list_resources() == []
        with pytest.raises(MCPError) as refused:
            await client.read_resource(CARD)
        with pytest.raises(MCPError) as unknown:
            await client.read_resource("ui://finance/other.html")
    assert refused.value.error.code == unknown.value.error.code == -32602
    assert str(refused.value).replace(CARD, "X") == str(unknown.value).replace(
        "ui://finance/other.html", "X"
    )


async def test_hiding_the_card_from_one_leaves_it_to_others(app: Server) -> None:
    assert (await cards(app))["get_quote"] is None
    assert (await cards(app, resources=frozenset({CARD})))["get_quote"] == {"resourceUri": CARD}


async def test_a_host_without_cards_gets_the_same_in_text(app: Server) -> None:
    draft = await drafted(app)
    async with Client(app.view(everyone()), mode="2026-07-28") as client:
        result = await client.call_tool("get_quote", {"quote_id": draft["quote_id"]})
    assert json.loads(result.content[0].text) == result.structured_content


async def test_the_customer_view_has_no_inside_to_show(app: Server) -> None:
    draft = await drafted(app, discount_bp=1000)
    asked = {"quote_id": draft["quote_id"], "view": "customer"}
    shown = await call(app, everyone(), "get_quote", asked)
    assert shown["view"] == "customer"
    assert not {"findings", "approvals", "approvals_needed", "trace", "margin"} & set(shown)


def test_a_tool_cannot_name_a_page_that_is_not_there(database: Database) -> None:
    app = create_app("finance", database, instructions="", version="0")

    @app.tool(**reads("Get it", rows="public", card="ui://finance/gone.html"))
    def get_it() -> dict[str, str]:
        """Get what the missing page would show."""
        return {}

    with pytest.raises(UndeclaredComponentError, match=r"no page ui://finance/gone\.html"):
        finish(app)


def test_the_page_loads_nothing() -> None:
    text = page()
    assert not re.search(r"https?:|//[a-z0-9.-]+\.[a-z]{2}|@import|url\(|\bimport\b", text)
    assert not re.search(r"<(link|img|iframe|object|embed|base|form)\b|<script[^>]+src", text)
    assert not re.search(r"\b(fetch|XMLHttpRequest|WebSocket|EventSource|sendBeacon)\b", text)
    assert not re.search(r"\b(localStorage|sessionStorage|indexedDB|cookie)\b", text)
    assert len(text.encode()) < 48_000


def test_the_page_makes_no_markup_from_text() -> None:
    bad = r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|Function\(|\bon[a-z]+="
    assert not re.search(bad, page())
    assert not re.search(r"\{(csp|style|given|view|bridge)\}", page())  # every part is in


def test_its_policy_allows_exactly_its_own_parts() -> None:
    text = page()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy is not None
    said = dict(part.split(" ", 1) for part in policy[1].split("; "))
    parts = {
        "style-src": re.findall(r"<style>(.*?)</style>", text, re.DOTALL),
        "script-src": re.findall(r"<script>(.*?)</script>", text, re.DOTALL),
    }
    assert [len(found) for found in parts.values()] == [1, 2]
    for name, found in parts.items():
        sums = [base64.b64encode(hashlib.sha256(one.encode()).digest()) for one in found]
        assert said.pop(name).split() == [f"'sha256-{one.decode()}'" for one in sums]
    assert said == {"default-src": "'none'", "base-uri": "'none'", "form-action": "'none'"}


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_its_words_stand_out_in_light_and_dark() -> None:
    pairs = re.findall(r"--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", page())
    colours = {name: values for name, *values in pairs}
    grounds = [f"color-background-{which}" for which in ("primary", "secondary")]
    texts = ("color-text-primary", "color-text-secondary", "accent", "good", "care", "bad")
    for text in texts:
        for ground in grounds:
            for one, other in zip(colours[text], colours[ground], strict=True):
                low, high = sorted((luminance(one), luminance(other)))
                assert (high + 0.05) / (low + 0.05) >= 4.5, (text, ground)  # WCAG 2.2, AA


def test_it_shows_amounts_with_the_digits_that_finance_rounds_to() -> None:
    given = re.search(r'id="given">(.*?)</script>', page())
    assert given is not None
    digits = json.loads(given[1])["digits"]
    assert (digits["EUR"], digits["JPY"], digits["KWD"], digits["RSD"]) == (2, 0, 3, 2)
    assert all(exponent(currency) == count for currency, count in digits.items())


def test_it_has_no_way_to_decide() -> None:
    """Law 6: it sends the handshake and its size, and calls no tool."""
    sent = set(re.findall(r'method: "([^"]+)"', page()))
    assert sent == {
        "ui/initialize",
        "ui/notifications/initialized",
        "ui/notifications/size-changed",
    }
