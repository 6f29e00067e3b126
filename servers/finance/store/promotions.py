"""Promotions with what accepted quotes used of them, and the rows that acceptance writes."""

from decimal import Decimal

from sqlalchemy import func, or_, select
from sqlmodel import Session, col

from servers.finance.documents import QuoteSnapshot
from servers.finance.facts.copies import block, fact
from servers.finance.facts.promotions import BuyGet, Conditions, Gift, Limits, Promotion, Selector
from servers.finance.store.rows import kept
from servers.finance.tables.promotions import PromotionRow, PromotionUse
from servers.toolkit.money import from_minor


@kept
def find_promotions(session: Session, codes: tuple[str, ...]) -> tuple[Promotion, ...]:
    use = PromotionUse
    count, spent = func.count(col(use.quote_id)), func.sum(col(use.amount_minor))
    statement = (
        select(PromotionRow, col(use.currency), count, spent)
        .outerjoin(use, col(use.promotion_id) == col(PromotionRow.promotion_id))
        .where(or_(col(PromotionRow.code).in_(codes), col(PromotionRow.automatic)))
        .group_by(col(PromotionRow.promotion_id), col(use.currency))
        .order_by(col(PromotionRow.promotion_id), col(use.currency))
    )
    rows: dict[str, PromotionRow] = {}
    used: dict[str, int] = {}
    amounts: dict[str, dict[str, Decimal]] = {}
    for row, currency, quotes, minor in session.execute(statement):
        rows[row.promotion_id] = row
        used[row.promotion_id] = used.get(row.promotion_id, 0) + quotes
        if currency is not None:
            amounts.setdefault(row.promotion_id, {})[currency] = from_minor(int(minor), currency)
    return tuple(_promotion(row, used[name], amounts.get(name, {})) for name, row in rows.items())


def promotion_uses(snapshot: QuoteSnapshot) -> list[PromotionUse]:
    return [
        block(PromotionUse, one, quote_id=snapshot.quote_id, currency=snapshot.currency)
        for one in snapshot.promotions
    ]


def _promotion(row: PromotionRow, used: int, spent: dict[str, Decimal]) -> Promotion:
    asks = row.conditions
    buy_get = gift = None
    if row.buy_quantity is not None and row.get_quantity is not None:
        of = Selector(row.of_sku, row.of_family) if row.of_sku or row.of_family else None
        buy_get = BuyGet(row.buy_quantity, row.get_quantity, of)
    if row.free_quantity is not None:
        gift = Gift(row.free_quantity, row.free_sku, row.recurse_for)
    return fact(
        Promotion,
        row,
        on=fact(Selector, asks, sku=row.sku, family=row.family),
        conditions=fact(Conditions, asks, minimum=row.minimum),
        limits=fact(Limits, row, usage=row.usage_limit, used=used, spent=spent),
        buy_get=buy_get,
        gift=gift,
    )
