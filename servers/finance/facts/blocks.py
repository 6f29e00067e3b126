"""The parts of a quote: addresses, lines, taxes, totals, trace steps and approvals.

Amounts are integer minor units of the quote's one `currency`; unit prices and percentages are
decimal strings ("389.00", "12.5"). An amount is None only in a draft that could not be priced.
"""

from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from servers.toolkit.fields import Measured

Status = Literal[
    "draft",
    "waiting",
    "approved",
    "issued",
    "accepted",
    "rejected",
    "withdrawn",
    "superseded",
    "expired",
]
Cover = Literal["standard", "revision", "renewal"]
NOTICE = (
    "Screening and clause selection are automated checks against the data shown. They are not "
    "legal, tax or export advice. A responsible person must confirm before sending."
)


class Block(BaseModel):
    """A closed, unchangeable part of a quote."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class AddressBlock(Block):
    """A postal address; `lines` are the street lines, in order."""

    address_id: str = ""
    lines: list[str]
    city: str
    region: str = ""
    postal_code: str = ""
    country: str = Field(description="ISO 3166-1 alpha-2")


class TaxIdBlock(Block):
    """A tax number as it is printed."""

    scheme: str = Field(description="eu_vat, gb_vat, us_ein, ch_uid ...")
    country: str
    value: str


class BankBlock(Block):
    """The seller's own account; never taken from a message."""

    bank_name: str
    account_holder: str
    iban: str = ""
    bic: str = ""
    account_number: str = Field(default="", description="where there is no IBAN")
    routing_number: str = Field(default="", description="ABA number, sort code ...")


class SellerBlock(Block):
    """The legal entity that makes the offer."""

    legal_name: str
    address: AddressBlock
    vat_id: str
    registration: str = Field(description="court and number of the commercial register")
    email: str
    phone: str
    website: str
    bank: BankBlock
    signatory_name: str
    signatory_title: str
    entity_id: str = ""
    country: str = Field(default="", description="where the entity is registered")
    time_zone: str = Field(default="", description="IANA name; validity ends with its day")
    tax_ids: list[TaxIdBlock] = Field(default_factory=list, description="vat_id apart")
    logo: str = Field(default="", description="data URI of an SVG or PNG, or empty")


class CustomerBlock(Block):
    """The company the offer is made to, from master data; its name is outside text."""

    account_id: str
    legal_name: str
    country: str
    address: AddressBlock | None = Field(default=None, description="registered address")
    tax_ids: list[TaxIdBlock] = Field(default_factory=list)


class Allowance(Block):
    """A reduction of one line or of the freight, as the customer sees it."""

    label: str = Field(description="'Volume discount', 'Promotion EDGE5', 'Discount' ...")
    percent: str | None = Field(default=None, description="'8' or '12.5'; None for an amount")
    amount_minor: int = Field(description="how much it takes off; never negative")


class OptionBlock(Block):
    """A configuration option of a line; its extra is in the line's unit price."""

    code: str
    label: str
    unit_extra: str = Field(description="per unit, decimal string")


class ComponentBlock(Block):
    """A part that a bundle's price includes, per one bundle."""

    sku: str
    name: str
    quantity: int


class ChargeBlock(Block):
    """A fee on the whole quote, a small-order charge say."""

    charge_id: str
    label: str
    net_minor: int
    tax_category: str | None
    tax_rate: str | None


class PromotionBlock(Block):
    """A promotion that applies; what it uses up counts when the customer accepts."""

    promotion_id: str
    code: str
    amount_minor: int = Field(description="what it takes off lines in the total and the freight")
    free_units: int = 0


class RecurringBlock(Block):
    """What subscriptions come to, derived and labelled; never a part of the totals above."""

    monthly_minor: int = Field(
        description="MRR: net per month while all of them run; a ramp's average"
    )
    annual_minor: int = Field(description="ACV: a year of that, rounded by itself")
    contract_minor: int = Field(description="TCV: net over the whole terms")
    one_time_minor: int = Field(description="net of everything that is paid once")


class PresentationBlock(Block):
    """The total in another currency, to read only; the quote is in its own currency."""

    currency: str
    rate: str
    rate_date: date
    source: str
    total_minor: int


class QuoteLine(Block):
    """One line: quantity x unit price = gross; gross - allowances - included tax = net."""

    position: int = Field(description="1, 2, ... as printed")
    line_id: str
    sku: str
    name: str
    description: str = ""
    quantity: Measured
    unit: str
    unit_price: str | None = Field(description="for the whole term, before allowances")
    term_months: int | None = None
    start: date | None = None
    optional: bool = Field(default=False, description="priced, but not in the totals")
    alternative_of: str | None = Field(
        default=None, description="line_id it could replace; priced, but not in the totals"
    )
    end: date | None = Field(default=None, description="last day of a subscription")
    segment_of: str | None = Field(default=None, description="line_id of the ramp it is part of")
    part_of: str | None = Field(default=None, description="line_id of the bundle it belongs to")
    change: Literal["amend", "renew"] | None = None
    subscription_id: str | None = None
    free: bool = Field(default=False, description="a free item of a promotion")
    options: list[OptionBlock] = Field(default_factory=list)
    components: list[ComponentBlock] = Field(default_factory=list)
    gross_minor: int | None
    allowances: list[Allowance] = Field(default_factory=list)
    tax_inclusive: bool = Field(
        default=False, description="unit price, gross and allowances include the tax"
    )
    included_tax_minor: int = Field(
        default=0, description="the tax in them: gross - allowances - this = net, exactly"
    )
    net_minor: int | None
    tax_category: str | None = Field(description="UNCL5305: S, Z, E, AE, K, G, O")
    tax_rate: str | None = Field(description="percent, '19' or '0'")

    @property
    def in_total(self) -> bool:
        return not self.optional and self.alternative_of is None


