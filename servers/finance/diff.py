"""What differs between two revisions of a quote, as data; a pure function."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from servers.finance.documents import ROOM, SMALL, QuoteSnapshot
from servers.finance.facts.blocks import InternalLine
from servers.finance.facts.copies import block
from servers.finance.schemas_quotes import FieldChange, LineDiff, QuoteDiff
from servers.toolkit.linking import first_that_fit

LINE = tuple(
    name for name in InternalLine.model_fields if name not in ("line_id", "position", "description")
)
NUMBERS = ("freight", "charges", "taxes", "totals", "recurring", "presentation")
TERMS = (
    *("order_date", "validity_days", "price_lock_days", "cover", "delivery_terms"),
    *("payment_terms", "ship_to", "customer", "seller", "contact_id", "promo_codes", "discount_bp"),
    *("claims", "warnings", "currency"),
)


def diff(before: QuoteSnapshot, after: QuoteSnapshot) -> QuoteDiff:
    both = (before, after)
    lines = _lines(before.lines, after.lines)
    numbers = _fields(before, after, NUMBERS)
    texts = [{f"clause {c.clause_id}": f"version {c.version}" for c in q.clauses} for q in both]
    needs = [{f"{n.rule_id} by a {n.role}": n.reason for n in q.approvals_needed} for q in both]
    terms = [*_fields(before, after, TERMS), *_changes(*texts)]
    approvals = _changes(*needs)
    return QuoteDiff(
        before_id=before.quote_id,
        after_id=after.quote_id,
        before_currency=before.currency,
        after_currency=after.currency,
        same=not (lines or numbers or terms or approvals),
        lines=lines,
        numbers=numbers,
        terms=terms,
        approvals=approvals,
    )


def _lines(before: Sequence[InternalLine], after: Sequence[InternalLine]) -> list[LineDiff]:
    old = {line.line_id: line for line in before}
    new = {line.line_id: line for line in after}
    found = []
    for line_id in dict.fromkeys((*old, *new)):
        one, other = old.get(line_id), new.get(line_id)
        shown = other or one
        assert shown is not None  # noqa: S101 - it came from one of the two
        change = "added" if one is None else "removed" if other is None else "changed"
        if fields := _changes(_flat(one, LINE), _flat(other, LINE)):
            found.append(block(LineDiff, shown, change=change, fields=fields))
    return found


def _fields(
    before: QuoteSnapshot, after: QuoteSnapshot, names: tuple[str, ...]
) -> list[FieldChange]:
    return _changes(_flat(before, names), _flat(after, names))


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[FieldChange]:
    return [
        FieldChange(name=name, before=before.get(name), after=after.get(name))
        for name in dict.fromkeys((*before, *after))
        if before.get(name) != after.get(name)
    ]


def _flat(part: BaseModel | None, names: tuple[str, ...]) -> dict[str, str]:
    """Return named fields as `path: words`; what is absent or empty is left out."""
    found: dict[str, str] = {}
    if part is None:
        return found
    said = part.model_dump(mode="json")
    for name in names:
        _walk(name, said.get(name), found)
    return found


def _walk(path: str, value: Any, found: dict[str, str]) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _walk(f"{path}.{key}", inner, found)
    elif isinstance(value, list) and any(isinstance(inner, dict) for inner in value):
        names: list[str] = []
        for inner in value:
            name = _name(inner)
            names.append(name)
            again = names.count(name)
            _walk(f"{path}.{name}" + (f" ({again})" if again > 1 else ""), inner, found)
    elif isinstance(value, list):
        if value:
            found[path] = ", ".join(str(inner) for inner in value)
    elif value is not None and value != "":
        found[path] = str(value)


def _name(part: Mapping[str, Any]) -> str:
    """Name a part of a list by what it is, so that another order is no difference."""
    if "category" in part:
        return " ".join(str(part[k]) for k in ("category", "rate", "jurisdiction") if part.get(k))
    keys = ("charge_id", "label", "code", "scheme", "sku")
    return str(next((part[key] for key in keys if key in part), "part"))


def part_of_diff(diff: QuoteDiff, from_change: int, room: int = ROOM) -> QuoteDiff:
    rest = diff.model_copy(update={"lines": []})
    room = max(SMALL, room - len(rest.model_dump_json().encode()))
    lines, after = first_that_fit(diff.lines, from_change, room)
    return diff.model_copy(update={"lines": lines, "next_from": after})
