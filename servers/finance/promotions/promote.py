"""Promotions on a quote (step 6): who holds, which combination applies, and what lost, aloud.

The rules work on parts (`effects.py`); this puts what they answer on lines and freight. A
free item becomes a line of its own that costs nothing: its quantity, tax and cost are true, it
weighs in the freight, and what it adds to the freight comes off again, so a gift is a gift.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from servers.finance.charges import Freight
from servers.finance.facts.blocks import Allowance, PromotionBlock
from servers.finance.facts.customers import Customer
from servers.finance.facts.items import Item
from servers.finance.facts.promotions import Promotion
from servers.finance.findings import percent, plain, step
from servers.finance.line_in_work import Work
from servers.finance.prices.unit_price import UnitPrice
from servers.finance.promotions.choice import Applied, settle
from servers.finance.promotions.effects import FREIGHT, GiftLine, Part, canonical
from servers.finance.promotions.findings import Promoted, Said, unknown_codes, warning
from servers.finance.promotions.rules import Order, Refusal, refusal
from servers.toolkit.money import round_money, to_minor

ZERO = Decimal(0)


@dataclass(frozen=True)
class Asked:
    """What promotions look at, the lines and the freight apart."""

    customer: Customer
    day: date
    currency: str
    codes: Sequence[str]
    promotions: Sequence[Promotion]
    items: Mapping[str, Item]


def part_of(work: Work) -> Part | None:
    if work.running is None or work.item is None:
        return None
    return Part(
        part_id=work.line.line_id,
        quantity=work.line.quantity,
        start=work.running,
        net=work.before_tax(work.running),
        item=work.item,
        unit=work.line.unit,
        counted=work.in_total,
        closed=work.exclusive or work.overridden,
        ratio=work.price.ratio,
        term=work.price.term_factor,
    )


def promote(works: Sequence[Work], freight: Freight, asked: Asked) -> Promoted:
    """Apply to lines the promotions that hold, and return what they give beside that."""
    known = {one.code: one for one in asked.promotions}
    codes = sorted(set(asked.codes))
    named = [known[code] for code in codes if code in known]
    automatic = [one for one in known.values() if one.automatic and one.code not in codes]
    promoted = Promoted(list(works))
    for code in codes:
        if code not in known:
            unknown = Refusal("PROMO_UNKNOWN", f"there is no promotion {code}", "check the code")
            promoted.findings.append(warning(unknown, code, "PROMO-CODES"))
    if not named and not automatic:
        if codes:
            promoted.trace.append(unknown_codes(promoted.findings))
        return promoted
    parts = [part for work in works if (part := part_of(work)) is not None]
    if freight.gross is not None:
        parts.append(Part(FREIGHT, 1, freight.gross))
    order = Order(asked.customer, asked.day, asked.currency, canonical(parts))
    refused = {
        one.promotion_id: refusal(one, order) or _no_gift(one, asked.items)
        for one in (*named, *automatic)
    }
    holding = [one for one in (*named, *automatic) if refused[one.promotion_id] is None]
    settled = settle(holding, order.parts, asked.currency)
    said = Said(promoted, order, {one.promotion_id for one in named})
    said.refusals([*named, *automatic], refused)
    said.choice(holding, settled)
    for applied in settled.outcome.applied:
        _apply(promoted, applied, asked)
    return promoted


def _no_gift(promotion: Promotion, items: Mapping[str, Item]) -> Refusal | None:
    gift = promotion.gift
    if gift is None or not gift.sku or gift.sku in items:
        return None
    message = f"promotion {promotion.code} gives {gift.sku}, which finance does not have"
    return Refusal("PROMO_GIFT", message, "end the promotion, or add the item to finance")


def _apply(promoted: Promoted, applied: Applied, asked: Asked) -> None:
    promotion, currency = applied.promotion, asked.currency
    label = f"Promotion {promotion.code}"
    rate = percent(promotion.percent) if _plain_rate(promotion, applied) else None
    by_id = {work.line.line_id: work for work in promoted.works}
    for name, off in applied.effect.offs.items():
        if name == FREIGHT:
            promoted.freight.append((promotion, off))
            continue
        note, rule = _words(promotion, applied, name, currency), promotion.promotion_id
        by_id[name].take_off(off, "promotion", rule, currency, label=label, rate=rate, note=note)
    for gift in applied.effect.gifts:
        _give(promoted, promotion, gift, asked)
    promoted.blocks.append(
        PromotionBlock(
            promotion_id=promotion.promotion_id,
            code=promotion.code,
            amount_minor=to_minor(applied.amount, currency),
            free_units=sum(gift.quantity for gift in applied.effect.gifts),
        )
    )


def _plain_rate(promotion: Promotion, applied: Applied) -> bool:
    """Say whether a percentage of the line is what came off, so that it may stand beside it."""
    return (
        promotion.kind == "percent"
        and promotion.base == "running"
        and promotion.limits.max_quantity is None
        and not applied.effect.capped
    )


def _words(promotion: Promotion, applied: Applied, name: str, currency: str) -> str:
    across = promotion.allocation == "across" or promotion.target == "order"
    kind, limits = promotion.kind, promotion.limits
    rate, amount = percent(promotion.percent), plain(promotion.amount.get(currency, ZERO))
    words = {
        "percent": f"{rate}% of what " + ("it was" if promotion.base == "list" else "is left"),
        "amount": f"{amount} {currency} " + ("in all" if across else f"per {promotion.per}"),
        "fixed_price": f"{amount} {currency} each",
        "buy_x_get_y": f"{applied.effect.units.get(name, 0)} of them at {rate}% off",
    }.get(kind, kind.replace("_", " "))
    if across:
        words += ", split over the lines it is about"
    if limits.max_quantity is not None and kind != "buy_x_get_y":
        words += f", for at most {limits.max_quantity} of a line"
    return f"{words}, held to its cap" if applied.effect.capped else words


def _give(promoted: Promoted, promotion: Promotion, gift: GiftLine, asked: Asked) -> None:
    place, beside = next(
        (place, work)
        for place, work in enumerate(promoted.works)
        if work.line.line_id == gift.beside
    )
    own = gift.sku == beside.line.sku
    taken = {work.line.line_id for work in promoted.works}
    names = (f"{gift.beside}.free{n or ''}" for n in range(len(taken) + 1))
    line = beside.line.model_copy(
        update={
            "line_id": next(name for name in names if name not in taken),
            "sku": gift.sku,
            "quantity": gift.quantity,
            **({} if own else {"unit": "each", "term_months": None, "start": None, "end": None}),
            **dict.fromkeys(("segment_of", "part_of", "change", "subscription_id"), None),
            "options": (),
        }
    )
    nothing = round_money(ZERO, asked.currency)
    price = UnitPrice(amount=nothing)
    if own:
        price = replace(beside.price, amount=nothing, findings=[], trace=[], options=[])
        price.contract = price.covered = price.rest = None
        price.extra_cost = ZERO
    work = Work(line, asked.items.get(gift.sku), price, free=True)
    work.term = beside.term if own else work.term
    work.gross = work.running = price.amount
    note = f"free with promotion {promotion.code}: {gift.quantity} beside {gift.beside}"
    rule = promotion.promotion_id
    work.trace.append(
        step(line.line_id, "promotion", rule, source=rule, after=work.running, note=note)
    )
    promoted.gifts[line.line_id] = promotion.code
    after = place + 1
    while after < len(promoted.works) and promoted.works[after].free:
        after += 1
    promoted.works.insert(after, work)


def carry(promoted: Promoted, freight: Freight, loaded: Freight, currency: str) -> Freight:
    """Return the freight with the gifts on board, and what promotions take off it.

    `freight` is that of the lines bought, `loaded` that of all lines; the difference comes off.
    """
    if loaded.gross is None or freight.gross is None:
        return loaded
    if extra := loaded.gross - freight.gross:
        codes = ", ".join(sorted(set(promoted.gifts.values())))
        take_freight(loaded, "PROMO-GIFT", f"Freight of gifts {codes}", extra, currency)
    for promotion, off in promoted.freight:
        rate = percent(promotion.percent) if promotion.kind == "percent" else None
        label = f"Promotion {promotion.code}"
        take_freight(loaded, promotion.promotion_id, label, off, currency, rate)
    return loaded


def take_freight(
    freight: Freight,
    rule_id: str,
    label: str,
    off: Decimal,
    currency: str,
    rate: str | None = None,
    *,
    name: str = "promotion",
) -> None:
    before = freight.net
    assert before is not None  # noqa: S101 - called only on priced freight
    freight.net = before - off
    minor = to_minor(off, currency)
    freight.allowances.append(Allowance(label=label, percent=rate, amount_minor=minor))
    freight.trace.append(
        step("", name, rule_id, source=rule_id, before=before, after=freight.net, note=label)
    )
