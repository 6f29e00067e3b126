"""Work out a document's taxes again from its own lines: which rows do not follow from them.

A document says of each line one category and what its taxes come to, and of each row of the
breakdown a rate and what it is charged on. A row is charged on lines of its rate; one of a stack
(GST beside a province's tax, say) on lines whose rate is the sum, and a compound one on the taxes
before it too. Rounding is the document's: once per group, or line by line.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations

from servers.finance.documents import CustomerQuote, QuoteDocument
from servers.finance.facts.blocks import TaxBlock
from servers.toolkit.money import exponent, from_minor, round_money, to_minor

Document = QuoteDocument | CustomerQuote
Fault = tuple[str, str, str, str]
"""Where, what is said, what comes out, and why."""


@dataclass(frozen=True)
class Part:
    """A net amount and how it is taxed; `inside` is the tax that its price includes."""

    net: int
    inside: int = 0
    inclusive: bool = False


Groups = dict[Decimal, list[Part]]


def printed(minor: int | None, currency: str) -> str:
    if minor is None:
        return "nothing"
    return f"{from_minor(minor, currency):.{exponent(currency)}f} {currency}"


def tax_faults(q: Document) -> Iterator[Fault]:
    parts = _parts(q)
    charged: dict[tuple[str, Decimal], Decimal] = {}
    compound: set[str] = set()
    for place, tax in enumerate(q.taxes):
        where = f"taxes[{place}] ({tax.category} {tax.rate}%)"
        groups = parts.get(tax.category, {})
        rates = _charged_on(groups, tax)
        if rates is None:
            before = _before(groups, tax, q.taxes)
            if before is None:
                base = sum(part.net for part in groups.get(Decimal(tax.rate), ()))
                said, due = printed(tax.taxable_minor, q.currency), printed(base, q.currency)
                yield f"{where}.taxable_minor", said, due, "the sum of what is taxed so"
            compound.add(tax.category)
            yield from _amount(q, where, tax, [Part(tax.taxable_minor)], exact=before is not None)
            continue
        for rate in rates:
            charged[tax.category, rate] = charged.get((tax.category, rate), Decimal(0)) + Decimal(
                tax.rate
            )
        for_row = [part for rate in rates for part in groups[rate]]
        yield from _amount(q, where, tax, for_row, exact=True)
    for category, groups in parts.items():
        for rate, group in groups.items():
            net = sum(part.net for part in group)
            if net and category not in compound and charged.get((category, rate), -1) != rate:
                what = f"{category} {rate.normalize():f}%"
                yield "taxes", f"no {what}", printed(net, q.currency), "the sum of what is taxed so"


def _parts(q: Document) -> dict[str, Groups]:
    found: dict[str, Groups] = {}

    def add(category: str | None, rate: str | None, part: Part) -> None:
        if category is not None and rate is not None:
            found.setdefault(category, {}).setdefault(Decimal(rate), []).append(part)

    for line in q.lines:
        if line.in_total:
            part = Part(line.net_minor or 0, line.included_tax_minor, line.tax_inclusive)
            add(line.tax_category, line.tax_rate, part)
    add(q.freight.tax_category, q.freight.tax_rate, Part(q.freight.net_minor or 0))
    for charge in q.charges:
        add(charge.tax_category, charge.tax_rate, Part(charge.net_minor))
    return found


def _charged_on(groups: Groups, tax: TaxBlock) -> tuple[Decimal, ...] | None:
    """Return the rates of the lines that a row is charged on; None when none add up to it."""
    own = Decimal(tax.rate)
    sums = {rate: sum(part.net for part in group) for rate, group in groups.items()}
    must = (own,) if own in sums else ()
    others = [rate for rate in sorted(sums) if rate not in must][:8]
    for count in range(len(others) + 1):
        for more in combinations(others, count):
            chosen = (*must, *more)
            if chosen and sum(sums[rate] for rate in chosen) == tax.taxable_minor:
                return chosen
    return None


def _before(groups: Groups, tax: TaxBlock, taxes: Sequence[TaxBlock]) -> int | None:
    """Return the taxes that a compound one is charged on beside the net, None when it is not."""
    net = sum(part.net for group in groups.values() for part in group)
    others = [t.tax_minor for t in taxes if t is not tax and t.category == tax.category][:8]
    for count in range(1, len(others) + 1):
        for chosen in combinations(others, count):
            if net + sum(chosen) == tax.taxable_minor:
                return sum(chosen)
    return None


def _amount(
    q: Document, where: str, tax: TaxBlock, parts: Sequence[Part], *, exact: bool
) -> Iterator[Fault]:
    rate, currency = Decimal(tax.rate), q.currency
    inside = [part.net + part.inside for part in parts if part.inclusive]
    on_top = [part.net for part in parts if not part.inclusive]
    if q.totals.tax_rounding == "document" or not exact:
        inside, on_top = [sum(inside)], [sum(on_top)]
    due = sum(_rounded(one * rate / (100 + rate), currency) for one in map(Decimal, inside))
    due += sum(_rounded(one * rate / 100, currency) for one in map(Decimal, on_top))
    loose = len(parts) if any(part.inside for part in parts) and len(q.taxes) > 1 else 0
    if abs(tax.tax_minor - due) > loose:
        on = f"{tax.rate}% of {printed(tax.taxable_minor, currency)}"
        yield f"{where}.tax_minor", printed(tax.tax_minor, currency), printed(due, currency), on


def _rounded(minor: Decimal, currency: str) -> int:
    return to_minor(round_money(minor.scaleb(-exponent(currency)), currency), currency)
