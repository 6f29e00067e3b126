"""`dealdesk quote guide`: what finance would propose for a price, to a named person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from cyclopts import Parameter

from dealdesk.cli.output import clean, money, print_json, result, table

Flag = Parameter(negative="")
As = Parameter(name="--as")
POINTS = ("floor", "target", "stretch")


async def guide_quote(
    quote_id: str,
    line: str | None = None,
    /,
    *,
    person: Annotated[str | None, As] = None,
    home: str | None = None,
    json: Annotated[bool, Flag] = False,
) -> None:
    """Propose floor, target and stretch for a quote's lines; nothing is set.

    Parameters
    ----------
    quote_id
        The quote: its id or its printed number.
    line
        One line of it, l1 say (default: all).
    person
        Who asks: the person's id in finance (default: DEALDESK_PERSON). The floor reveals cost.
    home
        The data folder.
    json
        Print one JSON document.
    """
    from dealdesk.cli.as_person import decider
    from dealdesk.desk import Desk

    async with Desk.open(decider(home, person), work=False) as desk:
        quote_id = await desk.quote_id(quote_id)
        arguments = {"quote_id": quote_id, **({} if line is None else {"line_id": line})}
        found = await desk.look("finance", "guide_price", arguments)
        while found["next_line"] is not None:  # a large quote comes in parts
            more = {**arguments, "from_line": found["next_line"]}
            part = await desk.look("finance", "guide_price", more)
            found = {**part, "lines": [*found["lines"], *part["lines"]]}
    if json:
        print_json(found)
        return
    for one in found["lines"]:
        _print_line(one, found["currency"])
    result().print(clean(f"Band: {found['band']}. {found['notice']}"), markup=False)


def _print_line(line: Mapping[str, Any], currency: str) -> None:
    """Print the guidance of one line, with the quotes it comes from."""
    console = result()
    head = f"{line['line_id']}  {line['quantity']} x {line['sku']}"
    offered = line["offered_minor"]
    now = "" if offered is None else f", offered at {money(offered, currency)}"
    listed = money(line["list_minor"], currency)
    console.print(clean(f"{head}: price list {listed}{now}"), markup=False)
    for name in POINTS:
        point = line[name]
        if point is not None:
            words = f"  {name:<8}{money(point['amount_minor'], currency)}  {point['why']}"
            console.print(clean(words), markup=False)
    for said in line["said"]:
        console.print(clean(f"  {said}"), markup=False)
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
