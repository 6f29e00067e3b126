"""Stacked taxes: what the taxes on one amount come to (the algebra; no law, no data).

A stack is a list of taxes in order. Each is a percentage of its base, a fixed amount per unit, or
a `division`: a percentage of the price with the division taxes in it. A tax may be included in
the price, may enlarge the base of those after it, and may ignore that its own base was enlarged.
An ordinary VAT rate is a stack of one.

Every tax is linear in the net amount, so the net of a tax-inclusive price is one division. Taxes
that the price includes are rounded first, and the net takes what is left: the price on the tag
never changes. Taxes on top are worked out on the bases as printed.

Of a whole document, `document` rounding is that of EN 16931: amounts of the same category and
rate are added, and each tax of the group is rounded once. `line` rounding rounds every line's tax
and adds them. Which one holds is the policy of the jurisdiction, and is stored on the quote.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from servers.finance.facts.taxes import Rounding, Tax
from servers.toolkit.money import exponent, round_to, split_units

ZERO, ONE, HUNDRED = Decimal(0), Decimal(1), Decimal(100)


@dataclass(frozen=True)
class Layer:
    """What one tax of a stack came to, and on which base."""

    tax: Tax
    base: Decimal
    amount: Decimal


@dataclass(frozen=True)
class Stacked:
    """An amount taxed: net + every layer = gross, exactly."""

    net: Decimal
    layers: tuple[Layer, ...]

    @property
    def tax(self) -> Decimal:
        return sum((layer.amount for layer in self.layers), ZERO)

    @property
    def included(self) -> Decimal:
        return sum((layer.amount for layer in self.layers if layer.tax.included), ZERO)

    @property
    def gross(self) -> Decimal:
        return self.net + self.tax


@dataclass(frozen=True)
class _Line:
    """A tax as a function of the net amount: slope x net + constant."""

    slope: Decimal
    constant: Decimal


def stack(taxes: Sequence[Tax], price: Decimal, quantity: Decimal, step: Decimal) -> Stacked:
    """Return the taxes on a price for a quantity, each rounded once to a multiple of `step`.

    `price` is for the whole quantity, with the included taxes in it; the quantity is for fixed
    taxes only.
    """
    lines = _lines(taxes, quantity)
    price = round_to(price, step)
    inside = {
        place: round_to(_included(line, lines, taxes, price), step)
        for place, (tax, line) in enumerate(zip(taxes, lines, strict=True))
        if tax.included
    }
    net = price - sum(inside.values(), ZERO)
    layers: list[Layer] = []
    for place, tax in enumerate(taxes):
        base = net
        if tax.on_enlarged:
            base += sum((done.amount for done in layers if done.tax.enlarges_base), ZERO)
        amount = inside.get(place)
        if amount is None:
            share = _share(taxes, place)
            amount = tax.amount * quantity if tax.kind == "fixed" else base * share
            amount = round_to(amount, step)
        layers.append(Layer(tax, base, amount))
    return Stacked(net, tuple(layers))


def with_included(taxes: Sequence[Tax], net: Decimal, quantity: Decimal) -> Decimal:
    """Return the price, not rounded, that includes a stack's included taxes over a net amount."""
    lines = [line for tax, line in zip(taxes, _lines(taxes, quantity), strict=True) if tax.included]
    return net + sum((line.slope * net + line.constant for line in lines), ZERO)


def net_of(taxes: Sequence[Tax], price: Decimal, quantity: Decimal) -> Decimal:
    """Return the net amount, not rounded, inside a price with its included taxes."""
    lines = [line for tax, line in zip(taxes, _lines(taxes, quantity), strict=True) if tax.included]
    return (price - sum((x.constant for x in lines), ZERO)) / (
        ONE + sum((x.slope for x in lines), ZERO)
    )


def included(taxes: Sequence[Tax]) -> tuple[Tax, ...]:
    return tuple(replace(tax, included=True) for tax in taxes)


def price_elsewhere(price: Decimal, here: Sequence[Tax], there: Sequence[Tax]) -> Decimal:
    """Return a unit price where other taxes hold (the fiscal position), not rounded.

    Only a price with all its taxes included changes: its net stays what it was, and what the
    other taxes include is added. A price that excludes any of its taxes stays as it is.
    """
    if not here or not all(tax.included for tax in here):
        return price
    return with_included(there, net_of(here, price, ONE), ONE)


def _included(line: _Line, lines: list[_Line], taxes: Sequence[Tax], price: Decimal) -> Decimal:
    """Return an included tax of a price; multiplied before it is divided, so ties are exact."""
    mine = [other for tax, other in zip(taxes, lines, strict=True) if tax.included]
    constants = sum((other.constant for other in mine), ZERO)
    slopes = sum((other.slope for other in mine), ZERO)
    return line.slope * (price - constants) / (ONE + slopes) + line.constant


def _lines(taxes: Sequence[Tax], quantity: Decimal) -> list[_Line]:
    """Return every tax as a function of the net amount."""
    made: list[_Line] = []
    for place, tax in enumerate(taxes):
        if tax.kind == "fixed":
            made.append(_Line(ZERO, tax.amount * quantity))
            continue
        slope, constant = ONE, ZERO
        for before, line in zip(taxes, made, strict=False):
            if tax.on_enlarged and before.enlarges_base:
                slope, constant = slope + line.slope, constant + line.constant
        share = _share(taxes, place)
        made.append(_Line(slope * share, constant * share))
    return made


