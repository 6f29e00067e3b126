"""`dealdesk quote explain|guide`: where its prices come from, and what finance would propose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dealdesk.cli.options import Home, Json, LineId, Person, QuoteId
from dealdesk.cli.output import describe, money, print_json, say, table
from dealdesk.cli.session import deciding, looking

if TYPE_CHECKING:
    from dealdesk.desk import Desk

POINTS = ("floor", "target", "stretch")


async def explain_quote(
    quote_id: QuoteId, line: LineId = None, /, *, home: Home = None, json: Json = False
) -> None:
    """Tell how a quote's numbers came about, step by step.

    It reads what was stored with the quote.
    """
    async with looking(home) as desk:
        quote = await desk.quote(await desk.quote_id(quote_id))
        found = await _explained(desk, quote["quote_id"], line)
    if json:
        print_json(found)
        return
    names = {one["line_id"]: one for one in quote["lines"]}
    for line_id in dict.fromkeys(step["line_id"] for step in found["steps"]):
        say(_heading(quote, names.get(line_id)), style="bold")
        for step in found["steps"]:
            if step["line_id"] == line_id:
                say(f"  {step['said']}")
    if line is None:
        for finding in found["findings"]:
            say(f"  ! {describe(finding)}")


async def guide_quote(
    quote_id: QuoteId,
    line: LineId = None,
    /,
    *,
    person: Person = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Propose floor, target and stretch, to a named person.

    Nothing is set. The floor reveals cost.
    """
    async with deciding(home, person) as desk:
        arguments = {"quote_id": await desk.quote_id(quote_id)}
        if line is not None:
            arguments["line_id"] = line
        found = await desk.look("finance", "guide_price", arguments)
        while found["next_line"] is not None:  # a large quote comes in parts
            more = {**arguments, "from_line": found["next_line"]}
            part = await desk.look("finance", "guide_price", more)
            found = {**part, "lines": [*found["lines"], *part["lines"]]}
    if json:
        print_json(found)
        return
    for one in found["lines"]:
        _print_guidance(one, found["currency"])
    say(f"Band: {found['band']}. {found['notice']}")


async def _explained(desk: Desk, quote_id: str, line: str | None) -> dict[str, Any]:
    """Return the explanation, however many answers it comes in."""
    steps: list[dict[str, Any]] = []
    start: int | None = 1
    found: dict[str, Any] = {}
    while start is not None:
        asked = {"quote_id": quote_id, "from_step": start, **({"line_id": line} if line else {})}
        found = await desk.look("finance", "explain_quote", asked)
        steps += found["steps"]
        start = found["next_from"]
    return {**found, "steps": steps}


def _heading(quote: Mapping[str, Any], line: Mapping[str, Any] | None) -> str:
    name = quote["number"] or quote["quote_id"]
    if line is None:
        return (
            f"{name}: the whole quote, {money(quote['totals']['total_minor'], quote['currency'])}"
        )
    net = money(line["net_minor"], quote["currency"])
    return f"{line['line_id']}  {line['quantity']} x {line['sku']}  {line['name']}: {net}"


def _print_guidance(line: Mapping[str, Any], currency: str) -> None:
    head = f"{line['line_id']}  {line['quantity']} x {line['sku']}"
    offered = line["offered_minor"]
    now = "" if offered is None else f", offered at {money(offered, currency)}"
    listed = money(line["list_minor"], currency)
    say(f"{head}: price list {listed}{now}")
    for name in POINTS:
        point = line[name]
        if point is not None:
            say(f"  {name:<8}{money(point['amount_minor'], currency)}  {point['why']}")
    for said in line["said"]:
        say(f"  {said}")
    if line["comparables"]:
        table(
            ("quote", "account", "sku", "quantity", "of list", "outcome", "order date"),
            [
                (
                    one["number"],
                    one["account_id"],
                    one["sku"],
                    one["quantity"],
                    f"{one['of_list']}%",
                    one["outcome"].replace("_", " "),
                    one["order_date"],
                )
                for one in line["comparables"]
            ],
            right=(3, 4),
        )
