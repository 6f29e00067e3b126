"""A stored quote as HTML, Markdown, JSON and a cover letter; `ubl` and `pdf` make the others.

The customer's pages are given a `CustomerQuote`, which has no field for cost, margin or findings,
so no template can print one. The internal view has more to say in HTML, Markdown, JSON and PDF;
UBL and the cover letter exist for the customer only.
"""

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined, Template

from servers.finance.documents import CustomerQuote, QuoteDocument, customer_view
from servers.finance.render import words
from servers.finance.render.sheet import Document, sheet
from servers.finance.render.ubl import ubl_quotation
from servers.finance.schemas import Format
from servers.finance.seals import NAME as SEAL
from servers.finance.seals import Seal, Sign, sealed

SCHEMA_ID = "urn:dealdesk:schema:quote:1"
"""Changes whenever a reader of the old quote.json could not read the new one."""
NAMES = "$schema"
_MARKDOWN_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|!~])")


def render(
    document: Document,
    format: Format,  # noqa: A002 - the field's word
    sign: Sign | None = None,
) -> str:
    """Return a quote as text; `ubl` and `letter` are the customer's, whichever view is given."""
    if format == "json":
        return json_text(document, sign)
    if format == "html":  # self-contained: no script, no remote resource
        return _template("quote.html.j2").render(s=sheet(document))
    if format == "markdown":
        text = _template("quote.md.j2").render(s=sheet(document))
        return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
    theirs = customer_view(document) if isinstance(document, QuoteDocument) else document
    return ubl_quotation(theirs) if format == "ubl" else _letter(theirs)


@cache
def _template(name: str) -> Template:
    environment = Environment(
        autoescape=name.endswith(".html.j2"),  # in Markdown the `md` filter escapes instead
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["md"] = escape_markdown
    source = (files("servers.finance.render") / "templates" / name).read_text(encoding="utf-8")
    return environment.from_string(source)


def escape_markdown(text: object) -> str:
    """Return text that Markdown shows as it is: one line, no links, images or HTML."""
    return _MARKDOWN_SPECIAL.sub(r"\\\1", " ".join(str(text).split()))


def json_text(document: Document, sign: Sign | None = None) -> str:
    """Return a quote as JSON text with its seal; what the customer gets names its schema."""
    data = document.model_dump(mode="json", exclude={"next_line"})
    if isinstance(document, CustomerQuote):
        data = {NAMES: SCHEMA_ID, **data}
    return json.dumps(sealed(data, sign), indent=2, ensure_ascii=False) + "\n"


def quote_schema() -> dict[str, Any]:
    """Return the published schema of what `json_text` makes for the customer."""
    schema = CustomerQuote.model_json_schema(mode="serialization")
    properties = dict(schema.pop("properties"))
    del properties["next_line"]  # of an answer in parts; the file is whole
    named = {"const": SCHEMA_ID, "description": "this schema", "type": "string"}
    return {
        NAMES: "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "dealdesk quote, as the customer gets it",
        "description": (
            "Amounts are integer minor units of `currency` (ISO 4217: 1234 is 12.34 EUR, 1234 JPY "
            "or 1.234 KWD); unit prices and percentages are decimal strings. Lines that are "
            "optional or an alternative count in no total. `dealdesk quote verify quote.json` "
            "works every number out again."
        ),
        "type": "object",
        "additionalProperties": False,
        "required": [NAMES, *(name for name in schema["required"] if name in properties)],
        "properties": {NAMES: named, **properties, SEAL: Seal.model_json_schema()},
        "$defs": schema["$defs"],
    }


def _letter(quote: CustomerQuote) -> str:
    """Return the approved cover text and the facts of the offer; no model wrote a word of it."""
    sums, seller = quote.totals, quote.seller
    payable = sums.total_minor if sums.payable_minor is None else sums.payable_minor
    tax = f"of which tax {words.money(sums.tax_minor, quote.currency)}"
    facts = {
        "Quote": quote.number or f"{quote.quote_id} ({quote.status}, not an offer)",
        "Replaces": quote.replaces,
        "Total": f"{words.money(payable, quote.currency)}, "
        + (tax if sums.tax_minor else "no tax added"),
        "Valid until": words.day(quote.valid_until),
        "Payment": quote.payment_terms.description,
        "Delivery": quote.delivery_terms,
    }
    shown = {name: said for name, said in facts.items() if said or name == "Payment"}
    width = max(map(len, shown)) + 2
    lines = [
        words.cover_text(quote.cover),
        "",
        *(f"{label + ':':<{width}}{said}" for label, said in shown.items()),
        "",
        "The quote is attached. The offer is what the attached document says.",
        "",
        seller.signatory_name or seller.legal_name,
        ", ".join(words.signed(seller)),
        ", ".join(filter(None, (seller.email, seller.phone))),
        seller.website,
    ]
    return "\n".join(words.clean(line) for line in lines) + "\n"
