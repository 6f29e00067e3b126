"""A stored quote as HTML, Markdown and JSON, in the customer's view or the internal one.

The customer's templates are given a `CustomerQuote`, which has no field for cost, margin or
findings, so no template can print one.
"""

from typing import Literal

from servers.finance.documents import CustomerQuote, QuoteDocument
from servers.finance.render.pages import html_page, markdown_page

Format = Literal["html", "markdown", "json"]

__all__ = ["Format", "render"]


def render(document: QuoteDocument | CustomerQuote, format: Format) -> str:  # noqa: A002 - the field's word
    """Return a quote as text in one format.

    Args:
        document: What to show; its type decides what can be shown.
        format: `html` (self-contained, prints on A4 and Letter), `markdown` or `json`.
    """
    if format == "json":
        return document.model_dump_json(indent=2, exclude={"next_line"}) + "\n"
    return html_page(document) if format == "html" else markdown_page(document)