def _share(taxes: Sequence[Tax], place: int) -> Decimal:
    """Return the part of its base that a tax takes; parallel divisions share a denominator."""
    tax = taxes[place]
    if tax.kind == "percent":
        return tax.amount / HUNDRED
    together = next(run for run in _runs(taxes) if place in run)
    rest = HUNDRED - sum((taxes[i].amount for i in together), ZERO)
    return tax.amount / rest


def _runs(taxes: Sequence[Tax]) -> Iterator[range]:
    """Yield the runs of taxes that stand side by side, none enlarging the next one's base."""
    first = 0
    for place in range(1, len(taxes) + 1):
        if place < len(taxes):
            before, tax = taxes[place - 1], taxes[place]
            alike = (before.kind, before.included) == (tax.kind, tax.included)
            if alike and not (before.enlarges_base and tax.on_enlarged):
                continue
        yield range(first, place)
        first = place


ZERO, ONE = Decimal(0), Decimal(1)
RateStep = Decimal("0.01")


@dataclass(frozen=True)
class TaxedAmount:
    """A rounded amount with its taxes; an allowance is negative.

    Without a stack, `rate` is its only tax. `included` says that the amount includes it.
    """

    category: str
    rate: Decimal
    amount: Decimal
    stack: tuple[Tax, ...] = ()
    quantity: Decimal = ONE
    included: bool = False
    jurisdiction: str = ""
    key: str = ""

    @property
    def taxes(self) -> tuple[Tax, ...]:
        return self.stack or (Tax(self.rate, included=self.included),)


@dataclass(frozen=True)
class TaxGroup:
    """One row of the tax breakdown."""

    category: str
    rate: Decimal
    taxable: Decimal
    tax: Decimal
    jurisdiction: str = ""
    name: str = ""


@dataclass(frozen=True)
class Breakdown:
    """A document's taxes: its groups, per part the net and the tax that was inside it.

    `layers` are the sums of the first taxes of all stacks, of the second, and so on.
    """

    groups: list[TaxGroup]
    nets: list[Decimal]
    inside: list[Decimal]
    layers: list[Decimal]

    @property
    def net(self) -> Decimal:
        return sum(self.nets, ZERO)

    @property
    def tax(self) -> Decimal:
        return sum((group.tax for group in self.groups), ZERO)

    @property
    def total(self) -> Decimal:
        return self.net + self.tax


def step_of(currency: str) -> Decimal:
    return ONE.scaleb(-exponent(currency))


def breakdown(
    parts: Sequence[TaxedAmount], step: Decimal, rounding: Rounding = "document"
) -> Breakdown:
    """Return the taxes of a document, the same whatever the order of its parts.

    In document rounding the tax inside tax-inclusive lines is rounded for the group, then shared
    out by largest remainder, so that every line's net and tax add up to its price.
    """
    bundles: dict[tuple[str, str, tuple[Tax, ...]], list[int]] = {}
    order = sorted(range(len(parts)), key=lambda i: (parts[i].key, parts[i].amount))
    for place in order:
        part = parts[place]
        bundles.setdefault((part.category, part.jurisdiction, part.taxes), []).append(place)
    nets, inside = [ZERO] * len(parts), [ZERO] * len(parts)
    rows: dict[tuple[str, Decimal, str, str], tuple[Decimal, Decimal]] = {}
    layers: list[Decimal] = []
    for (category, jurisdiction, taxes), places in bundles.items():
        if rounding == "document":
            amount = sum((parts[i].amount for i in places), ZERO)
            quantity = sum((parts[i].quantity for i in places), ZERO)
            whole = stack(taxes, amount, quantity, step)
            done = [whole]
            shares = split_units(int(abs(whole.included) / step), [parts[i].amount for i in places])
            sign = -1 if whole.included < 0 else 1
            taken = [sign * share * step for share in shares]
        else:
            done = [stack(taxes, parts[i].amount, parts[i].quantity, step) for i in places]
            taken = [one.included for one in done]
        for i, tax in zip(places, taken, strict=True):
            inside[i], nets[i] = tax, round_to(parts[i].amount, step) - tax
        _add(rows, category, jurisdiction, done)
        for place in range(len(taxes)):
            amount = sum((one.layers[place].amount for one in done), ZERO)
            layers[place : place + 1] = [(layers[place] if place < len(layers) else ZERO) + amount]
    groups = [
        TaxGroup(category, rate, taxable, tax, jurisdiction, name)
        for (category, rate, jurisdiction, name), (taxable, tax) in sorted(rows.items())
    ]
    return Breakdown(groups, nets, inside, layers)


def _add(
    rows: dict[tuple[str, Decimal, str, str], tuple[Decimal, Decimal]],
    category: str,
    jurisdiction: str,
    done: Sequence[Stacked],
) -> None:
    for one in done:
        for layer in one.layers:
            key = (category, layer.tax.amount, jurisdiction, layer.tax.name)
            taxable, tax = rows.get(key, (ZERO, ZERO))
            rows[key] = (taxable + layer.base, tax + layer.amount)


def weighted_rate(parts: Sequence[tuple[Decimal, Decimal]]) -> Decimal | None:
    """Return the average percentage of (net, percentage) parts, weighted by net.

    As a fraction it has four decimals: 11.57 is 0.1157. None when there is nothing to weigh.
    """
    net = sum((amount for amount, _ in parts), ZERO)
    if net == 0:
        return None
    average = sum((amount * rate for amount, rate in parts), ZERO) / net
    return round_to(average, RateStep)
