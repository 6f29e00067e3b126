"""`dealdesk quote show`: a quote in the terminal, its lines in words."""

from collections.abc import Iterator, Mapping
from typing import Any

from dealdesk.cli.options import Home, Json, QuoteId, View
from dealdesk.cli.output import clean, describe, money, print_json, say, table
from dealdesk.cli.session import looking

COLUMNS = ("line", "sku", "quantity", "unit price", "net", "what")
RIGHT = (2, 3, 4)
_UNITS = {
    "box": ("box", "boxes"),
    "license": ("licence", "licences"),
    "hour": ("hour", "hours"),
    "day": ("day", "days"),
    "month": ("month", "months"),
}
_CHANGES = {"amend": "adds to", "renew": "renews"}


async def show_quote(
    quote_id: QuoteId, /, *, view: View = "internal", home: Home = None, json: Json = False
) -> None:
    """Show a quote in the terminal."""
    async with looking(home) as desk:
        asked = {"quote_id": await desk.quote_id(quote_id), "view": view, "whole": True}
        found = await desk.look("finance", "get_quote", asked)
    if json:
        print_json(found)
    else:
        print_quote(found)


def print_quote(quote: Mapping[str, Any]) -> None:
    currency = quote["currency"]
    name = quote.get("number") or quote.get("quote_id") or "draft"
    customer = quote.get("customer", {})
    say(f"{name}  revision {quote.get('revision', 1)}  {quote.get('status', '')}")
    say(f"{customer.get('legal_name', '')}  {customer.get('country', '')}")
    table(COLUMNS, line_rows(quote), right=RIGHT)
    totals = quote["totals"]
    for label, key in (("net", "net_minor"), ("tax", "tax_minor"), ("total", "total_minor")):
        if totals.get(key) is not None:
            say(f"  {label:<6} {money(totals[key], currency)}")
    if totals.get("rounding_minor"):
        say(f"  to pay {money(totals['payable_minor'], currency)}, in coins there are")
    if runs := quote.get("recurring"):
        parts = [money(runs[f"{name}_minor"], currency) for name in ("monthly", "contract")]
        once = money(runs["one_time_minor"], currency)
        say(f"  of it subscriptions: {parts[0]} a month, {parts[1]} over their terms; once {once}")
    for finding in quote.get("findings", ()):
        say(f"  ! {describe(finding)}")
    for approval in quote.get("approvals", ()):
        say(f"  approval {approval['approval_id']} {approval['role']}: {approval['status']}")


def line_rows(quote: Mapping[str, Any]) -> list[tuple[object, ...]]:
    """Return a row per line, in the order of `COLUMNS`; what is outside the total has brackets."""
    currency = quote["currency"]
    return [
        (
            line["line_id"],
            line["sku"],
            counted(line["quantity"], str(line.get("unit") or "each")),
            line["unit_price"],
            _net(line, currency),
            "; ".join(about(line)),
        )
        for line in quote["lines"]
    ]


def counted(quantity: int, unit: str) -> str:
    """Return a count as a person says it: 12, 4 boxes, 1 licence."""
    if unit == "each":
        return str(quantity)
    one, many = _UNITS.get(unit, (unit, unit))
    return f"{quantity} {one if quantity == 1 else many}"


def about(line: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a line is beside its product and count, the most telling first."""
    if line.get("free"):
        yield "free of charge"
    if line.get("optional"):
        yield "option"
    if line.get("alternative_of"):
        yield f"instead of {line['alternative_of']}"
    if line.get("part_of"):
        yield f"part of {line['part_of']}"
    if line.get("change"):
        yield f"{_CHANGES[line['change']]} {clean(line['subscription_id'])}"
    if run := _run(line):
        yield run
    if line.get("segment_of"):
        yield f"after {line['segment_of']}"
    if line.get("components"):
        parts = (f"{part['quantity']} x {part['sku']}" for part in line["components"])
        yield f"each with {', '.join(parts)}"
    if line.get("options"):
        yield "with " + ", ".join(clean(one["label"]) for one in line["options"])


def _run(line: Mapping[str, Any]) -> str:
    months, first, last = (line.get(name) for name in ("term_months", "start", "end"))
    said = [f"{months} month{'s' if months != 1 else ''}"] if months else []
    said += [f"from {first}"] if first else []
    said += [f"to {last}"] if last else []
    return " ".join(said)


def _net(line: Mapping[str, Any], currency: str) -> str:
    amount = money(line["net_minor"], currency)
    return f"({amount})" if line.get("optional") or line.get("alternative_of") else amount
