"""Margin: what a quote earns. For named persons only; previews are not judged by it."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from servers.finance.facts.blocks import MarginBlock
from servers.finance.facts.policy import Policy
from servers.finance.line_in_work import Work
from servers.toolkit.money import round_money, to_minor, whole_down

ZERO = Decimal(0)


def cost_of(work: Work, exchange: Mapping[str, Decimal], currency: str) -> Decimal | None:
    """Return what a line costs us in the quote's currency; None when that is not known."""
    item = work.item
    if item is None or item.cost is None:
        return None
    rate = Decimal(1) if item.cost_currency == currency else exchange.get(currency)
    if rate is None:
        return None
    extra, (months, default) = work.price.extra_cost, work.price.term_factor
    if extra is None:
        return None
    cost = item.cost * work.pieces + extra * work.line.quantity
    return cost * rate * months / default


def margin_of(
    works: Iterable[Work], costs: Mapping[str, Decimal | None], currency: str, policy: Policy
) -> MarginBlock | None:
    """Return the margin of the lines in the total; None when a price or a cost is missing."""
    net = cost = goods_net = goods_cost = ZERO
    goods = False
    for work in works:
        if not work.in_total:
            continue
        own = costs[work.line.line_id]
        if own is None or work.running is None or work.item is None:
            return None
        net, cost = net + work.running, cost + own
        if work.item.kind == "goods":
            goods = True
            goods_net, goods_cost = goods_net + work.running, goods_cost + own
    return MarginBlock(
        net_minor=to_minor(net, currency),
        cost_minor=to_minor(round_money(cost, currency), currency),
        margin_bp=_basis_points(net, cost),
        hardware_margin_bp=_basis_points(goods_net, goods_cost) if goods else None,
        floor_bp=policy.margin_floor_bp,
    )


def _basis_points(net: Decimal, cost: Decimal) -> int:
    """Return the margin in basis points, rounded down; a gift that costs us is -10000."""
    if net <= 0:
        return 0 if cost == 0 else -10_000
    return whole_down((net - cost) * 10_000 / net)
