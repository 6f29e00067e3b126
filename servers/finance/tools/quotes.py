"""The tools that draft and read stored quotes; what binds is in `decisions.py`."""

from typing import Annotated, Any

from fastmcp.tools import ToolResult
from pydantic import AwareDatetime, Field, TypeAdapter

from servers.finance.assembly import QuoteInputs
from servers.finance.card import CARD
from servers.finance.diff import part_of_diff
from servers.finance.documents import CustomerQuote, QuoteDocument, customer_view, lines_that_fit
from servers.finance.explain import explain, told
from servers.finance.facts.blocks import Cover, Status
from servers.finance.schemas import (
    Claim,
    ClauseId,
    Code,
    Deviations,
    DiscountBp,
    Explanation,
    Format,
    FromLine,
    FromStep,
    GeneratedBy,
    Lines,
    PriceRequest,
    PromoCodes,
    ShipMethod,
    TermsCode,
    View,
)
from servers.finance.schemas_quotes import (
    ApprovalRequest,
    QuoteDiff,
    QuoteDraft,
    QuoteNumber,
    QuotePage,
    Rendered,
    Within,
)
from servers.finance.store import approvals, drafts, listed_quotes, stored_quotes
from servers.finance.store.database import FinanceDatabase
from servers.finance.store.revisions import compare
from servers.finance.tools.pricing import PRICED_BY, ROOM, Currency
from servers.toolkit.components import tool
from servers.toolkit.declare import reads, writes
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.fields import (
    AccountId,
    AddressId,
    ContactId,
    Cursor,
    Limit,
    LineId,
    OpportunityId,
    OrderDate,
    QuoteId,
)
from servers.toolkit.linking import first_that_fit, link, part_of, result, schema_of
from servers.toolkit.statements import StatementText

ONE = ("quote_id",)
PAIR = ("quote_id", "other_quote_id")
ENDING = {"html": "html", "markdown": "md", "json": "json", "ubl": "xml", "letter": "txt"}
Offset = Annotated[
    int, Field(ge=0, le=10_000_000, description="first character, where not all of it fits")
]
Whole = Annotated[
    bool, Field(description="all of it in one answer, however large: for programs, not for models")
]
MIME = {
    "html": "text/html",
    "markdown": "text/markdown",
    "json": "application/json",
    "ubl": "application/xml",
    "letter": "text/plain",
}
EITHER_VIEW: dict[str, Any] = {
    "type": "object",
    **TypeAdapter(QuoteDocument | CustomerQuote).json_schema(mode="serialization"),
}
MADE_FROM = (
    *PRICED_BY,
    *("opportunity_id", "contact_id", "payment_terms", "clause_ids", "claims", "warnings"),
    *("revises", "generated_by", "catalog_statement", "crm_statement"),
)
ViewArgument = Annotated[
    View, Field(description="customer: what the customer may see; internal: everything else too")
]


