"""The taxes of a whole document: groups, rounding per group or per line, and exact totals.

`document` rounding is that of EN 16931: amounts of the same category and rate are added, and each
tax of the group is rounded once. `line` rounding rounds every line's tax and adds them. Which one
holds is the policy of the jurisdiction, and is stored on the quote.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from servers.finance.facts.taxes import Rounding, Tax
from servers.finance.tax.stack import Stacked, stack
from servers.toolkit.money import exponent, round_to, split_units

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
