"""The unit price of a line on its way through the first steps of the waterfall."""

from dataclasses import dataclass, field
from decimal import Decimal

from servers.finance.facts.blocks import ComponentBlock, OptionBlock, TraceStep
from servers.finance.facts.prices import Contract
from servers.finance.facts.subscriptions import Proration
from servers.finance.prices.units import ONE, Ratio
from servers.toolkit.findings import Finding


@dataclass
class UnitPrice:
    """The unit price of a line, and how it came about; None is no price.

    It is for the standard term until `subscriptions.put_term` has made it that of the line's own.
    `ratio` is base units per unit. `covered` is how many base units a contract holds for; `rest`
    is the unit price of those it does not hold for, before the term. `extra_cost` is what the
    options cost us per unit; None when that is not known.
    """

    amount: Decimal | None = None
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