@tool(writes("Create a quote", rows="bound", binds=MADE_FROM, card=CARD))
def create_quote(
    finance: FinanceDatabase,
    account_id: AccountId,
    lines: Lines,
    ship_to_address_id: AddressId,
    ship_method: ShipMethod,
    order_date: OrderDate,
    payment_terms: TermsCode,
    clause_ids: Annotated[list[ClauseId], Field(max_length=60)],
    opportunity_id: OpportunityId | None = None,
    contact_id: ContactId | None = None,
    currency: Currency = None,
    promo_codes: PromoCodes = [],  # noqa: B006 - FastMCP copies defaults into the schema
    discount_bp: DiscountBp = 0,
    deviations: Deviations = [],  # noqa: B006
    claims: Annotated[list[Claim], Field(max_length=6)] = [],  # noqa: B006
    warnings: Annotated[list[Code], Field(max_length=40)] = [],  # noqa: B006
    cover: Cover = "standard",
    revises: QuoteId | None = None,
    generated_by: GeneratedBy = "",
    catalog_statement: StatementText | None = None,
    crm_statement: StatementText | None = None,
) -> QuoteDraft:
    """Store a draft quote; finance works out every number and term again from the inputs.

    Give what price_quote was given, and the clause_ids and payment_terms of select_terms.
    claims are what a message asserts (ship_to, exemption, discount, approval, payment_terms,
    bank): they change no number and ask for a person. warnings are codes the catalog found.
    An opportunity has one open quote: give its id as revises to make the next revision. If
    approvals_needed is not empty, call request_approval next; else issue_quote may follow.
    catalog_statement is that of check_configuration with exactly these lines, crm_statement
    that of quote_readiness, or account_readiness without an opportunity; where one is missing
    or old, a person decides (UNCHECKED). A draft of no run is issued only by such a person.
    """
    request = PriceRequest(
        account_id=account_id,
        lines=tuple(lines),
        ship_to_address_id=ship_to_address_id,
        ship_method=ship_method,
        order_date=order_date,
        currency=currency,
        promo_codes=tuple(promo_codes),
        discount_bp=discount_bp,
    )
    inputs = QuoteInputs(
        request=request,
        opportunity_id=opportunity_id or "",
        contact_id=contact_id,
        payment_terms=payment_terms,
        clause_ids=tuple(clause_ids),
        deviations=tuple(deviations),
        claims=tuple(claims),
        warnings=tuple(warnings),
        cover=cover,
        revises=revises,
        generated_by=generated_by,
        drafted_on=finance.now().date(),
    )
    statements = finance.statements(catalog_statement, crm_statement)
    return finance.once("create_quote", QuoteDraft, drafts.create, inputs, statements)


@tool(writes("Request approval", rows="bound", binds=ONE, card=CARD))
def request_approval(finance: FinanceDatabase, quote_id: QuoteId) -> ApprovalRequest:
    """Ask for every approval a quote needs: one per failing rule, each for a named role.

    quote_id comes from create_quote. Asking again renews what lapsed and repeats the rest.
    Only a person can decide them, with the command or the web page; no agent can.
    """
    return finance.once("request_approval", ApprovalRequest, approvals.request_approval, quote_id)


@tool(
    reads("Get a quote", rows="bound", binds=ONE, integrity="untrusted", card=CARD),
    output_schema=EITHER_VIEW,
)
def get_quote(
    finance: FinanceDatabase,
    quote_id: QuoteId,
    view: ViewArgument = "internal",
    from_line: FromLine = 1,
    whole: Whole = False,
) -> ToolResult:
    """Get a stored quote, whole, or as the customer may see it.

    quote_id comes from list_quotes or create_quote. The internal view has findings,
    approvals, the trace of every price and the digest; the margin is for named persons only.
    next_step says what it waits for, and whom. With next_line, not all
    lines (and not their trace) fit: ask again from there; the rest is of the whole quote, but
    clauses may come without their texts, which finance://clauses/{clause_id} has.
    """
    with finance.session() as session:
        found = stored_quotes.document(
            session, quote_id, finance.now(), checkable=whole and view == "internal"
        )
    part = found if whole else lines_that_fit(found, from_line, with_trace=view == "internal")
    shown = customer_view(part) if view == "customer" else part
    if whole or part.next_line is None:
        return result(shown)
    uri = f"finance://quotes/{quote_id}{'/quote.json' if view == 'customer' else ''}"
    return result(shown, link(uri, "quote", MIME["json"], "the quote with all lines"))


