"""What a person opens in a client: quotes in every format, clauses, the seller; and completion.

Whole stored quotes are internal; the pages are the customer's view, and may be sent as they are.
"""

# mypy: disable-error-code="untyped-decorator"
# app.resource is overloaded, and mypy cannot choose an overload for `**resource(...)`

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel
from sqlalchemy import or_, select
from sqlmodel import Session, col

from servers.finance.documents import customer_view
from servers.finance.facts.blocks import SellerBlock
from servers.finance.facts.clauses import DEFAULT_LANGUAGE
from servers.finance.facts.copies import block
from servers.finance.render import Format, render
from servers.finance.render.pdf import pdf
from servers.finance.schemas import ClauseId
from servers.finance.store import stored_quotes
from servers.finance.store.policy import find_entities
from servers.finance.tables.customers import CustomerRow
from servers.finance.tables.legal import ClauseRow
from servers.finance.tables.quotes import Quote
from servers.toolkit.app import Server
from servers.toolkit.completing import WINDOW, Finder
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


def add_resources(app: Server, now: Callable[[], datetime]) -> None:
    _add_quotes(app, now)
    _add_pages(app, now)
    _add_pdfs(app, now)
    _add_house(app)


def _add_quotes(app: Server, now: Callable[[], datetime]) -> None:
    @app.resource("finance://quotes", **resource("Newest quotes", rows="filtered"))
    def quotes() -> str:
        """The newest quotes, at most 100: number, status, customer, total."""
        with app.database.session() as session:
            return stored_quotes.page(session, now(), limit=MOST).model_dump_json()

    @app.resource("finance://quotes/{quote_id}", **resource("Quote", **ONE))
    def quote(quote_id: QuoteId) -> str:
        """A stored quote, whole, as JSON."""
        with app.database.session() as session:
            return stored_quotes.document(session, quote_id, now()).model_dump_json()


def _add_pages(app: Server, now: Callable[[], datetime]) -> None:
    def page(quote_id: str, form: Format) -> str:
        with app.database.session() as session:
            return render(customer_view(stored_quotes.document(session, quote_id, now())), form)

    def said(title: str, mime_type: str) -> dict[str, Any]:
        return resource(title, mime_type=mime_type, **ONE)

    @app.resource("finance://quotes/{quote_id}/quote.html", **said("Quote, page", "text/html"))
    def quote_html(quote_id: QuoteId) -> str:
        """The quote for the customer, as one self-contained HTML page that prints well."""
        return page(quote_id, "html")

    @app.resource("finance://quotes/{quote_id}/quote.md", **said("Quote, text", "text/markdown"))
    def quote_markdown(quote_id: QuoteId) -> str:
        """The quote for the customer, as Markdown."""
        return page(quote_id, "markdown")

    @app.resource(
        "finance://quotes/{quote_id}/quote.json", **said("Quote, data", "application/json")
    )
    def quote_json(quote_id: QuoteId) -> str:
        """The quote for the customer, as JSON; nothing internal is in it."""
        return page(quote_id, "json")

    @app.resource("finance://quotes/{quote_id}/quote.xml", **said("Quote, UBL", "application/xml"))
    def quote_ubl(quote_id: QuoteId) -> str:
        """The quote for the customer, as a UBL 2.1 Quotation document."""
        return page(quote_id, "ubl")

    @app.resource("finance://quotes/{quote_id}/quote.txt", **said("Quote, letter", "text/plain"))
    def quote_letter(quote_id: QuoteId) -> str:
        """The words that go with the quote in a message; approved texts and the offer's facts."""
        return page(quote_id, "letter")


def _add_pdfs(app: Server, now: Callable[[], datetime]) -> None:
    def said(title: str) -> dict[str, Any]:
        return resource(title, mime_type="application/pdf", **ONE)

    @app.resource("finance://quotes/{quote_id}/quote.pdf", **said("Quote, PDF"))
    def quote_pdf(quote_id: QuoteId) -> bytes:
        """The quote for the customer as PDF, with quote.json and quote.xml attached."""
        with app.database.session() as session:
            return pdf(customer_view(stored_quotes.document(session, quote_id, now()))).data

    @app.resource("finance://quotes/{quote_id}/internal.pdf", **said("Quote inside, PDF"))
    def internal_pdf(quote_id: QuoteId) -> bytes:
        """The internal view of the quote as PDF: findings, approvals and trace; not to be sent."""
        with app.database.session() as session:
            return pdf(stored_quotes.document(session, quote_id, now())).data


def _add_house(app: Server) -> None:
    @app.resource("finance://clauses", **resource("Clauses", rows="public"))
    def clauses() -> str:
        """Every approved clause by id, topic and title."""
        with app.database.session() as session:
            newest = {row.clause_id: block(ClauseSummary, row) for row in _clauses(session)}
        return Clauses(items=list(newest.values())).model_dump_json()

    @app.resource("finance://clauses/{clause_id}", **resource("Clause", rows="public"))
    def clause(clause_id: ClauseId) -> str:
        """A clause with its text in all its versions, the newest first."""
        with app.database.session() as session:
            found = [block(ClauseVersion, row) for row in _clauses(session, clause_id)]
        if not found:
            raise NotFoundError(f"no clause {clause_id!r}", fix="read finance://clauses")
        return ClauseSheet(clause_id=clause_id, versions=found[::-1]).model_dump_json()

    @app.resource("finance://seller", **resource("Seller", rows="public"))
    def our_house() -> str:
        """The legal entities that make the offers, as printed on them, and whom each serves."""
        with app.database.session() as session:
            entities = find_entities(session)
        return Sellers(
            items=[
                SellerSheet(
                    entity=one.block, serves=sorted(one.countries), is_default=one.is_default
                )
                for one in entities
            ]
        ).model_dump_json()


def _clauses(session: Session, clause_id: str | None = None) -> list[ClauseRow]:
    """Return approved clauses by id and version, the default language last."""
    statement = select(ClauseRow).where(col(ClauseRow.status) == "approved")
    if clause_id is not None:
        statement = statement.where(col(ClauseRow.clause_id) == clause_id)
    return sorted(
        session.scalars(statement),
        key=lambda row: (row.clause_id, row.version, row.language == DEFAULT_LANGUAGE),
    )


def quotes(session: Session, typed: str, _known: Mapping[str, str]) -> list[str]:
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
    statement = stored_quotes.visible(select(col(Quote.quote_id)).where(means))
    newest = (col(Quote.created_at).desc(), col(Quote.quote_id))
    return list(session.scalars(statement.order_by(*newest).limit(WINDOW)))


def clauses(session: Session, typed: str, _known: Mapping[str, str]) -> list[str]:
    """Complete a clause by its id, title or topic."""
    word = typed.lower()
    return list(
        dict.fromkeys(
            row.clause_id
            for row in _clauses(session)
            if any(word in part.lower() for part in (row.clause_id, row.title, row.topic))
        )
    )


FINDERS: dict[str, Finder] = {"quote_id": quotes, "clause_id": clauses}
