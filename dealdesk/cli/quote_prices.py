"""`dealdesk quote explain|guide`: where its prices come from, and what finance would propose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dealdesk.cli.options import ACTING, Acting, Home, Json, LineId, QuoteId
from dealdesk.cli.output import describe, money, print_json, say, table
from dealdesk.cli.session import acting_as, all_parts, looking

POINTS = ("floor", "target", "stretch")


async def explain_quote(
    quote_id: QuoteId, line: LineId = None, /, *, home: Home = None, json: Json = False
) -> None:
    """Tell how a quote's numbers came about, step by step.

    It reads what was stored with the quote.
    """
    async with looking(home) as desk:
        quote = await desk.quote(await desk.quote_id(quote_id))
        asked = {"quote_id": quote["quote_id"], **({"line_id": line} if line else {})}
        place = {"rows": "steps", "after": "next_from", "start": "from_step"}
        found = await all_parts(desk, "finance", "explain_quote", asked, **place)
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
    quote_id: QuoteId, line: LineId = None, /, *, acting: Acting = ACTING
) -> None:
    """Propose floor, target and stretch, to a named person.

    Nothing is set. The floor reveals cost.
    """
    async with acting_as(acting) as desk:
        asked = {"quote_id": await desk.quote_id(quote_id), **({"line_id": line} if line else {})}
        place = {"rows": "lines", "after": "next_line", "start": "from_line"}
        found = await all_parts(desk, "finance", "guide_price", asked, **place)
    if acting.json:
        print_json(found)
        return
    for one in found["lines"]:
        _print_guidance(one, found["currency"])
    say(f"Band: {found['band']}. {found['notice']}")


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
