"""A change that a person makes to a stored quote by hand; pure functions on its inputs.

Only what the quote is made from changes: quantities, lines, discounts with their reasons, freight
and terms. Every number and every clause is worked out again from that.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from servers.finance.schemas import Adjustment, LineIn, PriceRequest
from servers.finance.schemas_quotes import LineChange
from servers.toolkit.errors import InvalidInputError

"""The warning of a revision with a line that the catalog has not looked at."""


@dataclass(frozen=True)
class Changes:
    """What a person changes; None and empty mean that it stays."""

    change_lines: tuple[LineChange, ...] = ()
    remove_lines: tuple[str, ...] = ()
    add_lines: tuple[LineIn, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    drop_adjustments: bool = False
    discount_bp: int | None = None
    promo_codes: tuple[str, ...] | None = None
    ship_method: str | None = None
    payment_terms: str | None = None
    display_currency: str | None = None
    validity_days: int | None = None
    drop: tuple[str, ...] = ()
    drop_reason: str = ""

    def __bool__(self) -> bool:
        return self != Changes()


def revised(request: PriceRequest, changes: Changes, author: str) -> PriceRequest:
    """Return the request with the changes in it; adjustments are in their author's name."""
    if not changes:
        raise InvalidInputError("nothing is changed", fix="give at least one change")
    lines = _lines(request, changes)
    adjustments = _adjustments(request, changes, author, {line.line_id for line in lines})
    names = ("discount_bp", "promo_codes", "ship_method", "display_currency")
    given = {name: getattr(changes, name) for name in names if getattr(changes, name) is not None}
    given |= {"lines": lines, "adjustments": adjustments}
    return request.model_copy(update=given).checked()


def _lines(request: PriceRequest, changes: Changes) -> tuple[LineIn, ...]:
    known = {line.line_id for line in request.lines}
    named = [change.line_id for change in changes.change_lines]
    for line_id in (*named, *changes.remove_lines):
        if line_id not in known:
            raise InvalidInputError(f"the quote has no line {line_id}", fix="get_quote names them")
    if len(set(named)) != len(named) or set(named) & set(changes.remove_lines):
        raise InvalidInputError("a line is changed twice", fix="give each line_id once")
    for line in changes.add_lines:
        if line.line_id in known:
            said = f"the quote has a line {line.line_id} already"
            raise InvalidInputError(said, fix="give the new line another id")
    wanted = {change.line_id: _values(change) for change in changes.change_lines}
    kept = tuple(
        line.model_copy(update=wanted.get(line.line_id, {}))
        for line in request.lines
        if line.line_id not in changes.remove_lines
    )
    if not kept and not changes.add_lines:
        raise InvalidInputError("no line is left", fix="withdraw the quote instead")
    return (*kept, *changes.add_lines)


def _values(change: LineChange) -> dict[str, object]:
    values = change.model_dump(exclude={"line_id"}, exclude_none=True)
    if not values:
        said = f"nothing is changed on {change.line_id}"
        raise InvalidInputError(said, fix="give quantity, term_months or optional")
    return values


def _adjustments(
    request: PriceRequest, changes: Changes, author: str, lines: set[str]
) -> tuple[Adjustment, ...]:
    """Return what stays and what is new; a new one takes the place of those of its line."""
    named = {one.line_id for one in changes.adjustments}
    for line_id in named:
        if line_id is not None and line_id not in lines:
            raise InvalidInputError(f"the quote has no line {line_id}", fix="get_quote names them")
    stay = [
        one
        for one in (() if changes.drop_adjustments else request.adjustments)
        if one.line_id not in named and (one.line_id is None or one.line_id in lines)
    ]
    fresh = [one.model_copy(update={"author": author}) for one in changes.adjustments]
    return (*stay, *fresh)


def clauses_after(
    stored: Iterable[str], selected: Iterable[str], selected_now: Iterable[str]
) -> tuple[str, ...]:
    """Return the clauses of the revision: what the rules select, and the old deviation from it.

    `stored` are those of the quote that is revised, `selected` what the rules select for that.
    """
    before = tuple(selected)
    added = [one for one in stored if one not in before]
    dropped = {one for one in before if one not in tuple(stored)}
    kept = [one for one in selected_now if one not in dropped]
    return (*kept, *(one for one in added if one not in kept))
