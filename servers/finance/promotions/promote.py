"""Promotions on a quote (step 6): who holds, which combination applies, and what lost, aloud.

The rules work on parts (`effects.py`); this puts what they answer on lines and freight. A
free item becomes a line of its own that costs nothing: its quantity, tax and cost are true, it
weighs in the freight, and what it adds to the freight comes off again, so a gift is a gift.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from servers.finance.charges import Freight
from servers.finance.facts.blocks import Allowance, PromotionBlock, TraceStep
from servers.finance.facts.prices import Item
from servers.finance.facts.pricing import PricingFacts
from servers.finance.facts.promotions import Promotion
from servers.finance.findings import finding, percent, plain, step
from servers.finance.line_in_work import Work
from servers.finance.prices.units import UnitPrice
from servers.finance.promotions.effects import FREIGHT, GiftLine, Part, canonical, is_shipping
from servers.finance.promotions.rules import (
    Applied,
    Order,
    Refusal,
    Settled,
    refusal,
    settle,
)
from servers.finance.schemas import PriceRequest
from servers.toolkit.findings import Finding, Severity
from servers.toolkit.money import round_money, to_minor

ZERO = Decimal(0)
RULE = "PROMO-CODES"


@dataclass
class Promoted:
    """What promotions made of a quote: its lines with the free ones, and what is said."""

    works: list[Work]
    gifts: dict[str, str] = field(default_factory=dict)
    freight: list[tuple[Promotion, Decimal]] = field(default_factory=list)
    blocks: list[PromotionBlock] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    trace: list[TraceStep] = field(default_factory=list)


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


def promote(
    works: Sequence[Work],
    freight: Freight,
    facts: PricingFacts,
    request: PriceRequest,
    currency: str,
) -> Promoted:
    known = {one.code: one for one in facts.promotions}
    codes = sorted(set(request.promo_codes))
    named = [known[code] for code in codes if code in known]
    automatic = [one for one in known.values() if one.automatic and one.code not in codes]
    looked_at = [*named, *automatic]
    promoted = Promoted(list(works))
    for code in codes:
        if code not in known:
            unknown = Refusal("PROMO_UNKNOWN", f"there is no promotion {code}", "check the code")
            promoted.findings.append(warning(unknown, code, RULE))
    if not looked_at:
        if codes:
            lost = [f"{one.subject}: {one.message}" for one in promoted.findings]
            promoted.trace.append(step("", "promotion", RULE, note="none applies", lost=lost))
        return promoted
    parts = [part for work in works if (part := part_of(work)) is not None]
    if freight.gross is not None:
        parts.append(Part(FREIGHT, Decimal(1), freight.gross))
    order = Order(facts.customer, request.order_date, currency, canonical(parts))
    refused = {p.promotion_id: refusal(p, order) or _no_gift(p, facts.items) for p in looked_at}
    holding = [one for one in looked_at if refused[one.promotion_id] is None]
    settled = settle(holding, order.parts, currency)
    said = Said(promoted, order, {one.promotion_id for one in named})
    said.refusals(looked_at, refused)
    said.choice(holding, settled)
    for applied in settled.outcome.applied:
        _apply(promoted, applied, facts.items, currency)
    return promoted


def warning(why: Refusal, code: str, rule_id: str) -> Finding:
    severity = Severity.WARNING
    return finding(why.code, severity, why.message, subject=code, rule_id=rule_id, fix=why.fix)


def _no_gift(promotion: Promotion, items: Mapping[str, Item]) -> Refusal | None:
    gift = promotion.gift
    if gift is None or not gift.sku or gift.sku in items:
        return None
    message = f"promotion {promotion.code} gives {gift.sku}, which finance does not have"
    return Refusal("PROMO_GIFT", message, "end the promotion, or add the item to finance")


def _apply(promoted: Promoted, applied: Applied, items: Mapping[str, Item], currency: str) -> None:
    promotion, gifts = applied.promotion, applied.effect.gifts
    label, rule = f"Promotion {promotion.code}", promotion.promotion_id
    rate = percent(promotion.percent) if _plain_rate(promotion, applied) else None
    by_id = {work.line.line_id: work for work in promoted.works}
    for name, off in applied.effect.offs.items():
        if name == FREIGHT:
            promoted.freight.append((promotion, off))
            continue
        note = _words(promotion, applied, name, currency)
        by_id[name].take_off(off, "promotion", rule, currency, label=label, rate=rate, note=note)
    for gift in gifts:
        _give(promoted, promotion, gift, items, currency)
    minor, units = to_minor(applied.amount, currency), sum(gift.quantity for gift in gifts)
    promoted.blocks.append(
        PromotionBlock(promotion_id=rule, code=promotion.code, amount_minor=minor, free_units=units)
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
        "buy_x_get_y": f"{percent(applied.effect.units.get(name, ZERO))} of them at {rate}% off",
    }.get(kind, kind.replace("_", " "))
    if across:
        words += ", split over the lines it is about"
    if limits.max_quantity is not None and kind != "buy_x_get_y":
        words += f", for at most {limits.max_quantity} of a line"
    return f"{words}, held to its cap" if applied.effect.capped else words


def _give(
    promoted: Promoted,
    promotion: Promotion,
    gift: GiftLine,
    items: Mapping[str, Item],
    currency: str,
) -> None:
    line_ids = [work.line.line_id for work in promoted.works]
    place = line_ids.index(gift.beside)
    beside = promoted.works[place]
    own = gift.sku == beside.line.sku
    names = (f"{gift.beside}.free{n or ''}" for n in range(len(line_ids) + 1))
    update = {
        "line_id": next(name for name in names if name not in line_ids),
        "sku": gift.sku,
        "quantity": Decimal(gift.quantity),
        **dict.fromkeys(("segment_of", "part_of", "change", "subscription_id"), None),
        "options": (),
    }
    if not own:
        update |= {"unit": "each", "term_months": None, "start": None, "end": None}
    line = beside.line.model_copy(update=update)
    nothing = round_money(ZERO, currency)
    price = UnitPrice(nothing, line.line_id)
    if own:
        price = replace(beside.price, amount=nothing, findings=[], trace=[], options=[])
        price.line_id, price.extra_cost = line.line_id, ZERO
        price.contract = price.covered = price.rest = None
    work = Work(line, items.get(gift.sku), price, free=True)
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


class Said:
    """Says of every promotion why it does not hold, lost, or was held to a cap."""

    def __init__(self, promoted: Promoted, order: Order, named: set[str]) -> None:
        self.promoted, self.order, self.named = promoted, order, named
        self.lost = [f"{one.subject}: {one.message}" for one in promoted.findings]

    def refusals(self, promotions: Sequence[Promotion], refused: dict[str, Refusal | None]) -> None:
        for one in promotions:
            if why := refused[one.promotion_id]:
                self._refuse(one, why)
        for work in self.promoted.works:
            if work.item is None or not (work.exclusive or work.overridden):
                continue
            fit = [p for p in promotions if p.target == "lines" and p.on.fits(work.item, "")]
            self._shut_out(work, [p for p in fit if p.kind != "free_shipping"])

    def _shut_out(self, work: Work, promotions: Sequence[Promotion]) -> None:
        contract = work.price.contract if work.exclusive else None
        why = f"contract {contract.contract_id} is exclusive" if contract else "its price was set"
        source, left = contract.contract_id if contract else "", work.running
        for name in (one.promotion_id for one in promotions):
            about = (work.line.line_id, "promotion", name)
            lost, note = [f"{name}: {why}"], "not applied"
            work.trace.append(
                step(*about, source=source, before=left, after=left, note=note, lost=lost)
            )

    def choice(self, holding: Sequence[Promotion], settled: Settled) -> None:
        outcome, currency = settled.outcome, self.order.currency
        for one, other in settled.conflicts:
            message = f"promotions {one.code} and {other.code} have equal priority in one group"
            self.lost += [f"{one.code}: {message}"]
            rule, fix = one.promotion_id, "give one of them another priority"
            self.promoted.findings.append(
                finding(
                    "RULE_CONFLICT",
                    Severity.ERROR,
                    message,
                    subject=one.code,
                    rule_id=rule,
                    fix=fix,
                )
            )
        clashing = {p.promotion_id for pair in settled.conflicts for p in pair}
        won = {one.promotion.promotion_id for one in outcome.applied}
        for one in holding:
            if one.promotion_id not in won | clashing:
                self._lost(one, settled)
        for winner in outcome.applied:
            if winner.effect.capped:
                most = f"takes off at most {plain(winner.amount)} {currency}"
                self._inform(
                    winner.promotion, "PROMO_CAPPED", f"promotion {winner.promotion.code} {most}"
                )
        applied = [f"{a.promotion.code} {plain(a.amount)}" for a in outcome.applied]
        ended = f"applied: {', '.join(applied)}" if applied else "none applies"
        note = f"merchandise {plain(self.order.merchandise)} {currency}; {ended}"
        if applied or self.lost:
            self.promoted.trace.append(step("", "promotion", RULE, note=note, lost=self.lost))

    def _lost(self, one: Promotion, settled: Settled) -> None:
        outcome = settled.outcome
        if why := outcome.refused.get(one.promotion_id):
            self._refuse(one, why)
        elif one in outcome.idle:
            self._inform(one, "PROMO_NO_EFFECT", f"promotion {one.code} takes nothing off here")
        else:
            self._inform(one, "PROMO_NOT_STACKABLE", self._against(one, settled))

    def _against(self, one: Promotion, settled: Settled) -> str:
        winners = [applied.promotion for applied in settled.outcome.applied]
        codes = ", ".join(p.code for p in winners) or "the price without it"
        same = [p.code for p in winners if p.stack_group == one.stack_group]
        alone, together = settled.alone, settled.together
        if one.exclusive or any(p.exclusive for p in winners):
            assert alone is not None and together is not None  # noqa: S101, PT018 - one is exclusive
            currency, own = self.order.currency, alone.applied
            name = ", ".join(a.promotion.code for a in own) or one.code
            return (
                f"promotion {one.code} does not stack with {codes}: {name} alone takes "
                f"{plain(alone.benefit)} {currency} off, the others {plain(together.benefit)}"
            )
        return f"promotion {one.code} does not stack with {', '.join(same) or codes}"

    def _refuse(self, one: Promotion, why: Refusal) -> None:
        self.lost.append(f"{one.code}: {why.message}")
        if one.promotion_id in self.named:
            self.promoted.findings.append(warning(why, one.code, one.promotion_id))

    def _inform(self, one: Promotion, code: str, message: str) -> None:
        self.lost.append(f"{one.code}: {message}")
        if one.promotion_id in self.named and not (code == "PROMO_NO_EFFECT" and is_shipping(one)):
            self.promoted.findings.append(
                finding(code, Severity.INFO, message, subject=one.code, rule_id=one.promotion_id)
            )