@tool(reads("List quotes", rows="filtered", binds=("account_id", "opportunity_id")))
def list_quotes(
    finance: FinanceDatabase,
    account_id: AccountId | None = None,
    opportunity_id: OpportunityId | None = None,
    status: Status | None = None,
    expiring_within_days: Within = None,
    expired_since: AwareDatetime | None = None,
    number: QuoteNumber | None = None,
    limit: Limit = 20,
    cursor: Cursor = "",
) -> QuotePage:
    """List quotes, newest first: of an account, of an opportunity, or of one status.

    number is the one printed on an issued quote; the answer has its quote_id.

    expiring_within_days keeps the issued ones whose validity ends in that many days; 0 is
    today. An issued quote past its validity has the status expired; expired_since keeps
    those that got it since that moment. Times tell how long each took: created, approvals
    requested and decided, issued, accepted.
    """
    with finance.session() as session:
        return listed_quotes.page(
            session,
            now=finance.now(),
            account_id=account_id,
            opportunity_id=opportunity_id,
            status=status,
            expiring_within_days=expiring_within_days,
            expired_since=expired_since,
            number=number,
            limit=limit,
            cursor=cursor,
        )


@tool(reads("Explain a stored quote", rows="bound", binds=ONE, integrity="untrusted"))
def explain_quote(
    finance: FinanceDatabase,
    quote_id: QuoteId,
    line_id: LineId | None = None,
    from_step: FromStep = 1,
) -> Explanation:
    """Explain the numbers of a stored quote from its own trace, as it was priced then.

    quote_id comes from list_quotes; line_id narrows it to one line. Each step names its rule,
    the row that decided with its version, the amount before and after, and what lost and
    why; `said` is all that in words. With next_from, more steps follow.
    """
    with finance.session() as session:
        found = stored_quotes.document(session, quote_id, finance.now())
    steps, after = first_that_fit(told(explain(found, line_id)), from_step, ROOM)
    return Explanation(
        currency=found.currency, steps=steps, findings=found.findings, next_from=after
    )


@tool(reads("Compare two quotes", rows="bound", binds=PAIR, integrity="untrusted"))
def diff_quotes(
    finance: FinanceDatabase, quote_id: QuoteId, other_quote_id: QuoteId, from_change: FromStep = 1
) -> QuoteDiff:
    """Say what differs between two stored quotes: two revisions of one, as a rule.

    quote_id is the earlier one, other_quote_id the later; both come from list_quotes. Lines
    added, removed and changed with every field before and after, then freight, taxes and
    totals, terms and clauses, and the approvals each needs. With next_from, more lines
    differ: ask again with it as from_change.
    """
    with finance.session() as session:
        return part_of_diff(compare(session, quote_id, other_quote_id), from_change)


@tool(
    reads("Render a quote", rows="bound", binds=ONE, integrity="untrusted"),
    output_schema=schema_of(Rendered),
)
def render_quote(
    finance: FinanceDatabase,
    quote_id: QuoteId,
    format: Format = "markdown",  # noqa: A002 - the field's word
    view: ViewArgument = "customer",
    offset: Offset = 0,
    whole: Whole = False,
) -> ToolResult:
    """Render a stored quote as HTML, Markdown, JSON, UBL 2.1 Quotation XML or a cover letter.

    The customer view is what may be sent; it has no cost, margin, finding or approval in it.
    ubl and letter have no other view. The PDF is finance://quotes/{quote_id}/quote.pdf.
    A long text comes in parts: ask again with next_offset, or open `uri`, which holds it all.
    """
    if format in ("ubl", "letter"):
        view = "customer"
    from servers.finance.render.pages import render

    with finance.session() as session:
        found = stored_quotes.document(session, quote_id, finance.now())
    text = render(customer_view(found) if view == "customer" else found, format, finance.sign)
    if offset and offset >= len(text):
        raise InvalidInputError(
            f"the text has {len(text)} characters", fix="use next_offset of the part before"
        )
    uri = f"finance://quotes/{quote_id}/quote.{ENDING[format]}"
    part, after = (text[offset:], None) if whole else part_of(text, offset)
    answer = Rendered(
        quote_id=quote_id,
        number=found.number,
        format=format,
        view=view,
        mime_type=MIME[format],
        text=part,
        offset=offset,
        next_offset=after,
        total_characters=len(text),
        uri=uri if view == "customer" else None,
    )
    if view != "customer":
        return result(answer)
    name = f"quote.{ENDING[format]}"
    return result(answer, link(uri, name, MIME[format], "the whole text, to open or save"))
