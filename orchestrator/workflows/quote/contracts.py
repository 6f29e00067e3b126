"""What one agent hands to the next: ids, numbers, dates and closed words, never conversation.

A field here may hold a bounded number, a date, a closed word, an id of an anchored form, a list
of those, or a `SearchPhrase`: the one kind of outside text that crosses, short and cleaned, and
only to agents that cannot write (design law 3). A test walks every field and refuses plain text.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.workflows import WORKFLOWS
from servers.toolkit.fields import SKU_FORM, Quantity
from servers.toolkit.units import Unit

AccountId = Annotated[str, Field(pattern=r"^acc_[A-Za-z0-9_-]{1,40}$")]
OpportunityId = Annotated[str, Field(pattern=r"^opp_[A-Za-z0-9_-]{1,40}$")]
AddressId = Annotated[str, Field(pattern=r"^adr_[A-Za-z0-9_-]{1,40}$")]
ContactId = Annotated[str, Field(pattern=r"^con_[A-Za-z0-9_-]{1,40}$")]
DocumentId = Annotated[str, Field(pattern=r"^doc_[A-Za-z0-9_-]{1,40}$")]
QuoteId = Annotated[str, Field(pattern=r"^q_[A-Za-z0-9_-]{1,40}$")]
SourceId = Annotated[str, Field(pattern=r"^(act|doc)_[A-Za-z0-9_-]{1,40}$")]
AnyId = Annotated[str, Field(pattern=r"^[a-z]{1,6}_?[A-Za-z0-9_-]{1,40}$")]
Sku = Annotated[str, Field(pattern=SKU_FORM)]
NeedRef = Annotated[str, Field(pattern=r"^n[0-9]{1,3}$")]
LineId = Annotated[str, Field(pattern=r"^l[0-9]{1,4}$")]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Code = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{1,39}$")]
RuleId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{0,80}$")]
ClauseId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,60}$")]
OptionCode = Annotated[str, Field(pattern=r"^[A-Z0-9][A-Z0-9-]{0,31}$")]
SubscriptionId = Annotated[str, Field(pattern=r"^sub_[A-Za-z0-9_-]{1,40}$")]
PromoCode = Annotated[str, Field(pattern=r"^[A-Z0-9][A-Z0-9-]{2,19}$")]
BasisPoints = Annotated[int, Field(ge=0, le=10_000)]
Months = Annotated[int, Field(ge=1, le=120)]
Change = Literal["amend", "renew"]
Mode = Literal["road", "air", "sea", "pickup"]
ShipMethod = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9-]{1,19}$")]
TermsCode = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9-]{1,19}$")]
Cover = Literal["standard", "revision", "renewal"]
ClaimKind = Literal["ship_to", "exemption", "discount", "approval", "payment_terms", "bank"]
Severity = Literal["info", "warning", "error", "needs_human", "blocked"]
Workflow = Annotated[str, Field(pattern=f"^({'|'.join(WORKFLOWS)})$")]

SearchPhrase = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[\w .,/+&°%()'\"-]+$")]
"""A cleaned search phrase from a customer's words: data for a search box, nothing else."""


