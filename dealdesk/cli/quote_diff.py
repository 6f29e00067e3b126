"""`dealdesk quote diff`: what differs between two revisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from dealdesk.cli.options import Home, Json, doc
from dealdesk.cli.output import clean, money, print_json, say
from dealdesk.cli.session import all_parts, looking
from orchestrator.errors import UsageError

SIGNS = {"added": "+", "removed": "-", "changed": "~"}


async def diff_quotes(
    quote_id: Annotated[str, doc("The earlier quote, or the only one.")],
    other: Annotated[str | None, doc("The later quote.")] = None,
    /,
    *,
    home: Home = None,
    json: Json = False,
) -> None:
    """Show what differs between two quotes.

    One alone is compared with the quote that it revises.
    """
    async with looking(home) as desk:
        before: str = await desk.quote_id(quote_id)
        if other is None:
            after, before = before, (await desk.quote(before))["revises"]
            if before is None:
                raise UsageError(
                    f"{after} revises no other quote", fix="name two: `dealdesk quote diff A B`"
                )
        else:
            after = await desk.quote_id(other)
        asked = {"quote_id": before, "other_quote_id": after}
        place = {"rows": "lines", "after": "next_from", "start": "from_change"}
        found = await all_parts(desk, "finance", "diff_quotes", asked, **place)
    if json:
        print_json(found)
    else:
        print_diff(found)


def print_diff(diff: Mapping[str, Any], after: str = "") -> None:
    """Print what differs; `after` is what to call the later one, where it has no name yet."""
    before = diff["before_number"] or diff["before_id"]
    say(f"{before} -> {after or diff['after_number'] or diff['after_id']}", style="bold")
    if diff["same"]:
        say("  nothing differs")
        return
    currencies = (diff["before_currency"], diff["after_currency"])
    for line in diff["lines"]:
        style = {"added": "green", "removed": "red"}.get(line["change"], "")
        sign = SIGNS[line["change"]]
        say(f"{sign} {line['line_id']}  {line['sku']}  {line['name']}", style=style)
        shown = [one for one in line["fields"] if _of_interest(one, line["change"])]
        for words in changes(shown, currencies):
            say(f"    {words}", style=style)
    if diff["next_from"] is not None:
        say("  ... and more lines; `dealdesk quote diff` shows them once it is stored")
    for name in ("numbers", "terms", "approvals"):
        if diff[name]:
            say(name, style="bold")
            for words in changes(diff[name], currencies):
                say(f"    {words}")


def _of_interest(field: Mapping[str, Any], change: str) -> bool:
    """Say whether a field is shown: all of a changed line, of others what makes the price."""
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
