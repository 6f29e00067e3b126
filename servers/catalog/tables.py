"""The catalog's tables. They have a registry of their own, so that no other server's tables mix in.

What has a meaning of its own to a query is a column; rules, certificates, lists and vocabulary
are rows of data in the form that `rulebook` and `phrases` define, kept as JSON and checked both
when they are loaded and when they are read.
"""

from datetime import date
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import registry
from sqlmodel import Column, Field, SQLModel

SKU = 40
PRODUCT = "product.sku"


class CatalogTable(SQLModel, registry=registry()):
    """Base of the catalog's tables."""

    model_config = {"defer_build": True}  # nothing validates rows: the start need not wait


class ProductRow(CatalogTable, table=True):
    """A product; `id` is the row of the text index, `sku_norm` the SKU in letters and digits."""

    __tablename__ = "product"

    id: int | None = Field(default=None, primary_key=True)
    sku: str = Field(unique=True, max_length=SKU)
    sku_norm: str = Field(index=True, max_length=SKU)
    name: str = Field(max_length=200)
    family: str = Field(index=True, max_length=40)
    kind: str = Field(max_length=12)
    base_uom: str = Field(max_length=10)
    lifecycle: str = Field(max_length=12)
    last_order_date: date | None = None
    successor_sku: str | None = Field(
        default=None,
        sa_column=Column(
            String(SKU), ForeignKey(PRODUCT, deferrable=True, initially="DEFERRED"), nullable=True
        ),
    )
    weight_g: int | None = None
    dims_mm: list[int] | None = Field(default=None, sa_type=JSON)
    hs_code: str | None = Field(default=None, max_length=12)
    origin_country: str | None = Field(default=None, max_length=2)
    eccn: str | None = Field(default=None, max_length=12)
    un_number: str | None = Field(default=None, max_length=6)
    battery_wh: int | None = None
    warranty_months: int | None = None
    attributes: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    specials: list[str] = Field(default_factory=list, sa_type=JSON)
    aliases: list[str] = Field(default_factory=list, sa_type=JSON)
    description: str = Field(sa_type=Text)
    search_terms: str = Field(sa_type=Text)
    units: dict[str, int] | None = Field(default=None, sa_type=JSON)


class ComponentRow(CatalogTable, table=True):
    """A part of a bundle; `place` keeps the order of the file."""

    __tablename__ = "bundle_component"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="ck_component_quantity"),
        CheckConstraint("bundle_sku <> sku", name="ck_component_not_itself"),
    )

    bundle_sku: str = Field(primary_key=True, foreign_key=PRODUCT, max_length=SKU)
    sku: str = Field(primary_key=True, foreign_key=PRODUCT, max_length=SKU)
    place: int
    quantity: int
    optional: bool
    option_group: str | None = Field(default=None, max_length=40)


class OptionGroupRow(CatalogTable, table=True):
    """How many parts of a group one bundle takes."""

    __tablename__ = "option_group"
    __table_args__ = (
        CheckConstraint("min_select >= 0 AND max_select >= min_select", name="ck_group_range"),
    )

    bundle_sku: str = Field(primary_key=True, foreign_key=PRODUCT, max_length=SKU)
    name: str = Field(primary_key=True, max_length=40)
    place: int
    min_select: int
    max_select: int


class RuleRow(CatalogTable, table=True):
    """A rule, in the form of `rulebook.Rule`; `place` keeps the order of the file."""

    __tablename__ = "rule"

    rule_id: str = Field(primary_key=True, max_length=80)
    place: int
    kind: str = Field(index=True, max_length=24)
    data: dict[str, Any] = Field(sa_type=JSON)


class CertificateRow(CatalogTable, table=True):
    """A certificate and what it covers."""

    __tablename__ = "certificate"
    __table_args__ = (UniqueConstraint("scheme", "certificate_no"),)

    id: int | None = Field(default=None, primary_key=True)
    scheme: str = Field(max_length=20)
    certificate_no: str = Field(max_length=60)
    data: dict[str, Any] = Field(sa_type=JSON)


class ExportListRow(CatalogTable, table=True):
    """A dated list of destinations."""

    __tablename__ = "export_list"

    list_id: str = Field(primary_key=True, max_length=40)
    data: dict[str, Any] = Field(sa_type=JSON)


class HazmatRow(CatalogTable, table=True):
    """Whether a UN number travels by a mode."""

    __tablename__ = "hazmat_mode"

    un_number: str = Field(primary_key=True, max_length=6)
    mode: str = Field(primary_key=True, max_length=8)
    data: dict[str, Any] = Field(sa_type=JSON)


class ShipMethodRow(CatalogTable, table=True):
    """A way to send goods; `place` keeps the order of the file."""

    __tablename__ = "ship_method"

    method: str = Field(primary_key=True, max_length=20)
    place: int
    data: dict[str, Any] = Field(sa_type=JSON)


class ZoneRow(CatalogTable, table=True):
    """The shipping zone of a country; `*` stands for every other country."""

    __tablename__ = "ship_zone"

    country: str = Field(primary_key=True, max_length=2)
    zone: str = Field(max_length=12)


class StockRow(CatalogTable, table=True):
    """What is on the shelf, as of a day."""

    __tablename__ = "stock"

    sku: str = Field(primary_key=True, foreign_key=PRODUCT, max_length=SKU)
    on_hand: int
    reserved: int
    lead_time_days: int
    inbound_date: date | None = None
    inbound_quantity: int
    as_of: date


class SubstituteTable(CatalogTable, table=True):
    """One product may stand in for another."""

    __tablename__ = "substitute"
    __table_args__ = (UniqueConstraint("sku", "stand_in"),)

    id: int | None = Field(default=None, primary_key=True)
    sku: str = Field(foreign_key=PRODUCT, index=True, max_length=SKU)
    stand_in: str = Field(foreign_key=PRODUCT, max_length=SKU)
    relation: str = Field(max_length=12)
    note: str = Field(max_length=200)


class GoalRow(CatalogTable, table=True):
    """What the company would rather sell."""

    __tablename__ = "sales_goal"

    id: int | None = Field(default=None, primary_key=True)
    data: dict[str, Any] = Field(sa_type=JSON)


class VocabularyRow(CatalogTable, table=True):
    """One part of the vocabulary: synonyms, traits, specials, numbers, small words."""

    __tablename__ = "vocabulary"

    part: str = Field(primary_key=True, max_length=24)
    data: Any = Field(sa_type=JSON)
