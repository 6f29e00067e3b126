"""A stored quote as HTML, Markdown, JSON, UBL, PDF and a cover letter.

The customer's pages are given a `CustomerQuote`, which has no field for cost, margin or findings,
so no template can print one. The internal view has more to say in HTML, Markdown, JSON and PDF;
UBL and the cover letter exist for the customer only.
"""

from typing import Literal

from servers.finance.documents import CustomerQuote, QuoteDocument, customer_view
from servers.finance.render.data import json_text
from servers.finance.render.letter import letter
from servers.finance.render.pages import html_page, markdown_page
from servers.finance.render.ubl import ubl_quotation

Format = Literal["html", "markdown", "json", "ubl", "letter"]

__all__ = ["Format", "render"]


def render(document: QuoteDocument | CustomerQuote, format: Format) -> str:  # noqa: A002 - the field's word
    """Return a quote as text in one format.

    Args:
        document: What to show; its type decides what can be shown.
        format: `html` (self-contained, prints on A4 and Letter), `markdown`, `json`, `ubl` (UBL
            2.1 Quotation XML) or `letter` (the words that go with it in a message). The last two
            are what the customer gets, whichever document is given.
    """
    if format == "json":
        return json_text(document)
    if format in ("html", "markdown"):
        return html_page(document) if format == "html" else markdown_page(document)
    theirs = customer_view(document) if isinstance(document, QuoteDocument) else document
    return ubl_quotation(theirs) if format == "ubl" else letter(theirs)
