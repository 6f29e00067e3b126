"""The rules as data: what a row of `rules.json` may say, one type per kind.

A rule picks products with a `Selector` and states what must hold; `compatibility` judges the
rules about lines together, `eligibility` those about one line and where it goes.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from servers.catalog.schemas import AttributeValue, Product
from servers.toolkit.findings import Severity
from servers.toolkit.money import whole_up


class Row(BaseModel):
    """A row of data: closed to fields it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Selector(Row):
    """Picks products; every part that is given must hold."""

    skus: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    eccn: tuple[str, ...] = ()
    un_numbers: tuple[str, ...] = ()
    specials: tuple[str, ...] = ()
    has: tuple[str, ...] = ()
    attributes: dict[str, AttributeValue] = Field(default_factory=dict)
    but_not: tuple[str, ...] = ()
    but_not_eccn: tuple[str, ...] = ()

    def picks(self, product: Product) -> bool:
        return (
            product.sku not in self.but_not
            and product.eccn not in self.but_not_eccn
            and (not self.skus or product.sku in self.skus)
            and (not self.families or product.family in self.families)
            and (not self.kinds or product.kind in self.kinds)
            and (not self.eccn or product.eccn in self.eccn)
            and (not self.un_numbers or product.un_number in self.un_numbers)
            and (not self.specials or bool(set(self.specials) & set(product.specials)))
            and all(product.attributes.get(name) for name in self.has)
            and all(product.attributes.get(n) == v for n, v in self.attributes.items())
        )


class Ratio(Row):
    """So many of the target for so many of the subject, rounded up; `per` 0 means once."""

    count: int = Field(default=1, ge=1)
    per: int = Field(default=1, ge=0)

    def needed(self, quantity: Decimal) -> int:
        """Return how many of the target a quantity of the subject needs."""
        return self.count if self.per == 0 else whole_up(quantity * self.count / self.per)


def _in_force(row: "RuleBase | SalesGoal", day: date | None) -> bool:
    return day is None or (
        (row.valid_from is None or row.valid_from <= day)
        and (row.valid_to is None or day <= row.valid_to)
    )


class RuleBase(Row):
    """What every rule says: its id, the finding it makes, and when and why it holds."""

    rule_id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{2,79}$")
    code: str = Field(pattern=r"^[A-Z][A-Z0-9_]{2,39}$")
    severity: Severity
    message: str = Field(max_length=400)
    fix: str = Field(default="", max_length=250)
    subject: Selector
    when: Selector | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    source: str = "catalog team"

    def holds_on(self, day: date) -> bool:
        return _in_force(self, day)


class Part(Row):
    """A target SKU with how many of it the subject needs."""

    sku: str
    ratio: Ratio = Ratio()


class RequiresAll(RuleBase):
    """The subject needs every one of the parts."""

    kind: Literal["requires_all"]
    parts: tuple[Part, ...] = Field(min_length=1)


class RequiresAny(RuleBase):
    """The subject needs enough of the targets together; `offer` are the SKUs to add, best first."""

    kind: Literal["requires_any"]
    targets: Selector
    ratio: Ratio = Ratio()
    offer: tuple[str, ...] = ()


class PlanGate(RuleBase):
    """An add-on works only on top of one of the plans, for as many devices."""

    kind: Literal["plan_gate"]
    plans: tuple[str, ...] = Field(min_length=1)
    ratio: Ratio = Ratio()


class Excludes(RuleBase):
    """Subject and targets do not go into one quote."""

    kind: Literal["excludes"]
    targets: Selector


class AttrMatch(RuleBase):
    """Where targets are in the quote, one must share the subject's value of an attribute."""

    kind: Literal["attr_match"]
    targets: Selector
    attribute: str
    target_attributes: tuple[str, ...] = Field(min_length=1)
    offer: tuple[str, ...] = ()


class AttrSumLe(RuleBase):
    """What the subjects use up stays within what the targets provide.

    With `pack`, one target must carry a subject whole. An empty `use` counts pieces.
    """

    kind: Literal["attr_sum_le"]
    use: str = ""
    targets: Selector
    provide: str
    unit: str = ""
    pack: bool = False
    only_with_targets: bool = False
    offer: tuple[str, ...] = ()


class CountRange(RuleBase):
    """At least and at most so many of the subject for each of `per`, when any of it is there."""

    kind: Literal["count_range"]
    per: Selector
    minimum: int = Field(default=0, ge=0)
    maximum: int = Field(default=100_000, ge=1)


class Note(RuleBase):
    """Something to say about the subject, nothing to mend."""

    kind: Literal["note"]


