"""Payment terms and their instalments."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, get_args

HUNDRED = Decimal(100)
LONGEST_MONTH = 31


Basis = Literal["order", "delivery", "invoice", "end_of_month"]


BASES: tuple[Basis, ...] = get_args(Basis)


@dataclass(frozen=True)
class TermLine:
    """An instalment: a percentage (None is what is left), due some days after something.

    `end_of_month` counts its days from the last day of the month of the invoice. A discount is
    for payment within `discount_days` of the same event.
    """

    percent: Decimal | None
    due: Basis
    days: int = 0
    discount_percent: Decimal = Decimal(0)
    discount_days: int = 0


@dataclass(frozen=True)
class PaymentTerms:
    """How long the customer may take to pay; `days` is the latest instalment's."""

    code: str
    description: str
    days: int
    prepaid: bool
    lines: tuple[TermLine, ...] = ()

    @property
    def parts(self) -> tuple[TermLine, ...]:
        """The instalments; plain terms have one."""
        return self.lines or plain_lines(self.days, prepaid=self.prepaid)

    @property
    def shares(self) -> tuple[Decimal, ...]:
        """The percentage of each instalment, the remainder worked out; they sum to 100."""
        named = sum((part.percent for part in self.parts if part.percent is not None), Decimal(0))
        return tuple(HUNDRED - named if p.percent is None else p.percent for p in self.parts)

    @property
    def weighted_days(self) -> Decimal:
        """The days the customer has on average; a month's end counts as a whole month later."""
        pairs = zip(self.shares, self.parts, strict=True)
        return sum((share * late(part) for share, part in pairs), Decimal(0)) / HUNDRED

    @property
    def discount(self) -> Decimal:
        """The largest early-payment discount, in percent."""
        return max(part.discount_percent for part in self.parts)

    @property
    def in_advance(self) -> Decimal:
        """The percentage that is due with the order, before anything is delivered."""
        pairs = zip(self.shares, self.parts, strict=True)
        return sum((share for share, part in pairs if advance(part)), Decimal(0))


def plain_lines(days: int, *, prepaid: bool) -> tuple[TermLine, ...]:
    return (TermLine(None, "order" if prepaid else "invoice", 0 if prepaid else days),)


def advance(line: TermLine) -> bool:
    return line.due == "order" and line.days == 0


def late(line: TermLine) -> int:
    return line.days + (LONGEST_MONTH if line.due == "end_of_month" else 0)
