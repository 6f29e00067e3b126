"""`what_if`: the price before and after a change, and what else was asked of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlmodel import Session

from servers.finance.pricing import price
from servers.finance.schemas import PriceRequest, WhatIf
from servers.finance.store.collect import collect
from servers.finance.whatif import quantity_breaks, ways_out, with_quantity
from servers.toolkit.errors import InvalidInputError


@dataclass(frozen=True)
class Asked:
    """What is asked beside plain changes: another quantity, breaks of a line, ways out."""

    line_id: str | None = None
    quantity: Decimal | None = None
    breaks_of: str | None = None
    avoid_approvals: bool = False


def answer(
    session: Session, request: PriceRequest, changes: Mapping[str, Any], asked: Asked
) -> WhatIf:
    """Return the prices before and after; breaks and ways out are those after the change."""
    given = {name: value for name, value in changes.items() if value is not None}
    changed = _requantified(request, asked).model_copy(update=given)
    if changed == request and asked.breaks_of is None and not asked.avoid_approvals:
        raise InvalidInputError(
            "nothing is changed", fix="give change_discount_bp or another change_ argument"
        )
    facts = collect(session, changed).pricing
    before = after = price(facts, changed)
    if changed != request:
        before = price(collect(session, request).pricing, request)
    ways = ways_out(facts, changed, asked.line_id) if asked.avoid_approvals else ([], [])
    one, other = before.totals.total_minor, after.totals.total_minor
    comparable = before.currency == after.currency and one is not None and other is not None
    return WhatIf(
        currency=after.currency,
        before_currency=before.currency,
        before_total_minor=one,
        after_total_minor=other,
        difference_minor=(other or 0) - (one or 0) if comparable else None,
        breaks=[] if asked.breaks_of is None else quantity_breaks(facts, changed, asked.breaks_of),
        ways_out=ways[0],
        unavoidable=ways[1],
        after=after.public(),
    )


def _requantified(request: PriceRequest, asked: Asked) -> PriceRequest:
    """Return the request with another quantity on one line, if that is asked."""
    if asked.quantity is not None and asked.line_id is not None:
        return with_quantity(request, asked.line_id, asked.quantity)
    if asked.quantity is not None or (asked.line_id is not None and not asked.avoid_approvals):
        raise InvalidInputError(
            "change_line and change_quantity go together", fix="give a line_id of the lines"
        )
    return request
