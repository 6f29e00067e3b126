"""The rows of the seed files about law, credit and screening, checked field by field."""

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from servers.finance.facts.payment import Basis, TermLine, late, plain_lines
from servers.finance.law.clauses import Key
from servers.finance.law.payment import problem_of
from servers.finance.seeds.rows import Row

Percent = Annotated[Decimal, Field(gt=0, le=100, decimal_places=4)]
BRACES = re.compile(r"[{}]|<[^>]*>|\[\[|TODO|TBD|XXX")


class TermLineSeed(Row):
    """An instalment; without a percent it is what is left."""

    percent: Percent | None = None
    due: Basis
    days: int = Field(default=0, ge=0, le=365)
    discount_percent: Percent | None = None
    discount_days: int | None = Field(default=None, ge=1, le=180)

    def line(self) -> TermLine:
        """Return the instalment as the rules read it."""
        return TermLine(
            percent=self.percent,
            due=self.due,
            days=self.days,
            discount_percent=self.discount_percent or Decimal(0),
            discount_days=self.discount_days or 0,
        )


class PaymentTermSeed(Row):
    """One row of payment_terms.json: either instalments, or days, or prepaid."""

    code: str = Field(pattern=r"^[A-Z][A-Z0-9-]{1,19}$")
    description: str = Field(min_length=1, max_length=200)
    days: int | None = Field(default=None, ge=0, le=365)
    prepaid: bool = False
    lines: list[TermLineSeed] = Field(default_factory=list, max_length=12)

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        """Refuse instalments that do not sum to 100, and terms said in two ways."""
        if self.lines and (self.prepaid or self.days is not None):
            raise ValueError("give lines, or days and prepaid, not both")
        if not self.lines and not self.prepaid and self.days is None:
            raise ValueError("give lines, or days, or prepaid")
        if self.prepaid and self.days:
            raise ValueError("what is prepaid has no days")
        if wrong := problem_of(self.parts()):
            raise ValueError(wrong)
        return self

    def parts(self) -> tuple[TermLine, ...]:
        """Return the instalments."""
        if self.lines:
            return tuple(line.line() for line in self.lines)
        return plain_lines(self.days or 0, prepaid=self.prepaid)

    @property
    def latest(self) -> int:
        """The days of the latest instalment."""
        return max(late(part) for part in self.parts())

    @property
    def in_advance(self) -> bool:
        """Whether everything is paid before delivery."""
        return all(part.due == "order" and part.days == 0 for part in self.parts())


class ClauseSeed(Row):
    """One row of clauses.json: a version of a clause in one language."""

    clause_id: str = Field(pattern=r"^[A-Z][A-Z0-9-]{1,59}$")
    version: int = Field(ge=1)
    topic: str = Field(pattern=r"^[a-z][a-z_]{1,39}$")
    title: str = Field(min_length=3, max_length=120)
    language: str = Field(pattern="^[a-z]{2}$")
    text: str = Field(min_length=20, max_length=2_000)
    status: Literal["draft", "approved", "retired"] = "approved"
    owner: str = ""
    approved_by: str = ""
    approved_on: date | None = None
    valid_from: date
    valid_to: date | None = None
    jurisdiction: str = Field(default="", pattern="^([A-Z]{2})?$")
    mandatory: bool = False
    conflicts_with: list[str] = Field(default_factory=list, max_length=20)
    when: dict[Key, Annotated[list[str], Field(min_length=1)]]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Refuse an approval without a name and a day, and text that is not finished."""
        if self.status != "draft" and not (self.approved_by and self.approved_on):
            raise ValueError("a clause that is not a draft names approved_by and approved_on")
        if found := BRACES.search(self.text + self.title):
            raise ValueError(f"the text is not finished: {found[0]!r}")
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise ValueError("valid_to is before valid_from")
        if self.clause_id in self.conflicts_with:
            raise ValueError("a clause cannot conflict with itself")
        for threshold in self.when.get("min_total", ()):
            if not re.fullmatch(r"[A-Z]{3} \d+(\.\d+)?", threshold):
                raise ValueError(f"min_total is written 'EUR 50000.00', not {threshold!r}")
        return self


class ScreeningSeed(Row):
    """One row of screening.json, entries."""

    entry_id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,59}$")
    name: str = Field(min_length=1, max_length=200)
    country: str = Field(pattern="^([A-Z]{2})?$")
    programme: str
    aliases: list[Annotated[str, Field(min_length=1, max_length=200)]] = Field(
        default_factory=list, max_length=20
    )


class ScreeningListSeed(Row):
    """The head of screening.json: what the list is, its date and where hits begin."""

    list_name: str = Field(min_length=1)
    as_of: date
    note: str = ""
    threshold: Decimal = Field(gt=0, le=100)
    max_age_days: int = Field(ge=1)


class ReceivableSeed(Row):
    """One row of receivables.json."""

    invoice_no: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9/_.-]{0,39}$")
    account_id: str
    quote_id: str | None = None
    issued: date
    due: date
    total_minor: int = Field(ge=0)
    open_minor: int = Field(ge=0)
    currency: str = Field(pattern="^[A-Z]{3}$")

    @model_validator(mode="after")
    def _sane(self) -> Self:
        """Refuse an invoice that is due before it was issued, or owes more than it asked."""
        if self.due < self.issued:
            raise ValueError("due is before issued")
        if self.open_minor > self.total_minor:
            raise ValueError("open_minor is more than total_minor")
        return self


class CreditRowSeed(Row):
    """A row of policies.json, credit: the first that fits decides."""

    rule_id: str = Field(pattern=r"^[A-Z][A-Z0-9-]{1,40}$")
    ratings: list[str]
    use_up_to_bp: int = Field(ge=0, le=10_000)
    overdue_up_to_days: int = Field(ge=0)
    max_days: int = Field(ge=0)
    in_advance_percent: Decimal = Field(ge=0, le=100)
    approval: bool


class CreditPolicySeed(Row):
    """The credit policy in policies.json."""

    share_parent_limit: bool
    rows: list[CreditRowSeed]