class LifecycleRule(RuleBase):
    """The subject may not be ordered in a lifecycle state, or is about to leave it."""

    kind: Literal["lifecycle"]
    state: Literal["ended", "announced", "planned"]


class Region(RuleBase):
    """The subject is sold only to (allow), or not to (deny), some countries."""

    kind: Literal["region"]
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()


class Certification(RuleBase):
    """In these countries the subject needs one of the schemes, unexpired."""

    kind: Literal["certification"]
    countries: tuple[str, ...] = Field(min_length=1)
    schemes: tuple[str, ...] = Field(min_length=1)


class Export(RuleBase):
    """The subject may not simply go to a country; `test` says how its country is judged."""

    kind: Literal["export"]
    test: Literal["embargo", "licence", "unclassified"]


class QtyPolicy(RuleBase):
    """The quantity of a line has a minimum, a maximum or a multiple."""

    kind: Literal["qty_policy"]
    minimum: int = Field(default=1, ge=1)
    maximum: int = Field(default=100_000, ge=1)
    multiple: int = Field(default=1, ge=1)


class UnitRule(RuleBase):
    """A line is counted in pieces or in the product's own unit."""

    kind: Literal["unit"]


class Term(RuleBase):
    """The term of a line lies within a range, in months; a maximum of 0 means it has none."""

    kind: Literal["term"]
    minimum: int = Field(default=1, ge=0)
    maximum: int = Field(default=120, ge=0)


class Plug(RuleBase):
    """The value of an attribute fits only some countries."""

    kind: Literal["country_attr"]
    attribute: str
    countries: dict[str, tuple[str, ...]]


class LeadTime(RuleBase):
    """How the subject's readiness is reported when it is late or not on the shelf."""

    kind: Literal["lead_time"]
    test: Literal["late", "backorder", "unknown"]


class Hazmat(RuleBase):
    """How the subject's transport limits are reported."""

    kind: Literal["hazmat"]
    test: Literal["preferred_mode", "carried", "unknown_weight"]


SetRule = (
    RequiresAll | RequiresAny | PlanGate | Excludes | AttrMatch | AttrSumLe | CountRange | Note
)
LineRule = LifecycleRule | Region | Certification | Export | QtyPolicy | UnitRule | Term | Plug
Rule = Annotated[SetRule | LineRule | LeadTime | Hazmat, Field(discriminator="kind")]
RULE: TypeAdapter[Rule] = TypeAdapter(Rule)


class Certificate(Row):
    """A certificate and the products it covers."""

    scheme: str = Field(max_length=20)
    certificate_no: str = Field(max_length=60)
    covers: Selector
    expires: date | None = None


class ExportList(Row):
    """A dated list of destinations, as somebody published it."""

    list_id: str = Field(max_length=40)
    test: Literal["embargo", "licence_free"]
    name: str = Field(max_length=120)
    version: str = Field(max_length=20)
    date: date
    source: str = Field(max_length=200)
    countries: tuple[str, ...]
    max_age_days: int | None = Field(default=None, ge=1, le=3660)

    @property
    def evidence(self) -> str:
        return f"list: {self.name}, version {self.version} of {self.date.isoformat()}"


class HazmatMode(Row):
    """Whether goods with a UN number travel by a mode with our carriers."""

    un_number: str = Field(pattern=r"^UN[0-9]{4}$")
    mode: Literal["road", "air", "sea", "pickup"]
    allowed: bool
    note: str = Field(max_length=200)
    source: str = Field(max_length=120)
    as_of: date


class ShipMethod(Row):
    """A way to send goods: its mode, and the transit days per zone it serves."""

    method: str = Field(pattern=r"^[A-Z][A-Z0-9-]{1,19}$")
    name: str = Field(max_length=80)
    mode: Literal["road", "air", "sea", "pickup", "digital"]
    transit_days: dict[str, tuple[int, int]]
    max_weight_g: int | None = None


class Stock(Row):
    """What is on the shelf, as of a day."""

    sku: str
    on_hand: int = Field(ge=0)
    reserved: int = Field(default=0, ge=0)
    lead_time_days: int = Field(ge=0)
    inbound_date: date | None = None
    inbound_quantity: int = Field(default=0, ge=0)
    as_of: date


class SubstituteRow(Row):
    """One product may stand in for another."""

    sku: str
    stand_in: str
    relation: Literal["equivalent", "upgrade", "downgrade"]
    note: str = Field(max_length=200)


class SalesGoal(Row):
    """What the company would rather sell: it may order equals, never hide or outrank."""

    scope: Selector
    goal: Literal["push", "hold", "sunset"]
    note: str = Field(max_length=120)
    valid_from: date | None = None
    valid_to: date | None = None

    def holds_on(self, day: date | None) -> bool:
        return _in_force(self, day)
