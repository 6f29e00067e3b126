"""What finance grants a customer, what is owed, and the seller's credit policy."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal


@dataclass(frozen=True)
class Receivable:
    """An invoice that is not paid in full."""

    invoice_no: str
    issued: date
    due: date
    open_minor: int
    currency: str

    def overdue_days(self, day: date) -> int:
        """Return how many days it is overdue; 0 when it is not."""
        return max(0, (day - self.due).days)


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
    """The seller's credit policy; without rows only hold and limit count."""

    rows: tuple[PolicyRow, ...] = ()
    share_parent_limit: bool = False


@dataclass(frozen=True)
class CreditFacts:
    """A customer's own line, that of its family where a parent's limit is shared, the policy."""

    line: CreditLine
    family: CreditLine | None = None
    policy: CreditPolicy = field(default_factory=CreditPolicy)
