"""The rows of finance's seed files, checked field by field before anything is written."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from servers.finance.seeds.reading import read_csv, read_json
from servers.toolkit.errors import InvalidInputError


class Row(BaseModel):
    """A row of a seed file; a field it does not know is an error."""

    model_config = ConfigDict(extra="forbid")


RowType = TypeVar("RowType", bound=BaseModel)


def checked(model: type[RowType], data: Any, where: str) -> RowType:
    """Return a checked row.

    Raises:
        InvalidInputError: naming the file, the row, the field and what is wrong with it.
    """
    try:
        return model.model_validate(data)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "row"
        said = first["msg"].removeprefix("Value error, ")
        raise InvalidInputError(f"{where}: {place}: {said}", fix="mend the row") from None


def json_rows(path: Path, model: type[RowType], rows: Any = None) -> Iterator[RowType]:
    """Yield the checked rows of a JSON list; `rows` are given when the list is a part of it."""
    for place, data in enumerate(read_json(path) if rows is None else rows, start=1):
        yield checked(model, data, f"{path.name}, row {place}")


def csv_rows(path: Path, model: type[RowType], *, needs: tuple[str, ...]) -> Iterator[RowType]:
    """Yield the checked rows of a CSV file; empty cells are left out.

    Raises:
        InvalidInputError: a column is missing, or a row is wrong; names the line.
    """
    for line, data in read_csv(path):
        if missing := [name for name in needs if name not in data]:
            raise InvalidInputError(
                f"{path.name} has no column {', '.join(missing)}", fix="add the column"
            )
        filled = {name: value for name, value in data.items() if value != ""}
        yield checked(model, filled, f"{path.name}, line {line}")


class AddressSeed(BaseModel):
    """A postal address."""

    address_id: str = ""
    kind: Literal["billing", "shipping", "registered"] = "registered"
    lines: list[str] = Field(min_length=1)
    city: str
    region: str = ""
    postal_code: str = ""
    country: str = Field(pattern="^[A-Z]{2}$")


class ItemSeed(BaseModel):
    """items.csv; columns finance does not use are let pass."""

    sku: str = Field(pattern=r"^[A-Z0-9][A-Z0-9-]{1,31}$")
    name: str = Field(min_length=1, max_length=200)
    description: str = Field(default="", max_length=500)
    family: str
    kind: Literal["goods", "service", "subscription"]
    weight_g: int | None = Field(default=None, ge=0)
    cost_eur: Decimal | None = Field(default=None, ge=0)
    tax_class: str


class FlagSeed(Row):
    """One row of item_flags.csv."""

    sku: str
    flag: Literal["export_control", "hazmat", "personal_data", "camera"]


class FreightSeed(Row):
    """One row of freight.json, rates."""

    rate_id: str
    method: str
    label: str
    zone: Literal["HOME", "EU", "UKCH", "WORLD"]
    currency: str
    base: Decimal = Field(ge=0)
    per_kg: Decimal = Field(ge=0)
    physical: bool


class ExchangeSeed(Row):
    """One row of exchange_rates.json."""

    base: Literal["EUR"]
    quote: str
    rate: Decimal = Field(gt=0)
    date: date
    source: str


class TaxIdSeed(BaseModel):
    """One row of customers.json, tax_ids."""

    scheme: str
    country: str
    value: str
    verified_at: str | None = None


class CreditSeed(BaseModel):
    """One row of customers.json, credit."""

    limit_minor: int | None = None
    currency: str = ""
    rating: str = ""
    hold: bool = False
    open_minor: int = 0


class ExemptionSeed(BaseModel):
    """One row of customers.json, exemptions."""

    certificate_id: str
    jurisdictions: list[str]
    reason: str
    number: str
    issued: date
    expires: date | None = None
    status: Literal["verified", "unverified", "expired"]
    reason_code: str = Field(default="", pattern=r"^(VATEX-[A-Z0-9-]{2,24})?$")


class PartySeed(Row):
    """One row of customers.json, related_parties: who is screened with the customer."""

    party_id: str = Field(pattern=r"^pty_[A-Za-z0-9_-]{1,40}$")
    role: Literal["contact", "consignee", "owner", "trading name"]
    name: str = Field(min_length=1, max_length=200)
    country: str = Field(default="", pattern="^([A-Z]{2})?$")


class CustomerSeed(BaseModel):
    """customers.json; fields finance does not use are let pass."""

    account_id: str = Field(pattern=r"^acc_[A-Za-z0-9_-]{1,40}$")
    parent_account_id: str | None = None
    legal_name: str = Field(max_length=200)
    country: str = Field(pattern="^[A-Z]{2}$")
    kind: Literal["business", "consumer", "government", "reseller"]
    channel: str
    currency: str = Field(pattern="^[A-Z]{3}$")
    payment_terms_code: str
    segment: str = Field(default="", max_length=40)
    tax_ids: list[TaxIdSeed] = Field(default_factory=list)
    addresses: list[AddressSeed]
    registered_address: AddressSeed | None = None
    credit: CreditSeed = Field(default_factory=CreditSeed)
    exemptions: list[ExemptionSeed] = Field(default_factory=list)
    language: str = Field(default="", pattern="^([a-z]{2})?$")
    industry: str = Field(default="", pattern="^[a-z_]{0,40}$")
    related_parties: list[PartySeed] = Field(default_factory=list)
