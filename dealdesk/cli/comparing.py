"""`dealdesk quote diff|explain`: what differs between two revisions, and why a number is so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from dealdesk.cli.output import clean, describe, money, print_json, result

if TYPE_CHECKING:
    from dealdesk.desk import Desk

Flag = Parameter(negative="")
SIGNS = {"added": "+", "removed": "-", "changed": "~"}


async def diff_quotes(
    quote_id: str,
    other: str | None = None,
    /,
    *,
    home: str | None = None,
    json: Annotated[bool, Flag] = False,
) -> int:
    """Show what differs between two quotes; one alone is compared with what it revises.

    Parameters
    ----------
    quote_id
        The earlier quote, or the only one.
    other
        The later quote.
    home
        The data folder.
    json
        Print JSON.
    """
    from dealdesk.desk import Desk
    from dealdesk.settings import load_settings
    from orchestrator.errors import UsageError

    async with Desk.open(load_settings(home=home), work=False) as desk:
        quote_id = await desk.quote_id(quote_id)
        other = None if other is None else await desk.quote_id(other)
        before, after = quote_id, other
        if after is None:
            quote = await desk.quote(quote_id)
            if quote["revises"] is None:
                raise UsageError(
                    f"{quote_id} revises no other quote", fix="name two: `dealdesk quote diff A B`"
                )
            before, after = quote["revises"], quote_id
        found = await _compared(desk, {"quote_id": before, "other_quote_id": after})
    if json:
        print_json(found)
    else:
        print_diff(found)
    return 0


async def _compared(desk: Desk, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what differs, however many answers it comes in."""
    found = await desk.look("finance", "diff_quotes", asked)
    lines, after = found["lines"], found["next_from"]
    while after is not None:
        more = await desk.look("finance", "diff_quotes", {**asked, "from_change": after})
        lines, after = lines + more["lines"], more["next_from"]
    return {**found, "lines": lines, "next_from": None}


def print_diff(diff: Mapping[str, Any], after: str = "") -> None:
    """Print what differs: lines first, then numbers, terms and approvals.

    Args:
        diff: What finance says.
        after: What to call the later one, where it has no name yet.
    """
    console = result()

    def say(words: str, style: str = "") -> None:
        console.print(words, style=style or None, markup=False)

    before = diff["before_number"] or diff["before_id"]
    say(clean(f"{before} -> {after or diff['after_number'] or diff['after_id']}"), "bold")
    if diff["same"]:
        say("  nothing differs")
        return
    currencies = (diff["before_currency"], diff["after_currency"])
    for line in diff["lines"]:
        style = {"added": "green", "removed": "red"}.get(line["change"], "")
        sign = SIGNS[line["change"]]
        say(clean(f"{sign} {line['line_id']}  {line['sku']}  {line['name']}"), style)
        shown = [one for one in line["fields"] if _of_interest(one, line["change"])]
        for words in changes(shown, currencies):
            say(f"    {words}", style)
    if diff["next_from"] is not None:
        say("  ... and more lines; `dealdesk quote diff` shows them once it is stored")
    for title, name in (("numbers", "numbers"), ("terms", "terms"), ("approvals", "approvals")):
        if diff[name]:
            say(title, "bold")
            for words in changes(diff[name], currencies):
                say(f"    {words}")


def _of_interest(field: Mapping[str, Any], change: str) -> bool:
    """Leave out, of a line that came or went, what says nothing about the price."""
    return change == "changed" or field["name"] in ("quantity", "unit", "unit_price", "net_minor")


def changes(fields: Sequence[Mapping[str, Any]], currencies: tuple[str, str]) -> list[str]:
    """Return changes as lines for a person: what, before and after; amounts as money."""
    return [clean(_change(one, currencies), 400) for one in fields]


def _change(one: Mapping[str, Any], currencies: tuple[str, str]) -> str:
    name = one["name"]
    if name[:1].islower():  # a path, and no rule's id
        name = name.removesuffix("_minor").replace("_", " ").replace(".", " / ")
    values = [one["before"], one["after"]]
    if one["name"].endswith("_minor"):
        values = [
            None if value is None else money(int(value), currency)
            for value, currency in zip(values, currencies, strict=True)
        ]
    elif one["name"].endswith("_bp"):
        name = name.removesuffix(" bp")
        values = [None if value is None else f"{int(value) / 100:g}%" for value in values]
    if values[0] is None:
        return f"{name}: {values[1]} (new)"
    if values[1] is None:
        return f"{name}: {values[0]} (gone)"
    return f"{name}: {values[0]} -> {values[1]}"


async def explain_quote(
    quote_id: str,
    line: str | None = None,
    /,
    *,
    home: str | None = None,
    json: Annotated[bool, Flag] = False,
) -> int:
    """Tell how a quote's numbers came about, step by step, from what was stored with it.

    Parameters
    ----------
    quote_id
        The quote: its id or its printed number.
    line
        Only this line: l1.
    home
        The data folder.
    json
        Print JSON.
    """
    from dealdesk.desk import Desk
    from dealdesk.settings import load_settings

    async with Desk.open(load_settings(home=home), work=False) as desk:
        quote_id = await desk.quote_id(quote_id)
        quote = await desk.quote(quote_id)
        found = await _explained(desk, quote_id, line)
    if json:
        print_json(found)
        return 0
    console = result()
    names = {one["line_id"]: one for one in quote["lines"]}
    for line_id in dict.fromkeys(step["line_id"] for step in found["steps"]):
        console.print(clean(_heading(quote, names.get(line_id))), style="bold", markup=False)
        for step in found["steps"]:
            if step["line_id"] == line_id:
                console.print(f"  {clean(step['said'], 900)}", markup=False)
    if line is None:
        for finding in found["findings"]:
            console.print(f"  ! {describe(finding)}", markup=False)
    return 0


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
