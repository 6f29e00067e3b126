"""What is sold, as finance knows it, and the units it is sold by."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Item:
    """What is sold, as finance knows it."""

    sku: str
    name: str
    description: str
    family: str
    kind: str
    weight_g: int | None
    cost: Decimal | None
    cost_currency: str
    tax_class: str
    flags: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ItemUnit:
    """One `unit` of a SKU is numerator / denominator base units; 1/1 names the base unit."""

    sku: str
    unit: str
    numerator: int
    denominator: int = 1
