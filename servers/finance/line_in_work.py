"""A line on its way through the waterfall."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from servers.finance.facts.blocks import Allowance, TraceStep
from servers.finance.facts.prices import Item
from servers.finance.findings import step
from servers.finance.prices.units import UnitPrice, in_base
from servers.finance.schemas import LineIn
from servers.finance.subscriptions.terms import Term
from servers.finance.tax.decisions import TaxDecision
from servers.finance.tax.stack import included, net_of
from servers.toolkit.money import to_minor


@dataclass
class Work:
    """A line on its way through the waterfall.

    `running` includes tax while the price does, and is net once `Taxing.take_out` is done.
    """

    line: LineIn
    item: Item | None
    price: UnitPrice
    term: Term = field(default_factory=lambda: Term(""))
    gross: Decimal | None = None
    running: Decimal | None = None
    tax: TaxDecision | None = None
    included_tax: Decimal = Decimal(0)
    allowances: list[Allowance] = field(default_factory=list)
    trace: list[TraceStep] = field(default_factory=list)
    overridden: bool = False
    free: bool = False

    @property
    def in_total(self) -> bool:
        return not self.line.optional and self.line.alternative_of is None

    def before_tax(self, amount: Decimal) -> Decimal:
        """Return an amount of this line without the tax that its price includes, not rounded."""
        if not self.price.tax_inclusive or self.tax is None:
            return amount
        return net_of(included(self.tax.stack), amount, self.line.quantity)

    @property
    def pieces(self) -> Decimal:
        return in_base(self.line.quantity, self.price.ratio)

    @property
    def weight_g(self) -> int | None:
        """What one unit weighs, in whole grams; None when that is not known."""
        if self.item is None or self.item.weight_g is None:
            return None
        upper, lower = self.price.ratio
        return -(-self.item.weight_g * upper // lower)

    def take_off(
        self,
        off: Decimal,
        name: str,
        rule_id: str,
        currency: str,
        *,
        label: str,
        note: str,
        rate: str | None = None,
        source: str | None = None,
        shown: bool = True,
    ) -> None:
        """Take an amount off what is left of the line, and say so in its trace.

        `shown` puts it among the reductions that the quote prints, under `label` and at `rate`
        percent. The row that decided is `source`, or else the rule itself.
        """
        before = self.running
        assert before is not None  # noqa: S101 - called only on priced lines
        self.running = before - off
        if shown:
            minor = to_minor(off, currency)
            self.allowances.append(Allowance(label=label, percent=rate, amount_minor=minor))
        source = rule_id if source is None else source
        self.say(name, rule_id, source=source, before=before, after=self.running, note=note)

    def say(self, name: str, rule_id: str, **said: Any) -> None:
        """Add a step to the trace; `said` is what `findings.step` takes."""
        self.trace.append(step(self.line.line_id, name, rule_id, **said))

    @property
    def exclusive(self) -> bool:
        return self.price.contract is not None and self.price.contract.exclusive
