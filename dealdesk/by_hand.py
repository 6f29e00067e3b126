"""A quote by hand: what a person typed becomes ids and lines, and what is unclear a question.

Everything is looked up with the servers' own tools; nothing is guessed. What comes out is what the
workflow `by_hand` is given.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from dealdesk.people import Look
from dealdesk.typed_lines import Typed
from orchestrator.errors import UsageError
from orchestrator.workflows.quote.contracts import Line
from orchestrator.workflows.quote.verify import same_lines

_PHRASE = 120
"""Characters of a phrase that the catalog takes."""


@dataclass(frozen=True)
class Order:
    """What a person asks to be quoted."""

    lines: Sequence[Typed]
    account: str | None = None
    opportunity_id: str | None = None
    ship_to: str | None = None  # an address id, or a country that an address on file is in
    ship_method: str | None = None
    currency: str | None = None
    discount_bp: int = 0
    copied: Sequence[dict[str, Any]] = ()  # lines of an old quote, as the servers take them


@dataclass
class Found:
    """What the workflow is given, or the questions that a person must answer before; and news."""

    given: dict[str, Any] = field(default_factory=dict)
    questions: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


async def find(look: Look, order: Order, day: date) -> Found:
    """Look up the account, its address and contact, and a product for every line."""
    found = Found()
    account_id = await _account(look, order, found)
    lines = [{**line, "reason": "named"} for line in order.copied]
    first = max((int(line["line_id"][1:]) for line in lines), default=0) + 1
    for place, one in enumerate(order.lines, first):
        lines.append(await _line(look, one, place, day, found))
    if account_id is None or found.questions:
        return found
    address = await _address(look, account_id, order.ship_to, found)
    if address is None:
        return found
    contacts = await look("crm", "list_contacts", {"account_id": account_id, "limit": 1})
    found.given = {
        "account_id": account_id,
        "opportunity_id": order.opportunity_id,
        "contact_id": next((one["contact_id"] for one in contacts["items"]), None),
        "ship_to_address_id": address["address_id"],
        "ship_to_country": address["country"],
        "lines": same_lines(Line.model_validate(line) for line in lines),
        "ship_method": order.ship_method,
        "currency": order.currency,
        "discount_bp": order.discount_bp,
    }
    return found


async def _account(look: Look, order: Order, found: Found) -> str | None:
    """Return the account's id; one that a text does not name clearly is asked about."""
    if order.opportunity_id is not None:
        deal = await look("crm", "get_opportunity", {"opportunity_id": order.opportunity_id})
        owner = str(deal["account_id"])
        if order.account is None:
            return owner
    named = order.account or ""
    if re.fullmatch(r"acc_[A-Za-z0-9_-]{1,40}", named):
        account_id = str((await look("crm", "get_account", {"account_id": named}))["account_id"])
    else:
        said = await look("crm", "resolve_account", {"text": named})
        if said["resolved"] is None:
            names = {one["account_id"]: one["name"] for one in said["candidates"]}
            kind = "ambiguous_account" if names else "unknown_account"
            found.questions.append(_question(kind, named, names))
            return None
        account_id = str(said["resolved"])
    if order.opportunity_id is not None and owner != account_id:
        raise UsageError(
            f"{order.opportunity_id} belongs to {owner}, not to {account_id}",
            fix="leave out --account, or name its own deal",
        )
    return account_id


async def _line(look: Look, one: Typed, place: int, day: date, found: Found) -> dict[str, Any]:
    asked = {"phrase": one.words[:_PHRASE], "order_date": day.isoformat()}
    said = await look("catalog", "match_need", asked)
    sku = said["resolved"]
    if sku is None:
        found.notes += [one["message"] for one in said["findings"] if one["code"] == "EOL"]
        names = {row["sku"]: row["name"] for row in said["candidates"]}
        kind = "ambiguous_product" if names else "unknown_product"
        found.questions.append(_question(kind, one.words, names))
        return {}
    found.notes += [finding["message"] for finding in said["findings"]]
    item = {} if one.unit else await look("catalog", "get_product", {"sku": sku})
    return {
        "line_id": f"l{place}",
        "sku": sku,
        "quantity": one.quantity,
        "unit": one.unit or item["base_uom"],
        "term_months": one.term_months,
        "reason": "named",
    }


async def _address(
    look: Look, account_id: str, asked: str | None, found: Found
) -> dict[str, Any] | None:
    """Return the address that was named; else the shipping address, the default before others."""
    page = await look("crm", "list_addresses", {"account_id": account_id, "limit": 100})
    on_file: list[dict[str, Any]] = page["items"]
    fits = [one for one in on_file if asked == one["address_id"]] or [
        one for one in on_file if one["kind"] == "shipping" and asked in (None, one["country"])
    ]
    if not fits:
        where = {one["address_id"]: f"{one['city']}, {one['country']}" for one in on_file}
        found.questions.append(_question("missing_ship_to", asked or account_id, where))
        return None
    return min(fits, key=lambda one: not one["is_default"])


def _question(kind: str, subject: str, names: dict[str, str]) -> dict[str, Any]:
    return {"kind": kind, "subject": subject, "candidates": list(names), "labels": names}


async def price_for_prospect(
    look: Look, order: Order, country: str, day: date
) -> tuple[Found, dict[str, Any]]:
    """Return what lines cost a company that is no customer, or why they may not be sold there.

    It is no offer, and nothing is stored.
    """
    found = Found()
    lines = [await _line(look, one, place, day, found) for place, one in enumerate(order.lines, 1)]
    if found.questions:
        return found, {}
    asked: dict[str, Any] = {"lines": same_lines(Line.model_validate(line) for line in lines)}
    there = {**asked, "ship_to_country": country, "order_date": day.isoformat()}
    checked = await look("catalog", "check_configuration", there)
    if not checked["ok"]:
        reason = "blocked by the catalog's rules"
        return found, {"outcome": "blocked", "reason": reason, "findings": checked["findings"]}
    ways = await look("catalog", "shipping_options", {**asked, "ship_to_country": country})
    method = order.ship_method or ways["recommended"]
    if method is None:
        raise UsageError(f"no way of shipping these lines to {country}", fix="name one: --method")
    asked |= {"country": country, "ship_method": method, "currency": order.currency}
    priced = await look("finance", "price_prospect", {**asked, "order_date": day.isoformat()})
    findings = checked["findings"] + priced["findings"]
    return found, {"outcome": "prices", **priced, "findings": findings}
