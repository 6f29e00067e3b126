"""Promotions with what accepted quotes used of them, and the rows that acceptance writes."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from sqlmodel import Session, col, func, or_, select

from servers.finance.assembly import QuoteSnapshot
from servers.finance.facts.promotions import BuyGet, Conditions, Gift, Limits, Promotion, Selector
from servers.finance.facts.windows import Window
from servers.finance.models_promotions import PromotionRow, PromotionUse
from servers.toolkit.money import from_micro, from_minor


def find_promotions(session: Session, codes: Iterable[str]) -> tuple[Promotion, ...]:
    """Return the promotions of these codes and the automatic ones, with their use: one query."""
    use = PromotionUse
    count, spent = func.count(col(use.quote_id)), func.sum(col(use.amount_minor))
    statement = (
        select(PromotionRow, col(use.currency), count, spent)
        .outerjoin(use, col(use.promotion_id) == col(PromotionRow.promotion_id))
        .where(or_(col(PromotionRow.code).in_(list(codes)), col(PromotionRow.automatic)))
        .group_by(col(PromotionRow.promotion_id), col(use.currency))
        .order_by(col(PromotionRow.promotion_id), col(use.currency))
    )
    rows: dict[str, PromotionRow] = {}
    used: dict[str, int] = {}
    amounts: dict[str, dict[str, Decimal]] = {}
    for row, currency, quotes, minor in session.exec(statement):
        rows[row.promotion_id] = row
        used[row.promotion_id] = used.get(row.promotion_id, 0) + quotes
        if currency is not None:
            amounts.setdefault(row.promotion_id, {})[currency] = from_minor(int(minor), currency)
    return tuple(_promotion(row, used[name], amounts.get(name, {})) for name, row in rows.items())


def promotion_uses(snapshot: QuoteSnapshot) -> list[PromotionUse]:
    """Return the rows that record what a quote uses of promotions, to be added at acceptance."""
    return [
        PromotionUse(
            promotion_id=one.promotion_id,
            quote_id=snapshot.quote_id,
            currency=snapshot.currency,
            amount_minor=one.amount_minor,
            free_units=one.free_units,
        )
        for one in snapshot.promotions
    ]


def _promotion(row: PromotionRow, used: int, spent: dict[str, Decimal]) -> Promotion:
    asks = row.conditions
    on = Selector(row.sku, row.family, *_selector(asks))
    buy_get = gift = None
    if row.buy_quantity is not None and row.get_quantity is not None:
        of = Selector(row.of_sku, row.of_family) if row.of_sku or row.of_family else None
        buy_get = BuyGet(row.buy_quantity, row.get_quantity, of)
    if row.free_quantity is not None:
        gift = Gift(row.free_quantity, row.free_sku, row.recurse_for)
    return Promotion(
        promotion_id=row.promotion_id,
        code=row.code,
        kind=row.kind,  # type: ignore[arg-type]  # checked when it was loaded, as those below
        window=Window(row.valid_from, row.valid_to),
        priority=row.priority,
        stack_group=row.stack_group,
        target=row.target,  # type: ignore[arg-type]
        on=on,
        percent=from_micro(row.percent_micro),
        amount=_amounts(row.amount),
        allocation=row.allocation,  # type: ignore[arg-type]
        per=row.per,  # type: ignore[arg-type]
        conditions=_conditions(row),
        limits=Limits(
            max_quantity=row.max_quantity,
            cap=_amounts(row.cap),
            usage=row.usage_limit,
            budget=_amounts(row.budget),
            used=used,
            spent=spent,
        ),
        buy_get=buy_get,
        gift=gift,
        base=row.base,  # type: ignore[arg-type]
        exclusive=row.exclusive,
        pick=row.pick,  # type: ignore[arg-type]
        automatic=row.automatic,
        prorated=row.prorated,
    )


def _conditions(row: PromotionRow) -> Conditions:
    asks, measured = row.conditions, row.conditions.get("measured")
    return Conditions(
        minimum=_amounts(row.minimum),
        customer_kinds=tuple(asks.get("customer_kinds", ())),
        channels=tuple(asks.get("channels", ())),
        countries=tuple(asks.get("countries", ())),
        segments=tuple(asks.get("segments", ())),
        min_quantity=asks.get("min_quantity"),
        max_quantity=asks.get("max_quantity"),
        measured=None
        if measured is None
        else Selector(measured.get("sku", ""), measured.get("family", ""), *_selector(measured)),
    )


def _selector(said: dict[str, Any]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(said.get(name, ())) for name in ("item_kinds", "item_flags", "units"))


def _amounts(said: dict[str, str]) -> dict[str, Decimal]:
    return {currency: Decimal(amount) for currency, amount in said.items()}
