"""`dealdesk quote show|explain|guide|diff`: a quote in the terminal, its prices, differences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from dealdesk.cli.options import ACTING, Acting, Home, Json, LineId, QuoteId, View, doc
from dealdesk.cli.output import clean, describe, money, print_json, say, table
from dealdesk.cli.session import acting_as, looking
from orchestrator.errors import UsageError
from servers.toolkit.units import UNITS

COLUMNS = ("line", "sku", "quantity", "unit price", "net", "what")
RIGHT = (2, 3, 4)
_SIGNS = {"added": "+", "removed": "-", "changed": "~"}
_STYLES = {"added": "green", "removed": "red"}
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


def counted(quantity: int | str, unit: str) -> str:
    """Return a count as a person says it: 12, 4 boxes, 1 licence, 2.5 kg."""
    if unit == "each":
        return str(quantity)
    one, many, *_ = UNITS[unit]
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


async def explain_quote(
    quote_id: QuoteId, line: LineId = None, /, *, home: Home = None, json: Json = False
) -> None:
    """Tell how a quote's numbers came about, step by step.

    It reads what was stored with the quote.
    """
    async with looking(home) as desk:
        quote = await desk.quote(await desk.quote_id(quote_id))
        asked = {"quote_id": quote["quote_id"], **({"line_id": line} if line else {})}
        found = await desk.whole("finance", "explain_quote", asked)
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
        found = await desk.whole("finance", "guide_price", asked)
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
    for name in ("floor", "target", "stretch"):
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
                    *(one[name] for name in ("number", "account_id", "sku", "quantity")),
                    *(f"{one['of_list']}%", one["outcome"].replace("_", " "), one["order_date"]),
                )
                for one in line["comparables"]
            ],
            right=(3, 4),
        )


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
        found = await desk.whole("finance", "diff_quotes", asked)
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
        style = _STYLES.get(line["change"], "")
        sign = _SIGNS[line["change"]]
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
