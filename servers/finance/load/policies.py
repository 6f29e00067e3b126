"""How the house's own limits come in, and what is paid beside the lines."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from servers.finance.facts.charges import FREIGHT_ZONE, WORLD
from servers.finance.load.base import table
from servers.finance.tables import charges as c
from servers.finance.tables.house import Setting
from servers.finance.tables.taxes import ZoneCountry
from servers.toolkit.columns import Micro
from servers.toolkit.fields import Country
from servers.toolkit.money import exponent
from servers.toolkit.tables import Around, Row, Values

Role = Annotated[str, Field(pattern=r"^[a-z_]{2,40}$")]


class Limit(Row):
    """A threshold, the role that decides above it, and for whom it holds (all, when empty)."""

    rule_id: str = Field(pattern=r"^APR-[A-Z0-9-]{1,60}$")
    above_bp: int | None = Field(default=None, ge=0, le=10_000)
    above_days: int | None = Field(default=None, ge=0, le=3660)
    above: Decimal | None = Field(default=None, ge=0)
    role: Role
    person: str = ""
    seller_role: str = ""


class CreditRow(Row):
    """A row of the credit policy: the first that fits decides."""

    rule_id: str = Field(pattern=r"^[A-Z][A-Z0-9-]{1,40}$")
    ratings: list[str]
    use_up_to_bp: int = Field(ge=0, le=10_000)
    overdue_up_to_days: int = Field(ge=0)
    max_days: int = Field(ge=0)
    in_advance_percent: Decimal = Field(ge=0, le=100)
    approval: bool


class Credit(Row):
    """Who gets credit."""

    share_parent_limit: bool
    rows: list[CreditRow]
    first_limit: dict[str, Annotated[Decimal, Field(ge=0)]] = Field(default_factory=dict)


class ImportLimits(Row):
    """How far one person alone may move prices by an import, in percent."""

    price_percent: Annotated[Decimal, Field(ge=0, le=10_000, decimal_places=2)] | None = None
    approvals_percent: Annotated[Decimal, Field(ge=0, le=100, decimal_places=2)] | None = None


class Policies(BaseModel):
    """The limits of approvals and credit; other areas read their own parts beside them."""

    model_config = ConfigDict(extra="allow")

    discount_limits: list[Limit]
    average_discount_limits: list[Limit] = Field(default_factory=list)
    line_discount_limits: list[Limit] = Field(default_factory=list)
    validity_limits: list[Limit] = Field(default_factory=list)
    total_limits: dict[str, list[Limit]]
    auto_issue: dict[str, Decimal]
    margin_floor_bp: int = Field(ge=-10_000, le=10_000)
    margin_role: str
    cost_needed: bool = True
    validity_days: int = Field(ge=1, le=366)
    price_lock_days: int | None = Field(default=None, ge=0, le=3660)
    approval_days: int = Field(ge=1, le=366)
    retention_years: int = Field(default=10, ge=1, le=100)
    max_age_days: dict[
        Literal["tax_rates", "embargoed_countries"], Annotated[int, Field(ge=1, le=3660)]
    ] = Field(default_factory=dict)
    sequence: dict[str, Annotated[int, Field(ge=1, le=9)]] = Field(default_factory=dict)
    default_role: str
    finding_roles: dict[str, str]
    credit: Credit | None = None
    import_limits: ImportLimits | None = None

    @model_validator(mode="after")
    def _has_thresholds(self) -> "Policies":
        for name, unit in (
            ("discount_limits", "above_bp"),
            ("average_discount_limits", "above_bp"),
            ("line_discount_limits", "above_bp"),
            ("validity_limits", "above_days"),
        ):
            _need(name, unit, getattr(self, name))
        for code, limits in self.total_limits.items():
            _need(f"total_limits.{code}", "above", limits)
        return self


def _need(name: str, unit: str, rows: list[Limit]) -> None:
    for row in rows:
        if getattr(row, unit) is None:
            raise ValueError(f"{name}: {row.rule_id} has no {unit}")


class Screening(Row):
    """What the screening list is, its date and where hits begin."""

    list_name: str = Field(min_length=1)
    as_of: date
    note: str = ""
    threshold: Decimal = Field(gt=0, le=100)
    max_age_days: int = Field(ge=1)
    off: bool = False


class Taxes(Row):
    """Where the house is at home."""

    home_country: Country


KNOWN: dict[str, type[BaseModel]] = {"policies": Policies, "screening": Screening, "taxes": Taxes}


def _policy_problems(row: Any) -> Iterator[str]:
    try:
        KNOWN[row.name].model_validate(row.value)
    except ValidationError as problem:
        for one in problem.errors(include_url=False, include_input=False):
            where = ", ".join([row.name, *map(str, one["loc"])])
            yield f"{where}: {one['msg'].removeprefix('Value error, ')}"


def _fee_problems(row: Any) -> Iterator[str]:
    for currency in row.amount:
        exponent(currency)
    if (row.kind == "small_order") != bool(row.below):
        yield "a small-order fee, and no other, says below what it is due"
    if row.below and row.below.keys() != row.amount.keys():
        yield "below and amount are given for the same currencies"
    if row.kind == "hazmat" and "flags" not in row.conditions:
        yield "a fee for dangerous goods says for which flags"


def _postal_problems(row: Any) -> Iterator[str]:
    if len(row.first) != len(row.last) or row.last < row.first:
        yield f"{row.last} is not as long as {row.first}, or before it"


def _freight(row: Any, around: Around) -> Values:
    if row.zone != WORLD and row.zone not in around.known(c.PostalZoneRow, "zone"):
        around.must_know(ZoneCountry, "zone", [FREIGHT_ZONE + row.zone])
    return {
        **FREIGHT.plain(row),
        "rate_id": row.rate_id
        or f"FR-{row.method}-{row.zone}-{row.currency}"
        + (f"-{row.up_to_g}" if row.up_to_g else ""),
    }


FREIGHT = table(
    "freight_rates",
    c.FreightRateRow,
    "what carriage by a method into a zone costs, in one currency",
    {
        "rate_id": (Annotated[str, Field(max_length=60)], ""),
        "zone": "a zone of ours, without its FREIGHT-; the one with the fewest countries holds, "
        "and WORLD where none has a rate",
        "per_kg": (Micro, Decimal(0)),
        "free_from": "the goods, after reductions and before tax, from which on it costs nothing",
        "up_to_g": "the most it weighs, that included; 0 is any weight",
    },
    key=("method", "zone", "currency", "up_to_g"),
    make=_freight,
)
POLICIES = table(
    "policies",
    Setting,
    "the limits of the house (policies), its home (taxes), what the screening list is (screening)",
    {"name": Literal["policies", "screening", "taxes"]},
    problems=_policy_problems,
    as_json=True,
)
CHARGES = (
    table(
        "postal_zones",
        c.PostalZoneRow,
        "a part of a country as a freight zone, by how its postal codes begin",
        {
            "zone": "a freight zone; it goes before those of whole countries",
            "first": "the first characters of the first postal code: 1000, SW1",
            "last": "those of the last one, as many",
        },
        problems=_postal_problems,
    ),
    FREIGHT,
    table(
        "fees",
        c.FeeRow,
        "a fee on whole quotes, with when it is due and its amount in each currency",
        problems=_fee_problems,
        as_json=True,
    ),
    table(
        "exchange_rates",
        c.ExchangeRate,
        "what one EUR is in another currency: for margins and for reading, never for prices",
    ),
)
