"""What a desktop client's own model does with an email: prompts and tools, nothing else.

No model runs here: the two things a model would bring (which words of the mail are the needs, and
what the person at the desk asked for) are given, and checked against what the servers said. Every
other argument is taken from an earlier answer, as the prompt tells it to be.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mcp import Client

MAIL = "niamh.alder@alderfinch.example"
TOPIC = "switches"
NEEDS = (
    (12, "8-port PoE+ switch, DIN rail (SW-P8-120)"),
    (3, "16-port PoE+ switch, DIN rail (SW-P16-240)"),
)
ORDER_DATE = "2026-11-23"
DISCOUNT_BP = 800


@dataclass
class Desk:
    """The clients of the three servers, and what was asked and answered."""

    clients: Mapping[str, Client]
    lines: list[str] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def prompt(self, server: str, name: str, **arguments: str) -> str:
        """Get a prompt; its text is what the host hands to its model."""
        got = await self.clients[server].get_prompt(name, arguments)
        text = "\n".join(message.content.text for message in got.messages)
        self.asked.append((server, name))
        self.lines.append(f"**{server}** prompt `{name}` {_shown(arguments)}\n")
        return text

    async def call(self, server: str, name: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool, and see that its text and its structured content say the same."""
        result = await self.clients[server].call_tool(name, arguments)
        text = result.content[0].text
        assert not result.is_error, f"{name}: {text}"
        assert json.loads(text) == result.structured_content
        self.asked.append((server, name))
        self.lines.append(
            f"**{server}** `{name}` {_shown(arguments)}\n  → {_shown(result.structured_content)}\n"
        )
        return dict(result.structured_content)

    def say(self, text: str) -> None:
        """Put what the person at the desk says between the calls."""
        self.lines.append(f"{text}\n")

    def transcript(self) -> str:
        """Return every call, numbered; ids and digests that differ each time are dots."""
        numbered = "\n".join(f"{n}. {line}" for n, line in enumerate(self.lines, 1))
        numbered = re.sub(r"\b(q|apr)_[0-9a-z]{6,}", r"\1_…", numbered)
        numbered = re.sub(r'("(?:requested|expires)_at": )"[^"]*"', r'\1"…"', numbered)
        numbered = re.sub(r'(_statement": ")[^"`]*', r"\1…", numbered)
        numbered = re.sub(r"\b[0-9a-f]{8}(\.[\w+]+)\.[\w-]{22}", r"…\1.…", numbered)
        return re.sub(r"\b[0-9a-f]{64}\b", "…", numbered)


async def walk(desk: Desk) -> tuple[dict[str, Any], dict[str, Any]]:
    """Go from an email to a draft, then to a revision that waits for a person.

    Returns:
        The draft as finance stores it, and what finance said when approval was asked for.
    """
    account_id, opportunity_id = await _find(desk)
    told = await desk.prompt("crm", "prepare_quote", opportunity_id=opportunity_id)
    assert opportunity_id in told
    said = {"crm_statement": await _read(desk, opportunity_id)}
    contact_id, address = await _whom(desk, account_id)
    lines, ship_method, said["catalog_statement"] = await _choose(desk, address["country"])
    priced = {
        "account_id": account_id,
        "lines": lines,
        "ship_to_address_id": address["address_id"],
        "ship_method": ship_method,
        "order_date": ORDER_DATE,
    }
    price = await desk.call("finance", "price_quote", **priced)
    total, currency = price["totals"]["total_minor"], price["currency"]
    terms = await desk.call(
        "finance",
        "select_terms",
        account_id=account_id,
        lines=lines,
        ship_to_address_id=address["address_id"],
        total_minor=total,
        currency=currency,
    )
    for check in (
        {"name": "check_credit", "amount_minor": total, "currency": currency},
        {"name": "screen_party"},
    ):
        name = str(check.pop("name"))
        verdict = await desk.call("finance", name, account_id=account_id, **check)
        assert verdict["verdict"] == "clear"
    kept = {
        "opportunity_id": opportunity_id,
        "contact_id": contact_id,
        "payment_terms": terms["payment_terms"],
        "clause_ids": terms["clause_ids"],
        **said,
    }
    draft = await desk.call("finance", "create_quote", **priced, **kept)
    explained = await desk.prompt("finance", "explain_quote", quote_id=draft["quote_id"])
    assert draft["quote_id"] in explained
    quote = await desk.call("finance", "get_quote", quote_id=draft["quote_id"])

    desk.say('Lena reads it and says: *"Give them eight per cent."* That is over her limit.')
    better = {**priced, "discount_bp": DISCOUNT_BP}
    cheaper = await desk.call("finance", "price_quote", **better)
    assert cheaper["totals"]["total_minor"] < total
    revised = await desk.call(
        "finance", "create_quote", **better, **kept, revises=quote["quote_id"]
    )
    waiting = await desk.call("finance", "request_approval", quote_id=revised["quote_id"])
    return quote, waiting


