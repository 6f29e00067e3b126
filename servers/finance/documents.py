"""A stored quote as others see it: all of it inside the house, and what the customer gets.

`CustomerQuote` has no field for cost, margin, findings, approvals, claims or who played the
agents, and every model here is closed (`extra="forbid"`), so such a thing cannot slip into what a
customer reads: the type has no place for it. `QuoteDocument` is the internal view. It is not a
base class of the customer's, on purpose: `customer_view` copies field by field.

Amounts are integer minor units of the quote's one `currency`; unit prices and percentages are
decimal strings ("389.00", "12.5"). An amount is None only in a draft that could not be priced.
"""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from servers.toolkit.findings import Finding

Status = Literal[
    "draft", "waiting", "approved", "issued", "rejected", "withdrawn", "superseded", "expired"
]
Cover = Literal["standard", "revision", "renewal"]
NOTICE = (
    "Screening and clause selection are automated checks against the data shown. They are not "
    "legal, tax or export advice. A responsible person must confirm before sending."
)


class Block(BaseModel):
    """A closed, unchangeable part of a quote."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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
    iban: str
    bic: str


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


class QuoteLine(Block):
    """One line: quantity x unit price = gross; gross - allowances = net."""

    position: int = Field(description="1, 2, ... as printed")
    line_id: str
    sku: str
    name: str
    description: str = ""
    quantity: int
    unit: str
    unit_price: str | None = Field(description="for the whole term, before allowances")
    term_months: int | None = None
    start: date | None = None
    optional: bool = Field(default=False, description="priced, but not in the totals")
    alternative_of: str | None = Field(
        default=None, description="line_id it could replace; priced, but not in the totals"
    )
    gross_minor: int | None
    allowances: list[Allowance] = Field(default_factory=list)
    net_minor: int | None
    tax_category: str | None = Field(description="UNCL5305: S, K, AE, G, O, E")
    tax_rate: str | None = Field(description="percent, '19' or '0'")

    @property
    def in_total(self) -> bool:
        """Whether the line counts in the totals."""
        return not self.optional and self.alternative_of is None


class InternalLine(QuoteLine):
    """A line with where its price came from."""

    family: str
    list_unit_price: str | None = Field(description="from the price book, for the default term")
    price_book: str | None
    contract_id: str | None = None


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


class TotalsBlock(Block):
    """lines + freight = net; net + tax = total. Exact sums, no further rounding."""

    lines_minor: int | None
    freight_minor: int | None
    net_minor: int | None
    tax_minor: int | None
    total_minor: int | None


class PaymentTermsBlock(Block):
    """When the customer pays."""

    code: str
    description: str
    days: int


class ClauseBlock(Block):
    """An approved clause, in the version that was quoted."""

    clause_id: str
    version: int
    topic: str
    title: str
    text: str
    sha256: str


class CustomerQuote(Block):
    """What the customer may see. Nothing else about the quote leaves the house."""

    view: Literal["customer"] = "customer"
    quote_id: str
    number: str | None = Field(description="Q-2026-000123, or None while it is no offer yet")
    revision: int
    replaces: str | None = Field(default=None, description="number of the offer it replaces")
    status: Status
    currency: str
    order_date: date = Field(description="the day that decided prices and rates")
    issued_on: date | None
    valid_until: date | None = Field(description="end of that day in the seller's time zone")
    cover: Cover = Field(description="which approved cover text introduces it")
    seller: SellerBlock
    customer: CustomerBlock
    ship_to: AddressBlock
    delivery_terms: str = Field(description="Incoterms 2020 and place; empty for services only")
    lines: list[QuoteLine]
    freight: FreightBlock
    taxes: list[TaxBlock]
    totals: TotalsBlock
    payment_terms: PaymentTermsBlock
    clauses: list[ClauseBlock]
    notice: str = NOTICE
    next_line: int | None = Field(
        default=None, description="position of the first line left out; from_line of the next call"
    )


class TraceStep(Block):
    """One step of the waterfall: what changed a price, by which rule and row, and what lost."""

    line_id: str = Field(default="", description="empty for steps about the whole quote")
    step: str = Field(description="list, contract, term, tier, promotion, discount, round ...")
    rule_id: str
    source: str = Field(default="", description="the row or file that decided")
    before: str | None = None
    after: str | None = None
    note: str = ""
    lost: list[str] = Field(default_factory=list, description="candidates that lost, and why")


class ApprovalNeed(Block):
    """A rule that fails, and the role that may let it pass."""

    rule_id: str
    role: str
    reason: str


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


class NextStep(Block):
    """What a quote waits for, complete in itself."""

    waits_for: Literal["request_approval", "decision", "issue", "nothing"]
    say: str = Field(description="the same in words, for a person")
    decisions: list[OpenDecision] = Field(default_factory=list)
    people: list[Decider] = Field(default_factory=list, description="who may issue it")
    commands: list[str] = Field(default_factory=list, description="what a person types")


class MarginBlock(Block):
    """The quote's margin, for a named person only; None to every agent and local profile."""

    net_minor: int
    cost_minor: int
    margin_bp: int
    hardware_margin_bp: int | None
    floor_bp: int


class QuoteDocument(Block):
    """The whole stored quote, for people of the house."""

    view: Literal["internal"] = "internal"
    quote_id: str
    number: str | None
    revision: int
    replaces: str | None = None
    revises: str | None = Field(default=None, description="quote_id of the revision before")
    status: Status
    currency: str
    order_date: date
    issued_on: date | None
    valid_until: date | None
    cover: Cover
    seller: SellerBlock
    customer: CustomerBlock
    ship_to: AddressBlock
    delivery_terms: str
    lines: list[InternalLine]
    freight: FreightBlock
    taxes: list[TaxBlock]
    totals: TotalsBlock
    payment_terms: PaymentTermsBlock
    clauses: list[ClauseBlock]
    notice: str = NOTICE

    account_id: str
    opportunity_id: str
    contact_id: str | None
    digest: str
    auto_issue: bool
    auto_issue_reasons: list[str] = Field(description="why it does not issue by itself; or empty")
    approvals_needed: list[ApprovalNeed]
    approvals: list[ApprovalBlock]
    findings: list[Finding]
    claims: list[str] = Field(description="what texts asserted and only a person can make true")
    warnings: list[str] = Field(description="codes the catalog found")
    promo_codes: list[str]
    discount_bp: int
    generated_by: str = Field(description="what played the agents, 'playbook' say; or empty")
    created_by: str
    created_at: str
    requested_by: str
    withdrawn_reason: str = ""
    trace: list[TraceStep]
    margin: MarginBlock | None = None
    next_step: NextStep | None = Field(default=None, description="what it waits for now")
    next_line: int | None = Field(
        default=None, description="position of the first line left out; from_line of the next call"
    )


def customer_view(document: QuoteDocument) -> CustomerQuote:
    """Return what the customer may see of a quote, copied field by field."""
    shared = {
        name: getattr(document, name) for name in CustomerQuote.model_fields if name != "view"
    }
    shared["lines"] = [
        QuoteLine(**{name: getattr(line, name) for name in QuoteLine.model_fields})
        for line in document.lines
    ]
    return CustomerQuote(**shared)
