"""The base of finance's tables, with a registry of their own, and words many columns share."""

import re
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy.orm import declared_attr, registry
from sqlmodel import SQLModel

from servers.toolkit.fields import AccountId, Country, CurrencyCode

ID = 48
CUSTOMER = "customer.account_id"
ITEM = "item.sku"

AnyCurrency = Literal[""] | CurrencyCode
AnyCountry = Literal[""] | Country
AnyAccount = Literal[""] | AccountId
Language = Annotated[str, Field(pattern="^([a-z]{2})?$", max_length=8)]
Place = Annotated[str, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,5})?$", max_length=8)]
"""A country (DE) or a region with a tax law of its own (US-OR)."""
EntityId = Annotated[str, Field(pattern=r"^ent_[a-z0-9_-]{1,40}$", max_length=ID)]
PersonId = Annotated[str, Field(pattern=r"^per_[a-z0-9_-]{1,40}$", max_length=ID)]
CustomerKind = Literal["business", "consumer", "government", "reseller"]
Scope = Literal["sku", "family"]


class FinanceTable(SQLModel, registry=registry()):
    """Base of finance's tables; `FreightRateRow` is the table `freight_rate`."""

    model_config = {"defer_build": True}  # nothing validates rows: the start need not wait

    @declared_attr.directive
    def __tablename__(cls) -> str:  # noqa: N805 - SQLAlchemy calls it with the class
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__.removesuffix("Row")).lower()
