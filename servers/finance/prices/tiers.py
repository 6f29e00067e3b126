"""Step 5, volume tiers: discount schedules whose bands depend on how much is bought.

A `range` schedule gives everything the band that the measure falls in; a `slab` schedule gives
each band's own pieces its value. The measure is a quantity in base units, an amount or a term,
of the line alone or summed over the lines with the same product, the same family, the whole
quote, or the quote and what the account has already. A band's lower end is in it, its upper is not.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from servers.finance.facts.prices import Band, History, Schedule
from servers.finance.prices.units import Ratio, in_base

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
    found = [band for band in schedule.bands if band.holds(measured)]
    if not found:
        return Reduction(ZERO)
    band = found[0]
    if schedule.unit == "percent":
        return Reduction(lot.net * band.value / 100, (band,))
    return Reduction(_within(_of_slice(schedule, band, lot, lot.pieces), lot), (band,))


def _slice(schedule: Schedule, band: Band, measured: Decimal) -> Decimal:
    """Return how much of a measure lies in a band; the first piece is piece number one."""
    before = band.lower - (ONE if schedule.basis == "quantity" else ZERO)
    until = measured
    if band.upper is not None:
        until = min(until, band.upper - (ONE if schedule.basis == "quantity" else ZERO))
    return until - max(before, ZERO)


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
