"""What the terms of a quote depend on: payment terms, clauses, credit, and the screening list."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal, get_args

from servers.finance.facts.windows import Window

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


DEFAULT_LANGUAGE = "en"


@dataclass(frozen=True)
class Clause:
    """A clause in one version and language; `when` maps a key to the values of which one holds.

    `jurisdiction` is the country whose law the text was written for; empty is any.
    """

    clause_id: str
    version: int
    topic: str
    title: str
    text: str
    sha256: str
    window: Window
    when: Mapping[str, tuple[str, ...]]
    language: str = DEFAULT_LANGUAGE
    jurisdiction: str = ""
    status: str = "approved"
    mandatory: bool = False
    conflicts_with: tuple[str, ...] = ()
    owner: str = ""
    approved_by: str = ""
    approved_on: date | None = None


@dataclass(frozen=True)
class Receivable:
    """An invoice that is not paid in full."""

    due: date
    open_minor: int
    currency: str

    def overdue_days(self, day: date) -> int:
        """Return how many days it is overdue; 0 when it is not."""
        return max(0, (day - self.due).days)


@dataclass(frozen=True)
class OpenBill(Receivable):
    """An invoice that is not paid in full, by its number."""

    invoice_no: str


@dataclass(frozen=True)
class Unbilled:
    """An accepted quote, and what of it no invoice covers yet."""

    quote_id: str
    open_minor: int
    currency: str


@dataclass(frozen=True)
class CreditLine:
    """What finance grants a customer; `open_minor` is the opening balance of receivables."""

    limit_minor: int | None
    currency: str
    rating: str
    hold: bool
    open_minor: int = 0
    receivables: tuple[Receivable, ...] = ()
    unbilled: tuple[Unbilled, ...] = ()


@dataclass(frozen=True)
class PolicyRow:
    """A row of the credit policy: when it fits, and what it allows."""

    rule_id: str
    ratings: tuple[str, ...]
    use_bp: int
    overdue_days: int
    max_days: int
    in_advance: Decimal
    approval: bool


@dataclass(frozen=True)
class CreditPolicy:
    """The seller's credit policy; without rows only hold and limit count.

    `first_limit` is the limit, per currency, of who has neither limit nor rating on file.
    """

    rows: tuple[PolicyRow, ...] = ()
    share_parent_limit: bool = False
    first_limit: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class CreditFacts:
    """A customer's own line, that of its family where a parent's limit is shared, the policy."""

    line: CreditLine
    family: CreditLine | None = None
    policy: CreditPolicy = field(default_factory=CreditPolicy)


@dataclass(frozen=True)
class Listed:
    """A name on the list, with its other names; an empty country is anywhere."""

    entry_id: str
    name: str
    country: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class ScreeningList:
    """The list with its date; hits start at `threshold` percent likeness.

    A house that screens nobody says so with `off`; names that it has are compared all the same.
    """

    name: str
    as_of: date
    threshold: Decimal
    max_age_days: int
    entries: tuple[Listed, ...]
    off: bool = False

    @property
    def nobody(self) -> bool:
        """Say whether nobody is screened, because the house decided so."""
        return self.off and not self.entries


@dataclass(frozen=True)
class CheckedTable:
    """A table with the day on which its oldest row that still holds was checked."""

    table: str
    checked_on: date
    max_age_days: int | None

    def is_late(self, day: date) -> bool:
        return self.max_age_days is not None and (day - self.checked_on).days > self.max_age_days

    def __str__(self) -> str:
        limit = "no limit" if self.max_age_days is None else f"limit {self.max_age_days} days"
        return f"{self.table} checked on {self.checked_on} ({limit})"


@dataclass(frozen=True)
class Party:
    """A name that goes with a quote: the customer, a contact, an owner, whoever gets the goods."""

    role: str
    name: str
    country: str = ""


@dataclass(frozen=True)
class Review:
    """What a named person decided about one hit, bound to the two names that were compared."""

    review_id: str
    entry_id: str
    party_name: str
    listed_name: str
    decision: str
    decided_by: str
    window: Window
