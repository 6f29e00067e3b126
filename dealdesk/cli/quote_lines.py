"""The lines of a quote in words: counts with units, how long they run, what they belong to."""

from collections.abc import Iterator, Mapping
from typing import Any

from dealdesk.cli.output import clean, money

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
    """Return how long a line runs: its months, and the days that are known."""
    months, first, last = (line.get(name) for name in ("term_months", "start", "end"))
    said = [f"{months} month{'s' if months != 1 else ''}"] if months else []
    said += [f"from {first}"] if first else []
    said += [f"to {last}"] if last else []
    return " ".join(said)


def _net(line: Mapping[str, Any], currency: str) -> str:
    amount = money(line["net_minor"], currency)
    return f"({amount})" if line.get("optional") or line.get("alternative_of") else amount
