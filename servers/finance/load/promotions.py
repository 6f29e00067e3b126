"""How promotions come in: a wrong one is refused before it prices anything."""

from collections.abc import Iterator
from itertools import combinations
from typing import Any

from sqlmodel import Session, select

from servers.finance.facts.windows import Window
from servers.finance.load.base import table
from servers.finance.tables.prices import ItemRow
from servers.finance.tables.promotions import PromotionRow
from servers.toolkit.money import exponent
from servers.toolkit.tables import Around, Values


def _problems(row: Any) -> Iterator[str]:
    kind, priced = row.kind, row.kind in ("amount", "fixed_price")
    if (kind in ("percent", "buy_x_get_y")) != (row.percent > 0):
        yield "percent and buy_x_get_y have a percent above 0 (100 is free), others have none"
    if priced != bool(row.amount):
        yield "amount and fixed_price have an amount per currency, others have none"
    if (kind == "buy_x_get_y") != (None not in (row.buy_quantity, row.get_quantity)):
        yield "buy_x_get_y has buy_quantity and get_quantity, others have none"
    if (kind == "free_item") != (row.free_quantity is not None):
        yield "free_item has free_quantity, others have none"
    if kind != "free_item" and (row.free_sku or row.recurse_for):
        yield "only free_item has free_sku and recurse_for"
    if kind != "buy_x_get_y" and (row.of_sku or row.of_family):
        yield "only buy_x_get_y has of_sku and of_family"
    if row.base == "list" and kind != "percent":
        yield "base list is for percent"
    if row.prorated and (kind != "amount" or row.allocation == "across"):
        yield "prorated is for an amount off each line"
    if row.pick == "priority" and not row.automatic:
        yield "pick priority is for automatic promotions: a code never makes an order dearer"
    yield from _target_problems(row)
    yield from _currency_problems(row)


def _target_problems(row: Any) -> Iterator[str]:
    kind, chosen = row.kind, bool(row.sku or row.family)
    if row.target == "shipping" and kind not in ("percent", "amount", "free_shipping"):
        yield "on shipping only percent, amount and free_shipping have a meaning"
    if row.target == "order" and kind not in ("percent", "amount"):
        yield "on the order only percent and amount have a meaning"
    if row.target != "lines" and chosen:
        yield "sku and family choose lines; leave them out for order and shipping"
    if row.target == "order" and row.allocation != "across":
        yield "on the order the allocation is across"
    if row.allocation == "across" and kind not in ("percent", "amount"):
        yield "across is for percent and amount"
    if (row.allocation == "across" and kind == "amount") != (row.per == "order"):
        yield "an amount across is per order, and only that"
    if row.allocation == "across" and row.max_quantity is not None:
        yield "max_quantity is for what counts for each line"
    if kind == "free_shipping" and (row.max_quantity or row.amount):
        yield "free_shipping takes off all freight; use amount on shipping for a part"


def _currency_problems(row: Any) -> Iterator[str]:
    for name in ("minimum", "amount", "cap", "budget"):
        said = getattr(row, name)
        for currency in said:
            exponent(currency)
        if said and set(said) != set(row.minimum):
            yield f"{name} and minimum name different currencies"


def _promotion(row: Any, around: Around) -> Values:
    skus = [sku for sku in (row.sku, row.of_sku, row.free_sku) if sku]
    around.must_know(ItemRow, "sku", skus)
    gift = row.free_sku
    kinds, flags = (around.known(ItemRow, "sku", name) for name in ("kind", "flags"))
    if gift in kinds and (kinds[gift] != "goods" or flags[gift]):
        raise ValueError(
            f"it gives {gift}: a gift is goods without export control, hazard or personal data, "
            "which nobody has to check"
        )
    target = "shipping" if row.kind == "free_shipping" else row.target
    return {**PROMOTIONS.plain(row), "target": target}


def _ranks_hold(session: Session) -> Iterator[str]:
    """Yield promotions between which nothing decides, or that disagree on what decides."""
    for one, other in combinations(session.exec(select(PromotionRow)).all(), 2):
        if one.stack_group != other.stack_group:
            continue
        both = f"RULE_CONFLICT: {one.promotion_id} and {other.promotion_id}"
        days, others = (Window(row.valid_from, row.valid_to) for row in (one, other))
        if one.pick != other.pick:
            yield f"{both} differ in pick: pick one way in a group"
        elif one.priority == other.priority and days.overlaps(others):
            yield f"{both} have the same stack_group and priority"


PROMOTIONS = table(
    "promotions",
    PromotionRow,
    "a promotion, by code or automatic; `minimum` names every currency it holds in",
    {"conditions": "whom and what it is for; what is left out asks for nothing"},
    problems=_problems,
    make=_promotion,
    holds=_ranks_hold,
    as_json=True,
)
