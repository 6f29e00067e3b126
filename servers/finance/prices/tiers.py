"""Step 5, volume tiers: discount schedules whose bands depend on how much is bought.

A `range` schedule gives everything the band that the measure falls in; a `slab` schedule gives
each band's own pieces its value. The measure is a quantity in base units, an amount or a term,
of the line alone or summed over the lines with the same product, the same family, the whole
quote, or the quote and what the account has already. A band's lower end is in it, its upper is not.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from servers.finance.facts.prices import Band, History, Schedule
from servers.finance.facts.pricing import PricingFacts
from servers.finance.findings import percent, plain, step
from servers.finance.line_in_work import Work
from servers.finance.prices.units import Ratio, in_base
from servers.toolkit.findings import Severity
from servers.toolkit.money import round_money, whole_up

ZERO = Decimal(0)
ONE = Decimal(1)


@dataclass(frozen=True)
class Lot:
    """What a schedule sees of a line; `unit_price` is per unit, `net` what tiers begin with."""

    line_id: str
    sku: str
    family: str
    quantity: Decimal
    ratio: Ratio
    unit_price: Decimal
    net: Decimal
    term_months: int | None = None

    @property
    def pieces(self) -> Decimal:
        return in_base(self.quantity, self.ratio)


@dataclass(frozen=True)
class Reduction:
    """What a schedule takes off a lot, unrounded; `bands` took part."""

    amount: Decimal
    bands: tuple[Band, ...] = ()


def selects(schedule: Schedule, sku: str, family: str) -> bool:
    named = {"sku": sku, "family": family, "all": ""}
    return schedule.selector == named[schedule.scope]


def pick(
    schedules: Iterable[Schedule], sku: str, family: str, currency: str, day: date
) -> list[Schedule]:
    """Return the schedules of the highest rank for a product: one, none, or a tie.

    A SKU's own before its family's before everybody's, then the newest window.
    """
    exact = {"sku": 2, "family": 1, "all": 0}
    fits = [
        ((exact[s.scope], s.window.first or date.min), s)
        for s in sorted(schedules, key=lambda s: s.schedule_id)
        if selects(s, sku, family) and s.window.covers(day) and s.currency in ("", currency)
    ]
    best = max((rank for rank, _ in fits), default=None)
    return [schedule for rank, schedule in fits if rank == best]


def group_key(schedule: Schedule, lot: Lot) -> tuple[str, ...]:
    of = {"line": lot.line_id, "product": lot.sku, "group": lot.family}
    return (schedule.schedule_id, of.get(schedule.aggregation, ""))


def measure(schedule: Schedule, lots: Sequence[Lot], history: Iterable[History] = ()) -> Decimal:
    if schedule.basis == "term":
        return Decimal(max((lot.term_months or 0 for lot in lots), default=0))
    if schedule.basis == "amount":
        return sum((lot.net for lot in lots), ZERO)
    had = ZERO
    if schedule.aggregation == "account_history":
        had = sum((h.quantity for h in history if selects(schedule, h.sku, h.family)), ZERO)
    return had + sum((lot.pieces for lot in lots), ZERO)


def reduce_lot(schedule: Schedule, lot: Lot, measured: Decimal) -> Reduction:
    """Return what a schedule takes off a lot whose group measures so much; never below zero."""
    if schedule.type == "slab":
        slices = [(band, _slice(schedule, band, measured)) for band in schedule.bands]
        slices = [(band, size) for band, size in slices if size > 0]
        off = sum((_of_slice(schedule, band, lot, size) for band, size in slices), ZERO)
        return Reduction(_within(off, lot), tuple(band for band, _ in slices))
    band = next((band for band in schedule.bands if band.holds(measured)), None)
    if band is None:
        return Reduction(ZERO)
    if schedule.unit == "percent":
        return Reduction(lot.net * band.value / 100, (band,))
    return Reduction(_within(_of_slice(schedule, band, lot, lot.pieces), lot), (band,))


def _slice(schedule: Schedule, band: Band, measured: Decimal) -> Decimal:
    """Return how much of a measure lies in a band; the first piece is piece number one."""
    one = ONE if schedule.basis == "quantity" else ZERO
    until = measured if band.upper is None else min(measured, band.upper - one)
    return until - max(band.lower - one, ZERO)


def _of_slice(schedule: Schedule, band: Band, lot: Lot, size: Decimal) -> Decimal:
    if schedule.unit == "flat":
        return band.value
    if schedule.basis == "amount":
        return size * band.value / 100
    upper, lower = lot.ratio
    if schedule.unit == "percent":
        return size * lot.unit_price * lower / upper * band.value / 100
    if schedule.unit == "amount":
        return size * band.value
    return max(ZERO, size * lot.unit_price * lower / upper - size * band.value)


def _within(off: Decimal, lot: Lot) -> Decimal:
    return min(max(off, ZERO), lot.net)


def next_band(schedule: Schedule, measured: Decimal) -> Band | None:
    later = [band for band in schedule.bands if band.lower > measured]
    return min(later, key=lambda band: band.lower, default=None)


ALLOWED: Mapping[str, frozenset[str]] = {
    "quantity": frozenset({"percent", "amount", "unit_price", "flat"}),
    "amount": frozenset({"percent", "flat"}),
    "term": frozenset({"percent", "amount", "unit_price", "flat"}),
}


def schedule_problem(schedule: Schedule) -> str:
    name, money = schedule.schedule_id, schedule.unit != "percent" or schedule.basis == "amount"
    alone = schedule.aggregation == "line"
    if schedule.type == "slab" and not alone:
        return f"{name}: slab bands cannot be aggregated over lines"
    if schedule.type == "slab" and schedule.basis == "term":
        return f"{name}: slab bands cannot be measured by term"
    if not alone and (schedule.unit == "flat" or schedule.basis == "term"):
        return f"{name}: a flat amount or a term cannot be aggregated over lines"
    if schedule.aggregation == "account_history" and schedule.basis != "quantity":
        return f"{name}: what an account already has is counted by quantity only"
    if schedule.unit not in ALLOWED[schedule.basis]:
        return f"{name}: {schedule.unit} cannot be measured by {schedule.basis}"
    if money != bool(schedule.currency):
        return f"{name}: amounts need a currency, percentages by quantity or term have none"
    if (schedule.scope == "all") == bool(schedule.selector):
        return f"{name}: a sku or family is selected by name, all by none"
    if schedule.unit == "percent" and any(band.value > 100 for band in schedule.bands):
        return f"{name}: more than 100 percent off"
    return _band_problem(name, schedule.bands)


def _band_problem(name: str, bands: Sequence[Band]) -> str:
    """Refuse bands that are empty, overlap, or leave a gap; the last one is open."""
    ordered = sorted(bands, key=lambda band: band.lower)
    for place, band in enumerate(ordered):
        following = ordered[place + 1] if place + 1 < len(ordered) else None
        if band.upper is not None and band.upper <= band.lower:
            return f"{name}: {band.band_id} ends before it begins"
        if following is None:
            return "" if band.upper is None else f"{name}: the last band must be open"
        if band.upper != following.lower:
            return f"{name}: {band.band_id} and {following.band_id} overlap or leave a gap"
    return f"{name}: there are no bands"


RULE = "VOLUME-TIER"
LABEL = "Volume discount"
MOST_TRIED = 5
"""On how many lines of a group, the cheapest to enlarge first, buying more is tried."""


def apply_tiers(works: Sequence[Work], facts: PricingFacts, day: date, currency: str) -> None:
    """Apply to each line the schedule that holds for it; the works come in canonical order."""
    groups: dict[tuple[str, ...], _Group] = {}
    for work in works:
        schedule, lot = _schedule_of(work, facts.tiers, day, currency), _lot(work)
        if schedule is not None and lot is not None:
            group = _Group(schedule, facts.history, currency)
            groups.setdefault(group_key(schedule, lot), group).places.append((work, lot))
    for key in sorted(groups):
        groups[key].apply()


def _schedule_of(
    work: Work, schedules: Iterable[Schedule], day: date, currency: str
) -> Schedule | None:
    """Return the one schedule of a line; two of equal rank are a conflict, not a choice."""
    if work.running is None or work.item is None:
        return None
    found = pick(schedules, work.item.sku, work.item.family, currency, day)
    if len(found) > 1:
        work.running = None
        two = " and ".join(schedule.schedule_id for schedule in found[:2])
        said, fix = f"{two} both apply to {work.line.sku}", "end one of them"
        work.price.say("RULE_CONFLICT", Severity.ERROR, said, RULE, fix)
        return None
    return found[0] if found else None


def _lot(work: Work) -> Lot | None:
    price, item = work.price, work.item
    if work.running is None or item is None or price.amount is None:
        return None
    about = (price.ratio, price.amount, work.running, price.term_months)
    return Lot(work.line.line_id, item.sku, item.family, work.line.quantity, *about)


@dataclass(frozen=True)
class _Group:
    """The lots that a schedule measures together.

    Firm lines are measured together, those under an exclusive contract too: they are bought. An
    optional line is measured with the firm ones and itself.
    """

    schedule: Schedule
    history: Sequence[History]
    currency: str
    places: list[tuple[Work, Lot]] = field(default_factory=list)

    def apply(self) -> None:
        firm = [lot for work, lot in self.places if work.in_total]
        for work, lot in self.places:
            together = firm if work.in_total else [*firm, lot]
            measured = measure(self.schedule, together, self.history)
            contract = work.price.contract
            if contract is not None and contract.exclusive:
                _shut_out(work, contract.contract_id)
                continue
            reduction = reduce_lot(self.schedule, lot, measured)
            if reduction.bands:
                self._take(work, reduction, measured, len(together))
        self._hint()

    def _take(self, work: Work, reduction: Reduction, measured: Decimal, lines: int) -> None:
        schedule, bands, before = self.schedule, reduction.bands, work.running
        assert before is not None  # noqa: S101 - a lot has an amount
        off = min(before, round_money(reduction.amount, self.currency))
        first = bands[0]
        rate = first.value if schedule.unit == "percent" and schedule.type == "range" else None
        note = f"{schedule.basis} {percent(measured)} in {', '.join(map(_words, bands))}"
        if schedule.aggregation != "line":
            over = schedule.aggregation.replace("_", " ")
            note += f"; counted over the {over}, {lines} line{'s' if lines > 1 else ''}"
        work.take_off(
            off,
            "tier",
            first.band_id if len(bands) == 1 else schedule.schedule_id,
            self.currency,
            label=LABEL,
            rate=None if rate is None else percent(rate),
            source=schedule.schedule_id,
            note=note,
            shown=bool(off or rate),
        )

    def _hint(self) -> None:
        """Say so, on the cheapest line for it, when buying up to the next band would cost less."""
        schedule, places = self.schedule, self.places
        mine = [(w, lot) for w, lot in places if w.in_total or schedule.aggregation == "line"]
        apart = any(work.exclusive or work.price.rest is not None for work, _ in mine)
        if schedule.basis == "term" or apart:
            return
        lots = [lot for _, lot in mine]
        measured = measure(schedule, lots, self.history)
        band = next_band(schedule, measured)
        if band is None:
            return
        now, missing = self._cost(lots), band.lower - measured
        larger = [(w, lot, self._enlarged(lot, missing)) for w, lot in mine]
        able = [(more.net - lot.net, w, lot, more) for w, lot, more in larger if more is not None]
        best: tuple[Decimal, Work, Lot] | None = None
        for _, work, lot, more in sorted(able, key=lambda one: one[0])[:MOST_TRIED]:
            then = self._cost([more if one is lot else one for one in lots])
            if then < now and (best is None or then < best[0]):
                best = (then, work, more)
        if best is None:
            return
        then, work, lot = best
        many = percent(lot.quantity)
        together = "" if len(lots) == 1 else " and the lines counted with it"
        said = (
            f"{many} of {lot.sku}{together} would cost less than {work.line.quantity}: "
            f"{plain(then)} instead of {plain(now)} {self.currency}"
        )
        work.price.say("TIER_HINT", Severity.INFO, said, band.band_id, f"offer {many}")

    def _cost(self, lots: Sequence[Lot]) -> Decimal:
        """Return what lots cost together after the schedule, every line rounded as in the quote."""
        measured = measure(self.schedule, lots, self.history)
        reduced = [(lot.net, reduce_lot(self.schedule, lot, measured).amount) for lot in lots]
        return sum((net - min(net, round_money(off, self.currency)) for net, off in reduced), ZERO)

    def _enlarged(self, lot: Lot, missing: Decimal) -> Lot | None:
        per_unit = lot.unit_price
        if self.schedule.basis == "quantity":
            per_unit = Decimal(lot.ratio[0]) / lot.ratio[1]
        if per_unit <= 0:
            return None
        quantity = lot.quantity + whole_up(missing / per_unit)
        net = round_money(lot.unit_price * quantity, self.currency)
        return replace(lot, quantity=quantity, net=net)


def _shut_out(work: Work, name: str) -> None:
    left, lost = work.running, [f"{RULE}: contract {name} is exclusive"]
    ends = {"before": left, "after": left}
    work.trace.append(
        step(work.line.line_id, "tier", RULE, source=name, note="not applied", lost=lost, **ends)
    )


def _words(band: Band) -> str:
    return f"{percent(band.lower)} to {percent(band.upper) if band.upper is not None else 'more'}"
