"""Volume tiers on the lines of a quote: measure, take off, and say when more would cost less."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from servers.finance.facts.prices import Band, History, Schedule
from servers.finance.facts.pricing import PricingFacts
from servers.finance.findings import finding, percent, plain, step
from servers.finance.line_in_work import Work
from servers.finance.prices.tiers import (
    Lot,
    Reduction,
    group_key,
    measure,
    next_band,
    pick,
    reduce_lot,
)
from servers.toolkit.findings import Severity
from servers.toolkit.money import round_money, whole_up

RULE = "VOLUME-TIER"
LABEL = "Volume discount"
MOST_TRIED = 5
"""On how many lines of a group, the cheapest to enlarge first, buying more is tried."""
Place = tuple[Work, Lot]


def apply_tiers(works: Sequence[Work], facts: PricingFacts, day: date, currency: str) -> None:
    """Apply to each line the schedule that holds for it; the works come in canonical order."""
    groups: dict[tuple[str, ...], list[Place]] = {}
    chosen: dict[tuple[str, ...], Schedule] = {}
    for work in works:
        schedule = _schedule_of(work, facts.tiers, day, currency)
        lot = _lot(work)
        if schedule is not None and lot is not None:
            key = group_key(schedule, lot)
            chosen[key] = schedule
            groups.setdefault(key, []).append((work, lot))
    for key in sorted(groups):
        _apply_group(chosen[key], groups[key], facts.history, currency)


def _schedule_of(
    work: Work, schedules: Iterable[Schedule], day: date, currency: str
) -> Schedule | None:
    """Return the one schedule of a line; two of equal rank are a conflict, not a choice."""
    if work.running is None or work.item is None:
        return None
    found = pick(schedules, work.item.sku, work.item.family, currency, day)
    if len(found) > 1:
        work.running = None
        work.findings.append(
            finding(
                "RULE_CONFLICT",
                Severity.ERROR,
                f"{' and '.join(s.schedule_id for s in found[:2])} both apply to {work.line.sku}",
                subject=work.line.line_id,
                rule_id=RULE,
                fix="end one of them",
            )
        )
        return None
    return found[0] if found else None


def _lot(work: Work) -> Lot | None:
    if work.running is None or work.item is None or work.price.amount is None:
        return None
    return Lot(
        line_id=work.line.line_id,
        sku=work.item.sku,
        family=work.item.family,
        quantity=Decimal(work.line.quantity),
        ratio=work.price.ratio,
        unit_price=work.price.amount,
        net=work.running,
        term_months=work.price.term_months,
    )


def _apply_group(
    schedule: Schedule, places: Sequence[Place], history: Iterable[History], currency: str
) -> None:
    """Take the reductions of lots that are measured together.

    Firm lines are measured together, those under an exclusive contract too: they are bought. An
    optional line is measured with the firm ones and itself.
    """
    firm = [lot for work, lot in places if work.in_total]
    for work, lot in places:
        together = firm if work.in_total else [*firm, lot]
        measured = measure(schedule, together, history)
        if work.exclusive:
            _shut_out(work)
            continue
        reduction = reduce_lot(schedule, lot, measured)
        if reduction.bands:
            _take(work, schedule, reduction, measured, len(together), currency)
    _hint(schedule, places, history, currency)


def _take(
    work: Work,
    schedule: Schedule,
    reduction: Reduction,
    measured: Decimal,
    lines: int,
    currency: str,
) -> None:
    before = work.running
    assert before is not None  # noqa: S101 - a lot has an amount
    off = min(before, round_money(reduction.amount, currency))
    first = reduction.bands[0]
    rate = first.value if schedule.unit == "percent" and schedule.type == "range" else None
    note = f"{schedule.basis} {percent(measured)} in " + ", ".join(map(_words, reduction.bands))
    if schedule.aggregation != "line":
        over = schedule.aggregation.replace("_", " ")
        note += f"; counted over the {over}, {lines} line{'s' if lines > 1 else ''}"
    work.take_off(
        off,
        "tier",
        first.band_id if len(reduction.bands) == 1 else schedule.schedule_id,
        currency,
        label=LABEL,
        rate=None if rate is None else percent(rate),
        source=schedule.schedule_id,
        note=note,
        shown=bool(off or rate),
    )


def _words(band: Band) -> str:
    return f"{percent(band.lower)} to {percent(band.upper) if band.upper is not None else 'more'}"


def _shut_out(work: Work) -> None:
    contract = work.price.contract
    assert contract is not None  # noqa: S101 - only a contract shuts out
    work.trace.append(
        step(
            work.line.line_id,
            "tier",
            RULE,
            source=contract.contract_id,
            before=work.running,
            after=work.running,
            note="not applied",
            lost=[f"{RULE}: contract {contract.contract_id} is exclusive"],
        )
    )


def _hint(
    schedule: Schedule, places: Sequence[Place], history: Iterable[History], currency: str
) -> None:
    """Say so when buying up to the next band would cost less, on the line where it is cheapest."""
    mine = [(w, lot) for w, lot in places if w.in_total or schedule.aggregation == "line"]
    if schedule.basis == "term" or any(w.exclusive or w.price.rest is not None for w, _ in mine):
        return
    lots = [lot for _, lot in mine]
    measured = measure(schedule, lots, history)
    band = next_band(schedule, measured)
    if band is None:
        return
    now = _cost(schedule, lots, history, currency)
    missing = band.lower - measured
    larger = [(w, lot, _enlarged(schedule, lot, missing, currency)) for w, lot in mine]
    able = [(more.net - lot.net, w, lot, more) for w, lot, more in larger if more is not None]
    best: tuple[Decimal, Work, Lot] | None = None
    for _, work, lot, more in sorted(able, key=lambda one: one[0])[:MOST_TRIED]:
        then = _cost(schedule, [more if one is lot else one for one in lots], history, currency)
        if then < now and (best is None or then < best[0]):
            best = (then, work, more)
    if best is not None:
        _say(best, now, band, currency, alone=len(lots) == 1)


def _cost(
    schedule: Schedule, lots: Sequence[Lot], history: Iterable[History], currency: str
) -> Decimal:
    """Return what lots cost together after the schedule, each line rounded as the quote does."""
    measured = measure(schedule, lots, history)
    reduced = [(lot.net, reduce_lot(schedule, lot, measured).amount) for lot in lots]
    return sum((net - min(net, round_money(off, currency)) for net, off in reduced), Decimal(0))


def _enlarged(schedule: Schedule, lot: Lot, missing: Decimal, currency: str) -> Lot | None:
    per_unit = lot.unit_price
    if schedule.basis == "quantity":
        per_unit = Decimal(lot.ratio[0]) / lot.ratio[1]
    if per_unit <= 0:
        return None
    quantity = lot.quantity + whole_up(missing / per_unit)
    return replace(lot, quantity=quantity, net=round_money(lot.unit_price * quantity, currency))


def _say(
    best: tuple[Decimal, Work, Lot], now: Decimal, band: Band, currency: str, *, alone: bool
) -> None:
    then, work, lot = best
    together = "" if alone else " and the lines counted with it"
    work.findings.append(
        finding(
            "TIER_HINT",
            Severity.INFO,
            f"{percent(lot.quantity)} of {lot.sku}{together} would cost less than "
            f"{work.line.quantity}: {plain(then)} instead of {plain(now)} {currency}",
            subject=work.line.line_id,
            rule_id=band.band_id,
            fix=f"offer {percent(lot.quantity)}",
        )
    )
