"""Who the seller is: legal entities, people, policies."""

from datetime import date
from typing import Any

from sqlalchemy import JSON, Text
from sqlmodel import Field

from servers.finance.facts.blocks import AddressBlock, BankBlock, TaxIdBlock
from servers.finance.tables.base import EntityId, FinanceTable, PersonId
from servers.toolkit.columns import Amounts, Json, WordSet
from servers.toolkit.fields import Country


class Seller(FinanceTable, table=True):
    """A legal entity that makes offers, and what a quote prints of it."""

    entity_id: EntityId = Field(primary_key=True)
    legal_name: str = Field(min_length=1, max_length=200)
    country: Country
    number_format: str = Field(max_length=60)
    time_zone: str = Field(max_length=60)
    countries: WordSet = Field(default=frozenset(), sa_type=Json(WordSet))
    is_default: bool = True
    address: AddressBlock = Field(sa_type=Json(AddressBlock))
    place_of_business: str = Field(min_length=1, max_length=120)
    vat_id: str = Field(default="", max_length=40)
    tax_ids: tuple[TaxIdBlock, ...] = Field(default=(), sa_type=Json(tuple[TaxIdBlock, ...]))
    registration: str = Field(default="", max_length=200)
    email: str = Field(max_length=120)
    phone: str = Field(default="", max_length=40)
    website: str = Field(default="", max_length=120)
    bank: BankBlock = Field(sa_type=Json(BankBlock))
    signatory_name: str = Field(min_length=1, max_length=120)
    signatory_title: str = Field(default="", max_length=120)
    logo: str = Field(default="", sa_type=Text)


class Person(FinanceTable, table=True):
    """Somebody of the seller who may approve; a limit that is null is no limit."""

    person_id: PersonId = Field(primary_key=True)
    name: str = Field(min_length=1, max_length=120)
    title: str = Field(default="", max_length=120)
    roles: WordSet = Field(sa_type=Json(WordSet))
    max_discount_bp: int | None = Field(default=None, ge=0, le=10_000)
    max_total: Amounts | None = Field(default=None, sa_type=Json(Amounts))


class Enrolled(FinanceTable, table=True):
    """What the owner of the desk says of a person; no file does, so that it outlives all of them.

    Of their token only a digest is kept. The deputy has their roles and limits until a day and on
    it.
    """

    person_id: PersonId = Field(primary_key=True)
    token_id: str = Field(default="", max_length=20)
    digest: str = Field(default="", max_length=64)
    expires_at: str = Field(default="", max_length=20)
    disabled: bool = False
    deputy_id: PersonId | None = None
    deputy_until: date | None = None


class Setting(FinanceTable, table=True):
    """A named piece of policy: the seller's limits (`policies`), the home country (`taxes`)."""

    __tablename__ = "policy"

    name: str = Field(primary_key=True, max_length=40)
    value: dict[str, Any] = Field(sa_type=JSON)
