"""What a person opens in a client: quotes in every format, clauses, the seller; and completion.

Whole stored quotes are internal; the pages are the customer's view, and may be sent as they are.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from pydantic import BaseModel
from sqlalchemy import or_, select
from sqlmodel import Session, col

from servers.finance.documents import QuoteDocument, customer_view
from servers.finance.facts.blocks import SellerBlock
from servers.finance.facts.copies import block
from servers.finance.facts.legal import DEFAULT_LANGUAGE
from servers.finance.render.pages import render
from servers.finance.render.pdf import pdf
from servers.finance.schemas import ClauseId, Format
from servers.finance.store import listed_quotes, stored_quotes
from servers.finance.store.database import FinanceDatabase
from servers.finance.store.policy import find_entities
from servers.finance.tables.customers import CustomerRow
from servers.finance.tables.legal import ClauseRow
from servers.finance.tables.quotes import Quote
from servers.finance.tools.quotes import ENDING, MIME
from servers.toolkit.completing import WINDOW, Finder
from servers.toolkit.components import resource_at
from servers.toolkit.declare import resource
from servers.toolkit.errors import NotFoundError
from servers.toolkit.fields import QuoteId

MOST = 100
ONE: dict[str, Any] = {"rows": "bound", "binds": ("quote_id",), "integrity": "untrusted"}


class ClauseSummary(BaseModel):
    """A clause in a list, in its newest version."""

    clause_id: str
    version: int
    topic: str
    title: str


class ClauseVersion(ClauseSummary):
    """An approved version of a clause, with its text."""

    language: str
    text: str
    sha256: str
    approved_by: str
    approved_on: date
    valid_from: date
    valid_to: date | None


class Clauses(BaseModel):
    """Every clause there is."""

    items: list[ClauseSummary]


class SellerSheet(BaseModel):
    """A legal entity, and the countries whose customers it makes offers to."""

    entity: SellerBlock
    serves: list[str]
    is_default: bool


class Sellers(BaseModel):
    """The legal entities of the house, the default one first."""

    items: list[SellerSheet]


class ClauseSheet(BaseModel):
    """A clause in all its versions, the newest first."""

    clause_id: str
    versions: list[ClauseVersion]


def _document(finance: FinanceDatabase, quote_id: str) -> QuoteDocument:
    with finance.session() as session:
        return stored_quotes.document(session, quote_id, finance.now())


@resource_at("finance://quotes", resource("Newest quotes", rows="filtered"))
def quotes(finance: FinanceDatabase) -> str:
    """The newest quotes, at most 100: number, status, customer, total."""
    with finance.session() as session:
        return listed_quotes.page(session, now=finance.now(), limit=MOST).model_dump_json()


@resource_at("finance://quotes/{quote_id}", resource("Quote", **ONE))
def quote(finance: FinanceDatabase, quote_id: QuoteId) -> str:
    """A stored quote, whole, as JSON."""
    return _document(finance, quote_id).model_dump_json()


def _page(name: str, title: str, form: Format, about: str) -> Callable[..., str]:
    """Return the resource of the customer's quote in a text format; `about` is its docstring."""

    def page(finance: FinanceDatabase, quote_id: QuoteId) -> str:
        return render(customer_view(_document(finance, quote_id)), form, finance.sign)

    page.__name__, page.__doc__ = name, about
    uri = "finance://quotes/{quote_id}/quote." + ENDING[form]
    return resource_at(uri, resource(f"Quote, {title}", mime_type=MIME[form], **ONE))(page)


_CUSTOMER = "The quote for the customer, as"
quote_html = _page(
    "quote_html", "page", "html", f"{_CUSTOMER} one self-contained HTML page that prints well."
)
quote_markdown = _page("quote_markdown", "text", "markdown", f"{_CUSTOMER} Markdown.")
quote_json = _page("quote_json", "data", "json", f"{_CUSTOMER} JSON; nothing internal is in it.")
quote_ubl = _page("quote_ubl", "UBL", "ubl", f"{_CUSTOMER} a UBL 2.1 Quotation document.")
_WORDS = "The words that go with the quote in a message; approved texts and the offer's facts."
quote_letter = _page("quote_letter", "letter", "letter", _WORDS)