class Contract(BaseModel):
    """A hand-over: frozen, and closed to fields it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Reason(StrEnum):
    """Why a thread is quoted, asked about or left alone."""

    EXPLICIT_REQUEST = "explicit_request"
    BUDGET_CONFIRMED_REQUEST = "budget_confirmed_request"
    REPEAT_ORDER_REQUEST = "repeat_order_request"
    REVISION_REQUEST = "revision_request"
    RENEWAL_REQUEST = "renewal_request"
    MISSING_QUANTITY = "missing_quantity"
    QUANTITY_RANGE = "quantity_range"
    CONTRADICTORY_QUANTITIES = "contradictory_quantities"
    MISSING_PRODUCT = "missing_product"
    MISSING_REFERENCE = "missing_reference"
    CONFLICTING_REQUIREMENTS = "conflicting_requirements"
    UNVERIFIED_SENDER = "unverified_sender"
    ONLY_SUPPORT_ISSUE = "only_support_issue"
    ALREADY_ORDERED = "already_ordered"
    LOST_TO_COMPETITOR = "lost_to_competitor"
    JUST_BROWSING = "just_browsing"
    ON_HOLD = "on_hold"
    REQUEST_WITHDRAWN = "request_withdrawn"
    WRONG_RECIPIENT = "wrong_recipient"
    UNSUBSCRIBE = "unsubscribe"
    SPAM = "spam"
    OUT_OF_OFFICE = "out_of_office"
    DUPLICATE_OF_OPEN_QUOTE = "duplicate_of_open_quote"
    CANCELLATION = "cancellation"
    BILLING_MATTER = "billing_matter"
    NOT_OUR_PRODUCTS = "not_our_products"
    AUTOMATED_MESSAGE = "automated_message"
    SUSPECTED_FRAUD = "suspected_fraud"


class Span(Contract):
    """Where in a message or document a fact stands, in characters of its text."""

    source_id: SourceId
    start: int = Field(ge=0, le=10_000_000)
    end: int = Field(ge=0, le=10_000_000)


class Question(Contract):
    """Something only a person can say, with the answers that are possible if they are known."""

    kind: Literal[
        "ambiguous_account",
        "unknown_account",
        "ambiguous_opportunity",
        "no_open_opportunity",
        "unclear_goal",
        "missing_quantity",
        "missing_product",
        "contradiction",
        "unverified_sender",
        "missing_ship_to",
        "missing_reference",
        "missing_subscription",
        "missing_end",
        "unclear_unit",
        "incompatible",
        "already_won",
        "unread_words",
    ]
    subject: AnyId | None = Field(default=None, description="need, line or account it is about")
    candidates: list[AnyId] = Field(default_factory=list, max_length=10)
    words: list[SearchPhrase] = Field(
        default_factory=list,
        max_length=20,
        description="unread_words: what the goal says and no field holds, in its own words",
    )


class Constraints(Contract):
    """What the seller's own goal asks for; nothing from a customer's text ends up here."""

    discount_bp: BasisPoints = 0
    needed_by: date | None = None
    currency: Currency | None = None
    mode: Mode | None = None


class Assignment(Contract):
    """The master agent's reading of the goal: one opportunity, or the question to ask."""

    workflow: Workflow = "quote"
    account_id: AccountId | None = None
    opportunity_id: OpportunityId | None = None
    constraints: Constraints = Field(default_factory=Constraints)
    questions: list[Question] = Field(default_factory=list, max_length=5)


class Need(Contract):
    """One thing the customer wants, as data, with where it was said.

    Subscriptions may have a term or an end, a start, be one `segment_of` a ramp (the need before
    it), or `change` a running one. A `part_of` need is an optional part of the bundle it names.
    """

    ref: NeedRef
    phrase: SearchPhrase
    quantity: Quantity | None = None
    unit: Unit | None = None
    term_months: Months | None = None
    start: date | None = None
    end: date | None = None
    needed_by: date | None = None
    optional: bool = False
    alternative_of: NeedRef | None = None
    segment_of: NeedRef | None = None
    part_of: NeedRef | None = None
    options: list[OptionCode] = Field(default_factory=list, max_length=20)
    change: Change | None = None
    subscription_id: SubscriptionId | None = None
    span: Span


class Claim(Contract):
    """Something a text asserts that only our own records or a person can make true."""

    kind: ClaimKind
    span: Span


