"""Guidance about a stored quote, from its inputs and from quotes of ours with an outcome."""

import json
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from servers.finance.facts.blocks import InternalLine
from servers.finance.facts.copies import block, fact
from servers.finance.facts.policy import GuidancePolicy
from servers.finance.facts.pricing import PricingFacts
from servers.finance.findings import percent, plain
from servers.finance.guidance import WHOLE_BP, Advice, Deal, Outcome, PastLine, Point, guide
from servers.finance.pricing import price
from servers.finance.schemas_quotes import Comparable, GuidedPrice, LineGuidance, PriceGuidance
from servers.finance.store.collect import collect
from servers.finance.store.listed_quotes import visible
from servers.finance.store.policy import approver_of, setting
from servers.finance.store.stored_quotes import find_quote, inputs_of
from servers.finance.tables.customers import CustomerRow
from servers.finance.tables.quotes import Quote
from servers.toolkit import scope
from servers.toolkit.errors import InvalidInputError, RuleViolationError
from servers.toolkit.money import exponent, from_minor, round_to, six_decimals

OUTCOMES: dict[str, Outcome] = {
    "accepted": "accepted",
    "issued": "open",
    "expired": "not_taken",
    "withdrawn": "not_taken",
}
"""What became of a quote that had a number; a superseded one lives on in its revision."""
MOST_QUOTES = 500


def guidance(session: Session, quote_id: str, line_id: str | None) -> PriceGuidance:
    """Return guidance about the lines of a stored quote, to a person of the seller."""
    approver_of(session, scope.person())
    quote = find_quote(session, quote_id)
    policy = _policy(session)
    asked = inputs_of(quote).request
    plain_request = asked.model_copy(update={"discount_bp": 0, "adjustments": ()})
    facts = collect(session, asked).pricing
    offered = {line.line_id: line.net_minor for line in price(facts, asked).lines}
    standard = price(facts, plain_request)
    if line_id is not None and line_id not in offered:
        raise InvalidInputError(f"no line {line_id}", fix="use a line_id of the quote")
    wanted = [one for one in standard.lines if line_id in (None, one.line_id)]
    past = list(_past(session, quote, {one.family for one in wanted}, policy))
    assert facts.policy is not None  # noqa: S101 - the repository always loads it
    lines = []
    for one in wanted:
        deal = _deal(one, facts, standard.costs, asked.order_date, standard.currency)
        if deal is not None:
            advice = guide(deal, past, policy, facts.policy.margin_floor_bp)
            lines.append(_line(deal, advice, offered[one.line_id]))
    band = f"from {percent(Decimal(policy.lowest_bp) / 100)}% below the price list up to it"
    return PriceGuidance(quote_id=quote_id, currency=standard.currency, band=band, lines=lines)


def _policy(session: Session) -> GuidancePolicy:
    value = setting(session, "policies").get("guidance")
    if value is None:
        raise RuleViolationError(
            "the seller has no policy for guidance", fix="add `guidance` to policies.json"
        )
    return GuidancePolicy(**{name: int(number) for name, number in value.items()})


def _deal(
    line: InternalLine,
    facts: PricingFacts,
    costs: Mapping[str, Decimal | None],
    day: date,
    currency: str,
) -> Deal | None:
    if line.list_minor is None or line.net_minor is None:
        return None
    cost = costs.get(line.line_id)
    return fact(
        Deal,
        line,
        customer_kind=facts.customer.kind,
        channel=facts.customer.channel,
        day=day,
        currency=currency,
        standard_minor=line.net_minor,
        cost_minor=None if cost is None else cost.scaleb(exponent(currency)),
    )


def _past(
    session: Session, quote: Quote, families: set[str], policy: GuidancePolicy
) -> Iterator[PastLine]:
    since = quote.order_date - timedelta(days=policy.days)
    statement: Any = (  # of three columns, which `visible` need not know
        select(Quote, col(CustomerRow.kind), col(CustomerRow.channel))
        .join(CustomerRow, col(CustomerRow.account_id) == col(Quote.account_id))
        .where(
            col(Quote.status).in_(sorted(OUTCOMES)),
            col(Quote.number).is_not(None),
            col(Quote.chain) != quote.chain,
            col(Quote.currency) == quote.currency,
            col(Quote.order_date).between(since, quote.order_date),
        )
        .order_by(col(Quote.order_date).desc(), col(Quote.number).desc())
        .limit(MOST_QUOTES)
    )
    for row, kind, channel in session.execute(visible(statement)):
        for line in json.loads(row.snapshot)["lines"]:
            counts = not line["optional"] and line["alternative_of"] is None
            if line["family"] in families and counts and line["list_minor"] and not line["free"]:
                named = ("line_id", "sku", "family", "list_minor", "net_minor")
                yield fact(
                    PastLine,
                    row,
                    **{name: line[name] for name in named},
                    quantity=Decimal(line["quantity"]),
                    customer_kind=kind,
                    channel=channel,
                    outcome=OUTCOMES[row.status],
                    on=row.order_date,
                )


def _line(deal: Deal, advice: Advice, offered: int | None) -> LineGuidance:
    return block(
        LineGuidance,
        deal,
        offered_minor=offered,
        floor=_guided(deal, advice.floor),
        target=_guided(deal, advice.target),
        stretch=_guided(deal, advice.stretch),
        said=list(advice.said),
        comparables=[_comparable(line) for line in advice.comparables],
    )


def _guided(deal: Deal, point: Point | None) -> GuidedPrice | None:
    if point is None:
        return None
    off = deal.standard_minor - point.minor
    possible = deal.standard_minor > 0 and off >= 0
    unit = from_minor(point.minor, deal.currency) / deal.quantity
    return GuidedPrice(
        amount_minor=point.minor,
        unit_price=plain(six_decimals(unit)),
        discount_bp=off * WHOLE_BP // deal.standard_minor if possible else None,
        why=point.why,
    )


def _comparable(line: PastLine) -> Comparable:
    share = Decimal(line.net_minor * 100) / line.list_minor
    of_list = percent(round_to(share, Decimal("0.01")))
    return block(Comparable, line, of_list=of_list, order_date=line.on.isoformat())