async def _find(desk: Desk) -> tuple[str, str]:
    """From the sender of the mail to the deal."""
    account = await desk.call("crm", "resolve_account", text=MAIL)
    found = await desk.call(
        "crm", "search_opportunities", query=TOPIC, account_id=account["resolved"]
    )
    assert found["total"] == 1, "two that fit alike are a question to the person"
    return account["resolved"], found["items"][0]["opportunity_id"]


async def _read(desk: Desk, opportunity_id: str) -> str:
    """Read the story, in which the needs stand word for word; return the CRM's statement."""
    ready = await desk.call("crm", "quote_readiness", opportunity_id=opportunity_id)
    assert ready["verdict"] == "quote"
    await desk.call("crm", "get_opportunity", opportunity_id=opportunity_id)
    story = await desk.call("crm", "list_activities", opportunity_id=opportunity_id)
    texts = []
    for item in story["items"]:
        message = await desk.call(
            "crm", "read_message", opportunity_id=opportunity_id, activity_id=item["activity_id"]
        )
        texts.append(message["text"])
    for quantity, phrase in NEEDS:
        assert any(f"{quantity} x {phrase}" in text for text in texts)
    return str(ready["statement"])


async def _whom(desk: Desk, account_id: str) -> tuple[str, dict[str, Any]]:
    contacts = await desk.call("crm", "list_contacts", account_id=account_id)
    (buyer,) = [c for c in contacts["items"] if c["email"] == MAIL]
    addresses = await desk.call("crm", "list_addresses", account_id=account_id)
    (address,) = [a for a in addresses["items"] if a["kind"] == "shipping"]
    return buyer["contact_id"], address


async def _choose(desk: Desk, country: str) -> tuple[list[dict[str, Any]], str, str]:
    lines = []
    for place, (quantity, phrase) in enumerate(NEEDS, 1):
        match = await desk.call("catalog", "match_need", phrase=phrase, quantity=quantity)
        lines.append({"line_id": f"l{place}", "sku": match["resolved"], "quantity": quantity})
    where = {"ship_to_country": country, "order_date": ORDER_DATE}
    checked = await desk.call("catalog", "check_configuration", lines=lines, **where)
    assert checked["ok"]
    missing = await desk.call("catalog", "complete_configuration", lines=lines, **where)
    assert missing["additions"] == []
    await desk.call("catalog", "check_availability", lines=lines, order_date=ORDER_DATE)
    ways = await desk.call("catalog", "shipping_options", lines=lines, ship_to_country=country)
    return lines, ways["recommended"], str(checked["statement"])


def _shown(value: Any) -> str:
    """Return JSON as a reader wants it: long strings and lists are cut."""

    def cut(part: Any) -> Any:
        if isinstance(part, str):
            return part if len(part) <= 70 else part[:67] + "…"
        if isinstance(part, list):
            return [cut(item) for item in part[:3]] + (["…"] if len(part) > 3 else [])
        if isinstance(part, Mapping):
            kept = {key: item for key, item in part.items() if item not in (None, [], "")}
            return {key: item if key == "say" else cut(item) for key, item in kept.items()}
        return part

    text = json.dumps(cut(value), ensure_ascii=False)
    most = 1200 if '"say"' in text else 400  # what a quote waits for is shown whole
    return f"`{text if len(text) <= most else text[: most - 1] + '…'}`"