@resource_at(
    "finance://quotes/{quote_id}/quote.pdf",
    resource("Quote, PDF", mime_type="application/pdf", **ONE),
)
def quote_pdf(finance: FinanceDatabase, quote_id: QuoteId) -> bytes:
    """The quote for the customer as PDF, with quote.json and quote.xml attached."""
    return pdf(customer_view(_document(finance, quote_id)), sign=finance.sign).data


@resource_at(
    "finance://quotes/{quote_id}/internal.pdf",
    resource("Quote inside, PDF", mime_type="application/pdf", **ONE),
)
def internal_pdf(finance: FinanceDatabase, quote_id: QuoteId) -> bytes:
    """The internal view of the quote as PDF: findings, approvals and trace; not to be sent."""
    return pdf(_document(finance, quote_id)).data


@resource_at("finance://clauses", resource("Clauses", rows="public"))
def clauses(finance: FinanceDatabase) -> str:
    """Every approved clause by id, topic and title."""
    with finance.session() as session:
        newest = {row.clause_id: block(ClauseSummary, row) for row in _clauses(session)}
    return Clauses(items=list(newest.values())).model_dump_json()


@resource_at("finance://clauses/{clause_id}", resource("Clause", rows="public"))
def clause(finance: FinanceDatabase, clause_id: ClauseId) -> str:
    """A clause with its text in all its versions, the newest first."""
    with finance.session() as session:
        found = [block(ClauseVersion, row) for row in _clauses(session, clause_id)]
    if not found:
        raise NotFoundError(f"no clause {clause_id!r}", fix="read finance://clauses")
    return ClauseSheet(clause_id=clause_id, versions=found[::-1]).model_dump_json()


@resource_at("finance://seller", resource("Seller", rows="public"))
def sellers(finance: FinanceDatabase) -> str:
    """The legal entities that make the offers, as printed on them, and whom each serves."""
    with finance.session() as session:
        entities = find_entities(session)
    sheets = [
        SellerSheet(entity=one.block, serves=sorted(one.countries), is_default=one.is_default)
        for one in entities
    ]
    return Sellers(items=sheets).model_dump_json()


def _clauses(session: Session, clause_id: str | None = None) -> list[ClauseRow]:
    """Return approved clauses by id and version, the default language last."""
    statement = select(ClauseRow).where(col(ClauseRow.status) == "approved")
    if clause_id is not None:
        statement = statement.where(col(ClauseRow.clause_id) == clause_id)
    return sorted(
        session.scalars(statement),
        key=lambda row: (row.clause_id, row.version, row.language == DEFAULT_LANGUAGE),
    )


def find_quotes(session: Session, typed: str, _known: Mapping[str, str]) -> list[str]:
    """Complete a quote, newest first: by its id, number, opportunity or customer."""
    customers = select(col(CustomerRow.account_id)).where(
        col(CustomerRow.legal_name).icontains(typed, autoescape=True)
    )
    means = or_(
        col(Quote.quote_id).istartswith(typed, autoescape=True),
        col(Quote.number).icontains(typed, autoescape=True),
        col(Quote.opportunity_id).istartswith(typed, autoescape=True),
        col(Quote.account_id).in_(customers),
    )
    statement = listed_quotes.visible(select(col(Quote.quote_id)).where(means))
    newest = (col(Quote.created_at).desc(), col(Quote.quote_id))
    return list(session.scalars(statement.order_by(*newest).limit(WINDOW)))


def find_clauses(session: Session, typed: str, _known: Mapping[str, str]) -> list[str]:
    """Complete a clause by its id, title or topic."""
    word = typed.lower()
    rows = [(row.clause_id, row.title, row.topic) for row in _clauses(session)]
    return list(dict.fromkeys(r[0] for r in rows if any(word in part.lower() for part in r)))


FINDERS: dict[str, Finder] = {"quote_id": find_quotes, "clause_id": find_clauses}