class InternalLine(QuoteLine):
    """A line with where its price came from."""

    family: str
    list_unit_price: str | None = Field(description="from the price book, for the default term")
    price_book: str | None
    contract_id: str | None = None
    base_quantity: str | None = Field(
        default=None, description="the quantity in base units, where it is another one"
    )
    contract_quantity: str | None = Field(
        default=None, description="base units that the contract price holds for"
    )
    list_minor: int | None = Field(
        default=None, description="quantity and term at the price list, before any agreement"
    )


class FreightBlock(Block):
    """Carriage of the whole quote."""

    method: str = Field(description="ROAD-STD, AIR-STD, PICKUP, DIGITAL ...")
    label: str = Field(description="the method in words")
    weight_g: int
    gross_minor: int | None
    allowances: list[Allowance] = Field(default_factory=list)
    net_minor: int | None
    tax_category: str | None
    tax_rate: str | None


class TaxBlock(Block):
    """One group of the tax breakdown (EN 16931): rounded once."""

    category: str
    rate: str
    taxable_minor: int
    tax_minor: int
    note: str = Field(default="", description="the words the law asks for, e.g. reverse charge")
    jurisdiction: str = Field(default="", description="country, or country-region, that taxes")
    reason_code: str = Field(default="", description="VATEX code of an exemption (EN 16931)")
    name: str = Field(default="", description="the tax's own name: VAT, GST ...")


class TotalsBlock(Block):
    """lines + freight + charges = net; net + tax = total; total + rounding = payable, exactly."""

    lines_minor: int | None
    freight_minor: int | None
    charges_minor: int = 0
    net_minor: int | None
    tax_minor: int | None
    total_minor: int | None
    rounding_minor: int = Field(default=0, description="cash rounding, outside tax")
    payable_minor: int | None = Field(default=None, description="None where nothing is rounded")
    tax_rounding: Literal["document", "line"] = Field(
        default="document", description="tax is rounded once per group, or line by line"
    )
    tax_rounding_source: str = Field(default="", description="the row that says so")


class InstalmentBlock(Block):
    """One payment: how much, counted from what, and the earliest day it can be due."""

    position: int
    percent: str
    amount_minor: int
    due: Literal["order", "delivery", "invoice", "end_of_month"] = Field(
        description="what the days count from; end_of_month is that of the invoice's month"
    )
    days: int
    say: str = Field(description="the same in words")
    earliest: date = Field(description="as if order, delivery and invoice were on the order date")
    discount_percent: str | None = Field(default=None, description="for paying early")
    discount_days: int | None = None
    discount_minor: int | None = None


class PaymentTermsBlock(Block):
    """When the customer pays; the instalments sum to what is payable."""

    code: str
    description: str
    days: int
    instalments: list[InstalmentBlock] = Field(default_factory=list)


class ClauseBlock(Block):
    """An approved clause, in the version that was quoted."""

    clause_id: str
    version: int
    topic: str
    title: str
    text: str
    sha256: str
    language: str = "en"


class TraceStep(Block):
    """One step of the waterfall: what changed a price, by which rule and row, and what lost."""

    line_id: str = Field(default="", description="empty for steps about the whole quote")
    step: str = Field(description="list, contract, term, tier, promotion, discount, round ...")
    rule_id: str
    source: str = Field(default="", description="the row or file that decided")
    version: str = Field(default="", description="of that row: from when it holds, and its digest")
    before: str | None = None
    after: str | None = None
    note: str = ""
    lost: list[str] = Field(default_factory=list, description="candidates that lost, and why")


class ToldStep(TraceStep):
    """A step of the waterfall, and the words for it."""

    said: str


class ApprovalNeed(Block):
    """A rule that fails, and the role that may let it pass."""

    rule_id: str
    role: str
    reason: str
    sequence: int = Field(default=1, description="lower ones are decided first")


class ApprovalBlock(Block):
    """One approval of the quote, asked for or decided."""

    approval_id: str
    rule_id: str
    role: str
    reason: str
    status: Literal["pending", "approved", "rejected", "expired", "cancelled"]
    requested_by: str
    requested_at: str
    expires_at: str
    decided_by: str | None = None
    decided_at: str | None = None
    note: str = ""
    sequence: int = 1


class Decider(Block):
    """A person of the house who may do what is open."""

    person_id: str
    name: str


class OpenDecision(Block):
    """One approval that is still to be given, and who may give it."""

    approval_id: str | None = Field(description="None while nobody has asked for it")
    rule_id: str
    role: str
    reason: str
    people: list[Decider] = Field(description="who may decide: role, limits, and not who asked")


class ToCheck(BaseModel):
    """The arguments of the catalog's check_configuration for exactly this quote."""

    lines: list[dict[str, Any]]
    ship_to_country: str
    order_date: date


class NextStep(Block):
    """What a quote waits for, complete in itself."""

    waits_for: Literal["request_approval", "decision", "issue", "nothing"]
    say: str = Field(description="the same in words, for a person")
    decisions: list[OpenDecision] = Field(default_factory=list)
    people: list[Decider] = Field(default_factory=list, description="who may issue it")


class MarginBlock(Block):
    """The quote's margin, for a named person only; None to every agent and local profile."""

    net_minor: int
    cost_minor: int
    margin_bp: int
    hardware_margin_bp: int | None
    floor_bp: int


class RiskRow(Block):
    """One rule of the risk summary that fired; facts only, for people of the house."""

    area: Literal["credit", "screening", "export", "payment", "deviation", "tax", "pricing"]
    rule_id: str
    severity: str
    fact: str
