"""Units of measure: how many base units a box or a dozen is; and the price of one unit of a line.

Quantities are compared in base units. A price of a unit of its own is the price of that unit; a
price per base unit multiplies. A unit without a factor has no price: nothing is guessed.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from servers.finance.facts.blocks import ComponentBlock, OptionBlock, TraceStep
from servers.finance.facts.prices import Contract, ItemUnit, Proration
from servers.finance.findings import finding, step
from servers.toolkit.findings import Finding, Severity

Ratio = tuple[int, int]
"""Base units per unit, as numerator and denominator."""
ONE: Ratio = (1, 1)


class Units:
    """The units of some items, by SKU."""

    def __init__(self, rows: Iterable[ItemUnit]) -> None:
        self._of: dict[str, dict[str, Ratio]] = {}
        for row in rows:
            self._of.setdefault(row.sku, {})[row.unit] = (row.numerator, row.denominator)

    def ratio(self, sku: str, unit: str) -> Ratio | None:
        """Return a unit's factor; an item without any unit rows has one unit, whatever its name."""
        mine = self._of.get(sku)
        return ONE if mine is None else mine.get(unit)

    def base_unit(self, sku: str) -> str:
        rows = self._of.get(sku, {})
        return next((unit for unit, ratio in sorted(rows.items()) if ratio == ONE), "each")

    def multiplies(self, sku: str, priced_by: str, unit: str) -> bool:
        mine = self._of.get(sku)
        if mine is None:
            return priced_by == "" and unit == "each"
        return unit in mine and (priced_by == "" or mine.get(priced_by) == ONE)


def in_base(quantity: Decimal, ratio: Ratio) -> Decimal:
    return quantity * ratio[0] / ratio[1]


@dataclass
class UnitPrice:
    """The unit price of a line, and how it came about; None is no price.

    It is for the standard term until `subscriptions.put_term` has made it that of the line's own.
    `ratio` is base units per unit. `covered` is how many base units a contract holds for; `rest`
    is the unit price of those it does not hold for, before the term. `extra_cost` is what the
    options cost us per unit; None when that is not known.
    """

    amount: Decimal | None = None
    line_id: str = ""
    list_amount: Decimal | None = None
    book: str | None = None
    contract: Contract | None = None
    entry_id: str = ""
    currency: str = ""
    default_term_months: int | None = None
    proration: Proration = "monthly"
    term_months: int | None = None
    term_factor: tuple[int, int] = (1, 1)
    tax_inclusive: bool = False
    book_country: str = ""
    ratio: Ratio = ONE
    covered: Decimal | None = None
    rest: Decimal | None = None
    extra_cost: Decimal | None = Decimal(0)
    options: list[OptionBlock] = field(default_factory=list)
    components: list[ComponentBlock] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    trace: list[TraceStep] = field(default_factory=list)

    def note(
        self,
        name: str,
        rule_id: str,
        before: Decimal | None,
        note: str,
        *,
        source: str = "",
        lost: Iterable[str] = (),
    ) -> None:
        """Put into the trace what a step made of the amount `before`."""
        after, line_id = self.amount, self.line_id
        made = step(
            line_id, name, rule_id, source=source, before=before, after=after, note=note, lost=lost
        )
        self.trace.append(made)

    def say(
        self, code: str, severity: Severity, message: str, rule_id: str, fix: str, *facts: str
    ) -> Finding:
        """Add a finding about the line, with the facts behind it, and return it."""
        subject = self.line_id
        said = finding(
            code, severity, message, subject=subject, rule_id=rule_id, evidence=facts, fix=fix
        )
        self.findings.append(said)
        return said
