"""What an import would change: the last quotes and the prices, as they come out before and after.

Both are worked out by the same code from the same inputs and days, so that what differs is due to
the import alone.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from servers.finance.findings import percent_of
from servers.toolkit.money import whole_down, whole_up


@dataclass(frozen=True)
class ImportLimits:
    """How far one person alone may move prices by an import; None is any distance."""

    price_percent: Decimal | None = None
    approvals_percent: Decimal | None = None


@dataclass(frozen=True)
class Repriced:
    """A stored quote as it comes out now; without a total it cannot be quoted, as `why` says."""

    quote: str
    currency: str
    total_minor: int | None = None
    needs: tuple[str, ...] = ()
    margin_bp: int | None = None
    below_floor: bool = False
    why: str = ""


@dataclass(frozen=True)
class Picture:
    """The last quotes, and prices by what they are for, at one moment; `below` says which cost."""

    quotes: Mapping[str, Repriced]
    prices: Mapping[str, Decimal]
    below: Mapping[str, str]


@dataclass(frozen=True)
class Change:
    """A quote or a price that comes out differently; `moved_bp` is None from or to nothing."""

    before: Repriced | Decimal
    after: Repriced | Decimal
    moved_bp: int | None
    what: str
    new_approvals: tuple[str, ...] = ()
    stopped: bool = False
    falls_below_floor: bool = False


@dataclass(frozen=True)
class Effects:
    """What an import changes, the largest changes first; `beyond` is what one alone may not do.

    It tells of margins: it is for a person at the command, never for a tool.
    """

    repriced: int
    quotes: tuple[Change, ...]
    prices: tuple[Change, ...]
    below_cost: tuple[str, ...]
    beyond: tuple[str, ...]


def compare(before: Picture, after: Picture, limits: ImportLimits) -> Effects:
    pairs = [(one, after.quotes[name]) for name, one in before.quotes.items()]
    quotes = _largest_first(_quote(*pair) for pair in pairs if pair[0] != pair[1])
    prices = _largest_first(
        Change(amount, after.prices[name], _moved(amount, after.prices[name]), name)
        for name, amount in before.prices.items()
        if after.prices.get(name, amount) != amount
    )
    below = sorted(after.below.items() - before.below.items())
    said = tuple(f"{name}: {amounts}" for name, amounts in below)
    beyond = tuple(_beyond(len(pairs), quotes, prices, limits))
    return Effects(len(pairs), quotes, prices, said, beyond)


def _quote(before: Repriced, after: Repriced) -> Change:
    one, other = before.total_minor, after.total_minor
    both = one is not None and other is not None
    return Change(
        before,
        after,
        _moved(Decimal(one or 0), Decimal(other or 0)) if both else None,
        after.quote,
        tuple(one for one in after.needs if one not in before.needs),
        stopped=one is not None and other is None,
        falls_below_floor=after.below_floor and not before.below_floor,
    )


def _moved(before: Decimal, after: Decimal) -> int | None:
    """Return the change in hundredths of a percent, rounded away from 0: none slips by a limit."""
    if not before:
        return None
    moved = (after - before) * 10_000 / before
    return whole_up(moved) if moved > 0 else whole_down(moved)


def _largest_first(changes: Iterable[Change]) -> tuple[Change, ...]:
    far = sorted(changes, key=lambda one: (one.moved_bp is not None, -abs(one.moved_bp or 0)))
    return tuple(far)


def _beyond(
    repriced: int, quotes: tuple[Change, ...], prices: tuple[Change, ...], limits: ImportLimits
) -> Iterator[str]:
    """Yield what passes the limits of the house."""
    if (most := limits.price_percent) is not None:
        for what, changes in (("prices", prices), ("totals of past quotes", quotes)):
            far = sum(one.moved_bp is None or abs(one.moved_bp) > most * 100 for one in changes)
            if far:
                yield f"{what} that would change by more than {most:f}%: {far:,}"
    if (most := limits.approvals_percent) is not None:
        asked = sum(bool(one.new_approvals) or one.stopped for one in quotes)
        if asked * 100 > most * repriced:
            share = percent_of(whole_down(Decimal(asked * 10_000) / repriced))
            yield f"{asked:,} of {repriced:,} past quotes ({share}) would newly need approval"
