"""What the catalog's overviews show: categories with their products, and the ways to ship."""

from collections.abc import Iterable

from pydantic import BaseModel, Field

from servers.catalog.schemas import ProductSummary
from servers.catalog.shipping import ShippingNetwork

MOST = 200


class CategoryRow(BaseModel):
    """A category and how many products it has."""

    category: str
    products: int


class Categories(BaseModel):
    """Every category of the catalog."""

    items: list[CategoryRow]


class CategorySheet(BaseModel):
    """A category with its products, by SKU; `left_out` are found with search_products."""

    category: str
    products: list[ProductSummary]
    left_out: int


class MethodRow(BaseModel):
    """A way to send goods; transit days are from and to, by zone."""

    method: str
    name: str
    mode: str
    transit_days: dict[str, tuple[int, int]]
    max_weight_g: int | None


class ShippingSheet(BaseModel):
    """The ways to send goods, and which zone a country is in."""

    methods: list[MethodRow]
    zones: dict[str, list[str]] = Field(description="zone -> countries, ISO 3166-1 alpha-2")
    other_countries: str = Field(description="the zone of every other country")


def category_sheet(category: str, products: Iterable[ProductSummary]) -> CategorySheet:
    """Return a category as a sheet, as many products as fit."""
    rows = sorted(products, key=lambda row: row.sku)
    return CategorySheet(category=category, products=rows[:MOST], left_out=max(0, len(rows) - MOST))


def shipping_sheet(network: ShippingNetwork) -> ShippingSheet:
    zones: dict[str, list[str]] = {}
    for country, zone in sorted(network.zones.items()):
        zones.setdefault(zone, []).append(country)
    return ShippingSheet(
        methods=[MethodRow(**method.model_dump()) for method in network.methods],
        zones=zones,
        other_countries=network.other_zone,
    )
