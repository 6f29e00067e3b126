"""What a named person takes off by hand, and the discount asked for (step 7).

An override replaces what a line costs: tiers and promotions do not come off it any more. Then
percentages and amounts come off lines in the order stored, then the requested discount off every
line, then discounts on the document off what is left of lines and freight, split pro rata without
loss. Nothing falls below zero, so no discount ever makes a total higher.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from servers.finance.charges import Freight
from servers.finance.facts.blocks import Allowance
from servers.finance.findings import percent, plain
from servers.finance.line_in_work import Work
from servers.finance.prices.books import ON_REQUEST
from servers.finance.promotions.effects import split
from servers.finance.promotions.promote import take_freight
from servers.finance.schemas import Adjustment, PriceRequest
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.money import round_money, shortened, six_decimals, to_minor, whole_up

ZERO = Decimal(0)
BY_HAND = "MANUAL-ADJUSTMENT"


def check(request: PriceRequest) -> None:
    """Raise InvalidInputError: one names no line, is above 100%, or two set the same price."""
    lines = {line.line_id for line in request.lines}
    overrides: set[str] = set()
    for one in request.adjustments:
        if one.line_id is not None and one.line_id not in lines:
            said = f"an adjustment names {one.line_id}, which is no line"
            raise InvalidInputError(said, fix="name a line_id")
        if one.kind == "percent" and one.value > 100:
            raise InvalidInputError("an adjustment is above 100 percent", fix="give 0 to 100")
        if one.kind != "override":
            continue
        if one.line_id is None or one.line_id in overrides:
            said = "an override sets the price of one line, once"
            raise InvalidInputError(said, fix="name each line once")
        overrides.add(one.line_id)


@dataclass
class ByHand:
    """What was taken off by hand or asked for, measured without any rounding.

    `before` is what the rules left of each part, `after` what is left once people had their say.
    """

    before: dict[str, Decimal] = field(default_factory=dict)
    after: dict[str, Decimal] = field(default_factory=dict)
    counted: list[str] = field(default_factory=list)

    def begin(self, name: str, amount: Decimal, *, counted: bool) -> None:
        self.before[name] = self.after[name] = amount
        if counted:
            self.counted.append(name)

    def document_bp(self) -> int:
        before = sum((self.before[name] for name in self.counted), ZERO)
        return _bp(before, sum((self.after[name] for name in self.counted), ZERO))

    def line_bp(self) -> int:
        return max((_bp(self.before[name], self.after[name]) for name in self.before), default=0)

    def highest_bp(self) -> int:
        """Return the largest discount on any line or on the document, in basis points."""
        return max(self.document_bp(), self.line_bp())


def _bp(before: Decimal, after: Decimal) -> int:
    """Return a discount in basis points, up to the next whole one; nothing off nothing is 0."""
    if before <= 0 or after >= before:
        return 0
    return whole_up(six_decimals((before - after) * 10_000 / before))


def override(work: Work, adjustments: Iterable[Adjustment], currency: str) -> Decimal | None:
    """Set the unit price a person decided; return what the rules left of the line before.

    Above the price it replaces it stands as the unit price; below, the difference is an allowance.
    """
    one = next(
        (a for a in adjustments if a.kind == "override" and a.line_id == work.line.line_id), None
    )
    price, before = work.price.amount, work.running
    if one is not None and any(found.code == ON_REQUEST for found in work.price.findings):
        _answer(work, one, currency)
    if one is None or price is None or before is None:
        return None
    value = round_money(one.value * work.line.quantity, currency)
    lost = [f"{a.label}: the price was set by hand" for a in work.allowances]
    work.allowances, work.overridden = [], True
    if one.value > price or work.gross is None:
        work.price.amount, work.gross = shortened(one.value), value
    elif off := work.gross - value:
        minor = to_minor(off, currency)
        work.allowances.append(Allowance(label="Agreed price", percent=None, amount_minor=minor))
    work.running = value
    note = f"unit price {plain(shortened(one.value))} instead of {plain(price)}; {_why(one)}"
    work.say("manual", BY_HAND, source=one.author, before=before, after=value, note=note, lost=lost)
    return before


def _answer(work: Work, one: Adjustment, currency: str) -> None:
    """Give a line whose price is on request the unit price that a person decided."""
    work.price.findings = [found for found in work.price.findings if found.code != ON_REQUEST]
    work.price.amount, work.price.currency = shortened(one.value), currency
    work.gross = work.running = round_money(one.value * work.line.quantity, currency)
    work.overridden = True
    note = f"unit price {plain(shortened(one.value))}, on request; {_why(one)}"
    work.say("manual", BY_HAND, source=one.author, after=work.running, note=note)


def take(
    works: Sequence[Work],
    freight: Freight,
    request: PriceRequest,
    replaced: dict[str, Decimal],
    currency: str,
) -> ByHand:
    """Take off what was adjusted by hand and asked for; `replaced` is what overrides replaced."""
    hand = ByHand()
    for work in works:
        if work.running is not None and not work.free:
            name = work.line.line_id
            hand.begin(name, replaced.get(name, work.running), counted=work.in_total)
            hand.after[name] = work.running
    if freight.net is not None:
        hand.begin("", freight.net, counted=True)
    by_id = {work.line.line_id: work for work in works}
    for one in request.adjustments:
        if one.line_id is not None and one.kind != "override":
            _line(by_id[one.line_id], one, hand, currency)
    for work in works:
        rate = Decimal(request.discount_bp) / 100
        if rate and work.running is not None:
            take_off(work, "discount", "REQUESTED-DISCOUNT", "Discount", rate, currency)
        if work.line.line_id in hand.after:
            hand.after[work.line.line_id] *= 1 - rate / 100
    for one in request.adjustments:
        if one.line_id is None:
            _document(works, freight, one, hand, currency)
    return hand


def _line(work: Work, one: Adjustment, hand: ByHand, currency: str) -> None:
    before, name = work.running, work.line.line_id
    if before is None:
        return
    if one.kind == "percent":
        note = f"{percent(one.value)}% of {plain(before)}; {_why(one)}"
        take_off(work, "manual", BY_HAND, "Discount", one.value, currency, note)
        hand.after[name] *= 1 - one.value / 100
        return
    off = min(before, round_money(one.value, currency))
    _reduce(work, one, off, None, currency, f"{plain(off)} {currency}")
    hand.after[name] = max(ZERO, hand.after[name] - off)


def _document(
    works: Sequence[Work], freight: Freight, one: Adjustment, hand: ByHand, currency: str
) -> None:
    """Take a discount on the document off lines and freight, in proportion to what is left."""
    mine = sorted(
        (w for w in works if w.in_total and w.running is not None and not w.free),
        key=lambda work: (len(work.line.line_id), work.line.line_id),
    )
    weights = [work.running or ZERO for work in mine] + [freight.net or ZERO]
    base = sum(weights, ZERO)
    rate = percent(one.value) if one.kind == "percent" else None
    *shares, off_freight = document_shares(one, weights, currency)
    off = sum(shares, off_freight)
    words = f"{rate}%" if rate else f"{plain(off)} {currency}"
    note = f"a share of {words} off {plain(base)} in all"
    for work, share in zip(mine, shares, strict=True):
        if share:
            _reduce(work, one, share, rate, currency, note)
    if off_freight:
        label = "Document discount"
        take_freight(freight, BY_HAND, label, off_freight, currency, rate, name="manual")
    kept = 1 - (one.value / 100 if rate else off / base if base else ZERO)
    for name in hand.counted:
        hand.after[name] *= kept


def document_shares(one: Adjustment, weights: Sequence[Decimal], currency: str) -> list[Decimal]:
    """Return what a discount on the document takes off each part: exact, and never below zero."""
    base = sum(weights, ZERO)
    whole = base * one.value / 100 if one.kind == "percent" else one.value
    return split(min(base, round_money(whole, currency)), weights, currency)


def _reduce(
    work: Work, one: Adjustment, off: Decimal, rate: str | None, currency: str, note: str
) -> None:
    label, note = "Discount" if one.line_id else "Document discount", f"{note}; {_why(one)}"
    by = one.author
    work.take_off(off, "manual", BY_HAND, currency, label=label, rate=rate, source=by, note=note)


def _why(one: Adjustment) -> str:
    return f"reason {one.reason_code}" + (f", by {one.author}" if one.author else "")


def take_off(
    work: Work, name: str, rule_id: str, label: str, rate: Decimal, currency: str, note: str = ""
) -> None:
    """Take a percentage off what is left of a line, rounded once."""
    before = work.running
    assert before is not None  # noqa: S101 - called only on priced lines
    off = min(before, round_money(before * rate / 100, currency))
    note = note or f"{percent(rate)}% of {plain(before)}"
    work.take_off(off, name, rule_id, currency, label=label, rate=percent(rate), note=note)
