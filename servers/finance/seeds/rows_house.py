"""The rows that say who the house is: legal entities, people, and the policies' thresholds."""

import re
from decimal import Decimal
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from stdnum import iban
from stdnum.eu import vat

from servers.finance.logo import checked_uri
from servers.finance.seeds.rows import AddressSeed, Row
from servers.toolkit.errors import InvalidInputError

CountryCode = Annotated[str, Field(pattern="^[A-Z]{2}$")]
FORMAT = re.compile(r"^[A-Za-z0-9/_.-]*\{year\}[A-Za-z0-9/_.-]*\{n:0[1-9]d\}[A-Za-z0-9/_.-]*$")


def _format(text: str) -> str:
    if not FORMAT.match(text):
        raise ValueError("write it like Q-{year}-{n:06d}: letters, digits, the year, the number")
    return text


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is no IANA time zone such as Europe/Berlin")
    return name


def _logo(uri: str) -> str:
    try:
        return checked_uri(uri) if uri else uri
    except InvalidInputError as problem:
        raise ValueError(problem.message) from problem


class BankSeed(Row):
    """The seller's own account: an IBAN, or a number where there is none."""

    bank_name: str = Field(min_length=1, max_length=120)
    account_holder: str = Field(min_length=1, max_length=200)
    iban: str = Field(default="", max_length=42)
    bic: str = Field(default="", max_length=11)
    account_number: str = Field(default="", max_length=40)
    routing_number: str = Field(default="", max_length=40)

    @model_validator(mode="after")
    def _has_a_number(self) -> "BankSeed":
        if not self.iban and not self.account_number:
            raise ValueError("give an iban, or an account_number where there is none")
        if self.iban and not iban.is_valid(self.iban, check_country=False):
            raise ValueError(f"{self.iban!r} is no IBAN: its check digits are wrong")
        return self


class SellerTaxId(Row):
    """A tax number of the seller beside the VAT id."""

    scheme: str = Field(pattern="^[a-z]{2}_[a-z_]{2,20}$")
    country: CountryCode
    value: str = Field(min_length=1, max_length=40)


class SellerRegistration(Row):
    """Where the entity is registered for tax, beside the country of its VAT id."""

    jurisdiction: str = Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,5})?$")
    scheme: Literal["vat", "gst", "sales_tax", "oss"]
    number: str = Field(min_length=1, max_length=40)
    establishment: bool = False


class SignatorySeed(Row):
    """Who signs for the entity."""

    name: str = Field(min_length=1, max_length=120)
    title: str = Field(default="", max_length=120)


class SellerSeed(Row):
    """A legal entity of the house, as seller.json or a company file says it."""

    entity_id: str = Field(pattern=r"^ent_[a-z0-9_-]{1,40}$")
    legal_name: str = Field(min_length=1, max_length=200)
    country: CountryCode
    vat_id: str = Field(default="", max_length=40)
    tax_ids: list[SellerTaxId] = Field(default_factory=list, max_length=10)
    registration: str = Field(default="", max_length=200)
    tax_registrations: list[SellerRegistration] = Field(default_factory=list, max_length=100)
    address: AddressSeed
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=120)
    phone: str = Field(default="", max_length=40)
    website: str = Field(default="", max_length=120)
    bank: BankSeed
    signatory: SignatorySeed
    quote_number_format: Annotated[str, AfterValidator(_format), Field(max_length=60)]
    time_zone: Annotated[str, AfterValidator(_zone)]
    place_of_business: str = Field(min_length=1, max_length=120)
    logo: Annotated[str, AfterValidator(_logo)] = ""
    countries: list[CountryCode] = Field(default_factory=list, max_length=250)
    default: bool = False

    @model_validator(mode="after")
    def _has_a_tax_number(self) -> "SellerSeed":
        european = self.vat_id[:2].lower() in vat.MEMBER_STATES
        if european and not vat.is_valid(self.vat_id):
            raise ValueError(f"{self.vat_id!r} does not have the form of a VAT id")
        if not self.vat_id and not self.tax_ids:
            raise ValueError("give a vat_id, or tax_ids where there is none")
        return self


class PersonSeed(Row):
    """One row of people.json: who may decide, and how far; null is no limit."""

    person_id: str = Field(pattern=r"^per_[a-z0-9_-]{1,40}$")
    name: str = Field(min_length=1, max_length=120)
    title: str = Field(default="", max_length=120)
    roles: list[Annotated[str, Field(pattern=r"^[a-z_]{2,40}$")]]
    max_discount_bp: int | None = Field(ge=0, le=10_000)
    max_total: dict[str, Decimal] | None


class CompanySeed(Row):
    """Who the house is: its legal entities, and the people who may decide."""

    entities: list[SellerSeed] = Field(min_length=1, max_length=50)
    people: list[PersonSeed] = Field(default_factory=list, max_length=500)

    @model_validator(mode="after")
    def _fits_together(self) -> "CompanySeed":
        _once("entity_id", [one.entity_id for one in self.entities])
        _once("person_id", [one.person_id for one in self.people])
        _once("quote_number_format", [one.quote_number_format for one in self.entities])
        _once("country in countries", [c for one in self.entities for c in one.countries])
        if len(self.entities) == 1:
            self.entities[0].default = True
        if sum(one.default for one in self.entities) != 1:
            raise ValueError("exactly one entity has default: true")
        return self

    @property
    def home(self) -> SellerSeed:
        """The entity that serves every country no other one names."""
        return next(one for one in self.entities if one.default)


def _once(what: str, values: list[str]) -> None:
    for value in values:
        if values.count(value) > 1:
            raise ValueError(f"{what} {value} is there twice")


class LimitSeed(Row):
    """A threshold, the role that decides above it, and for whom it holds (all, when empty)."""

    rule_id: str = Field(pattern=r"^APR-[A-Z0-9-]{1,60}$")
    above_bp: int | None = Field(default=None, ge=0, le=10_000)
    above_days: int | None = Field(default=None, ge=0, le=3660)
    above: Decimal | None = Field(default=None, ge=0)
    role: str = Field(pattern=r"^[a-z_]{2,40}$")
    person: str = ""
    seller_role: str = ""


class PolicySeed(BaseModel):
    """policies.json, as far as approvals go; other areas check their own parts."""

    model_config = ConfigDict(extra="allow")

    discount_limits: list[LimitSeed]
    average_discount_limits: list[LimitSeed] = Field(default_factory=list)
    line_discount_limits: list[LimitSeed] = Field(default_factory=list)
    validity_limits: list[LimitSeed] = Field(default_factory=list)
    total_limits: dict[str, list[LimitSeed]]
    auto_issue: dict[str, Decimal]
    margin_floor_bp: int = Field(ge=-10_000, le=10_000)
    margin_role: str
    validity_days: int = Field(ge=1, le=366)
    price_lock_days: int | None = Field(default=None, ge=0, le=3660)
    approval_days: int = Field(ge=1, le=366)
    sequence: dict[str, Annotated[int, Field(ge=1, le=9)]] = Field(default_factory=dict)
    default_role: str
    finding_roles: dict[str, str]

    @model_validator(mode="after")
    def _has_thresholds(self) -> "PolicySeed":
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


def _need(name: str, unit: Literal["above_bp", "above_days", "above"] | str, rows: Any) -> None:
    for row in rows:
        if getattr(row, unit) is None:
            raise ValueError(f"{name}: {row.rule_id} has no {unit}")