class Qualification(Contract):
    """Whether to quote, why, and what is needed; every fact with its evidence."""

    decision: Literal["quote", "ask", "no_quote"]
    reason: Reason
    evidence: list[Span] = Field(default_factory=list, max_length=20)
    needs: list[Need] = Field(default_factory=list, max_length=100)
    needed_by: date | None = None
    ship_to_country: Country | None = None
    mode: Mode | None = None
    currency: Currency | None = None
    budget_minor: int | None = Field(default=None, ge=0, le=10**13)
    promo_codes: list[PromoCode] = Field(default_factory=list, max_length=5)
    discount_asked_bp: BasisPoints | None = None
    payment_terms_asked: TermsCode | None = None
    claims: list[Claim] = Field(default_factory=list, max_length=20)
    questions: list[Question] = Field(default_factory=list, max_length=10)


class Profile(Contract):
    """Who buys: their kind, the addresses on file and what was quoted to them before."""

    account_id: AccountId
    kind: Literal["business", "consumer", "government", "reseller"]
    billing_address_id: AddressId | None = None
    shipping_address_id: AddressId | None = None
    ship_to_country: Country | None = None
    contact_id: ContactId | None = None
    document_ids: list[DocumentId] = Field(default_factory=list, max_length=50)
    past_quote_ids: list[QuoteId] = Field(default_factory=list, max_length=50)
    interactions: int = Field(default=0, ge=0, le=100_000)
    questions: list[Question] = Field(default_factory=list, max_length=5)


KEPT = ("term_months", "start", "end", "change", "subscription_id")
REFERENCES = ("alternative_of", "segment_of", "part_of")
"""What a line takes from its need: values as they are, and needs that become line ids."""


class Line(Contract):
    """One line of the quote to be: what, how many, for how long, and why this SKU."""

    line_id: LineId
    sku: Sku
    quantity: Quantity
    unit: Unit = "each"
    term_months: Months | None = None
    start: date | None = None
    end: date | None = None
    optional: bool = False
    alternative_of: LineId | None = None
    segment_of: LineId | None = None
    part_of: LineId | None = None
    options: list[OptionCode] = Field(default_factory=list, max_length=20)
    change: Change | None = None
    subscription_id: SubscriptionId | None = None
    need_ref: NeedRef | None = None
    reason: Literal["named", "best_match", "required_part", "successor", "substitute"]


class Unmatched(Contract):
    """A need no product was found for, or too many."""

    need_ref: NeedRef
    reason: Literal["no_match", "ambiguous", "not_sold", "no_quantity", "unit"]
    candidates: list[Sku] = Field(default_factory=list, max_length=10)


class Match(Contract):
    """The lines that answer the needs."""

    lines: list[Line] = Field(default_factory=list, max_length=200)
    unmatched: list[Unmatched] = Field(default_factory=list, max_length=100)


class FindingRef(Contract):
    """A finding of a server, named by what it is about; its words stay with the server."""

    code: Code
    severity: Severity
    subject: str = Field(default="", pattern=r"^[A-Za-z0-9_.:/ -]{0,80}$")
    rule_id: RuleId = ""


class Check(Contract):
    """Whether the lines fit together, may be sold and shipped there, and how they travel."""

    ok: bool
    ship_method: ShipMethod | None = None
    findings: list[FindingRef] = Field(default_factory=list, max_length=200)
    lines_digest: Digest


class Price(Contract):
    """The inputs that finance will price the quote from, and the digest of what it answered.

    Without a total there is no quote: finance's findings say what is missing.
    """

    promo_codes: list[PromoCode] = Field(default_factory=list, max_length=5)
    discount_bp: BasisPoints = 0
    currency: Currency
    total_minor: int | None = Field(default=None, ge=0, le=10**15)
    digest: Digest
    findings: list[FindingRef] = Field(default_factory=list, max_length=200)


class Terms(Contract):
    """The clauses and payment terms that finance selected, with what it found about the buyer."""

    clause_ids: list[ClauseId] = Field(default_factory=list, max_length=60)
    payment_terms: TermsCode
    findings: list[FindingRef] = Field(default_factory=list, max_length=100)


class Assembly(Contract):
    """The draft that finance stored."""

    quote_id: QuoteId
    cover: Cover = "standard"
