"""What the catalog's tools take and return. No price, no cost: those live in finance."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from servers.toolkit.fields import LineId, Measured, OptionCode, Quantity, Sku, SubscriptionId
from servers.toolkit.findings import Finding
from servers.toolkit.units import Unit

Mode = Literal["road", "air", "sea", "pickup"]
Lifecycle = Literal["planned", "active", "last_order", "eol"]
AttributeValue = bool | int | str | list[str]


class LineIn(BaseModel):
    """One line to judge: what, how many, and whether it stands for another line."""

    model_config = ConfigDict(extra="forbid")

    line_id: LineId
    sku: Sku
    quantity: Quantity
    unit: Unit = "each"
    term_months: Annotated[int, Field(ge=1, le=120)] | None = None
    start: date | None = None
    optional: bool = False
    alternative_of: LineId | None = None
    end: date | None = None
    segment_of: Annotated[LineId | None, Field(description="the ramp segment before this one")] = (
        None
    )
    options: Annotated[tuple[OptionCode, ...], Field(max_length=20)] = ()
    part_of: Annotated[
        LineId | None, Field(description="the bundle line whose optional part this is")
    ] = None
    change: Literal["amend", "renew"] | None = None
    subscription_id: SubscriptionId | None = None


Lines = Annotated[
    list[LineIn], Field(min_length=1, max_length=200, description="the lines of the quote to be")
]


FromLine = Annotated[
    int, Field(ge=1, le=200, description="first line to show, by position, where not all fit")
]


class Component(BaseModel):
    """A part of a bundle: always in it, or an optional one that is a line of its own."""

    model_config = ConfigDict(extra="forbid")

    sku: Sku
    quantity: int = Field(default=1, ge=1, le=1000, description="in each bundle")
    optional: bool = False
    group: str | None = Field(default=None, max_length=40, description="option group it is in")


class OptionGroup(BaseModel):
    """How many different optional parts of a group one bundle takes."""

    model_config = ConfigDict(extra="forbid")

    group: str = Field(max_length=40)
    min_select: int = Field(default=0, ge=0, le=100)
    max_select: int = Field(default=100, ge=1, le=100)


class Product(BaseModel):
    """Everything the catalog knows about one SKU."""

    sku: Sku
    name: str
    family: str
    kind: Literal["goods", "service", "subscription", "bundle"]
    base_uom: Unit
    lifecycle: Lifecycle
    last_order_date: date | None = None
    successor_sku: str | None = None
    weight_g: int | None = None
    dims_mm: list[int] | None = None
    hs_code: str | None = None
    origin_country: str | None = None
    eccn: str | None = None
    un_number: str | None = None
    battery_wh: int | None = None
    warranty_months: int | None = None
    attributes: dict[str, AttributeValue] = Field(default_factory=dict)
    specials: list[str] = Field(default_factory=list)
    aliases: list[str] = Field(default_factory=list)
    description: str = ""
    units: dict[Unit, Annotated[int, Field(ge=1, le=100_000)]] = Field(
        default_factory=dict, description="other units it is sold by, and the pieces in one"
    )
    components: list[Component] = Field(default_factory=list, description="of a bundle")
    option_groups: list[OptionGroup] = Field(default_factory=list)


class ProductSummary(BaseModel):
    """A product in a list."""

    sku: str
    name: str
    family: str
    kind: str
    lifecycle: str
    summary: str

    @classmethod
    def of(cls, item: Product) -> "ProductSummary":
        same = item.model_dump(include={"sku", "name", "family", "kind", "lifecycle"})
        return cls(**same, summary=item.description)


class ProductPage(BaseModel):
    """A page of products, the best match first."""

    items: list[ProductSummary]
    total: int
    next_cursor: str | None = None


class ProductDetail(Product):
    """A product with what belongs to it."""

    certificates: list[str] = Field(default_factory=list, description="scheme and number")
    substitutes: list[str] = Field(default_factory=list, description="SKUs that may stand in")


class ComparedAttribute(BaseModel):
    """One attribute across the compared products; null where a product does not have it."""

    attribute: str
    values: dict[str, AttributeValue | None]
    differs: bool


class Comparison(BaseModel):
    """Products side by side, the attributes that differ first."""

    items: list[ProductSummary]
    attributes: list[ComparedAttribute]


class Candidate(BaseModel):
    """A product that may answer a phrase, with why."""

    sku: str
    name: str
    score: int = Field(ge=0, le=100)
    reasons: list[str]


class MatchResult(BaseModel):
    """The candidates for a phrase; `resolved` only when one is clearly ahead."""

    candidates: list[Candidate]
    resolved: str | None = None
    margin: int = Field(description="points between the best candidate and the next")
    findings: list[Finding] = Field(default_factory=list)


class ConfigurationCheck(BaseModel):
    """Whether the lines fit together and may be sold there; `ok` means no error, no block."""

    ok: bool
    findings: list[Finding]
    lines_digest: str = Field(description="sha256 of the canonical JSON of the lines")
    statement: str = Field(default="", description="for finance: this verdict, valid 24 hours")


class Addition(BaseModel):
    """A part that is missing: add it and the rule is met."""

    sku: str
    quantity: int
    unit: Unit = Field(default="each", description="unit of the line to add")
    reason: str
    rule_id: str
    for_line: str


class Completion(BaseModel):
    """The additions that make the lines pass, and the findings no addition can mend."""

    additions: list[Addition]
    findings: list[Finding]


class Substitute(BaseModel):
    """A product that may stand in for another; the choice is a person's."""

    sku: str
    name: str
    relation: Literal["successor", "equivalent", "upgrade", "downgrade", "similar"]
    note: str
    allowed: bool = Field(description="may be sold on that date, to that country")
    findings: list[Finding] = Field(default_factory=list)


class SubstituteList(BaseModel):
    """What may stand in for a SKU, the closest first."""

    items: list[Substitute]
    total: int
    next_cursor: str | None = None
    findings: list[Finding] = Field(default_factory=list)


class LineAvailability(BaseModel):
    """When the goods of one line are ready to leave, as of the day the stock was counted."""

    line_id: str
    sku: str
    quantity: Measured
    available: Measured = Field(description="pieces free on the shelf for this line")
    promise_date: date | None = Field(description="ready to leave us; null when nobody knows")
    as_of: date | None


class Availability(BaseModel):
    """When each line is ready."""

    lines: list[LineAvailability]
    findings: list[Finding]
    next_line: int | None = Field(
        default=None, description="position of the first line left out; from_line of the next call"
    )


class ShippingOption(BaseModel):
    """One way to send the lines, allowed or not, and why."""

    method: str
    name: str
    mode: Literal["road", "air", "sea", "pickup", "digital"]
    transit_days_min: int
    transit_days_max: int
    allowed: bool
    reason: str


class ShippingOptions(BaseModel):
    """The ways to send the lines; `recommended` is null when there is none."""

    options: list[ShippingOption]
    recommended: str | None
    findings: list[Finding]
