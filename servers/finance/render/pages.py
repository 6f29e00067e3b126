"""The HTML and Markdown pages: templates filled with values that are already words."""

import re
from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template

from servers.finance.documents import CustomerQuote, QuoteDocument
from servers.finance.render import words

_MARKDOWN_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|!~])")

Document = QuoteDocument | CustomerQuote


def html_page(document: Document) -> str:
    """Return the quote as one self-contained HTML page: no script, no remote resource."""
    return _template("quote.html.j2").render(_context(document))


def markdown_page(document: Document) -> str:
    """Return the quote as Markdown; outside text in it is escaped."""
    text = _template("quote.md.j2").render(_context(document))
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _context(document: Document) -> dict[str, object]:
    return {
        "q": document,
        "internal": isinstance(document, QuoteDocument),
        "in_total": [line for line in document.lines if line.in_total],
        "beside": [line for line in document.lines if not line.in_total],
    }


@cache
def _template(name: str) -> Template:
    environment = Environment(
        autoescape=name.endswith(".html.j2"),  # in Markdown the `md` filter escapes instead
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        money=words.money,
        price=words.unit_price,
        day=words.day,
        country=words.country,
        quantity=words.quantity,
        percent=words.percent,
        basis_points=words.basis_points,
        weight=words.weight,
        iban=words.iban,
        severity=words.severity,
        md=escape_markdown,
    )
    environment.globals.update(
        cover_text=words.cover_text, tax_words=words.tax_words, title=words.title
    )
    source = (files("servers.finance.render") / "templates" / name).read_text(encoding="utf-8")
    return environment.from_string(source)


def escape_markdown(text: object) -> str:
    """Return text that Markdown shows as it is: one line, no links, images or HTML."""
    return _MARKDOWN_SPECIAL.sub(r"\\\1", " ".join(str(text).split()))
