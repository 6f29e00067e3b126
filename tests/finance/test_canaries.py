"""No byte of anything a customer gets holds cost, margin, findings, approvals, claims or the trace.

Every internal field of a document is given a value that stands nowhere else; then every customer's
file is made, opened, unpacked, and searched for all of them in every way they could be written.
"""

import json
import re
from collections.abc import Iterator
from email import message_from_bytes
from email.headerregistry import Address
from email.policy import default
from io import BytesIO

import pytest
from paper_support import document, line, rich
from pypdf import PdfReader

from dealdesk.cli.quote_documents import compose
from servers.finance.documents import CustomerQuote, QuoteDocument, customer_view
from servers.finance.facts.blocks import (
    ApprovalBlock,
    ApprovalNeed,
    MarginBlock,
    RiskRow,
    TraceStep,
)
from servers.finance.render.pages import render
from servers.finance.render.pdf import pdf
from servers.toolkit.findings import Finding, Severity

COST, MARGIN, FLOOR, PRICE = 7654321, 6173, 5081, "86429.75"
WORDS = (
    "canary",
    "7654321",
    "76543.21",
    "76,543.21",
    "6173",
    "61.73",
    "5081",
    "50.81",
    "86429",
    "86,429",
    "MARGIN_FLOOR",
)
"""Whatever a canary could look like: minor units, decimals, thousands, basis points, percent."""


def canaried() -> QuoteDocument:
    lines = [
        one.model_copy(
            update={
                "family": "canary-family",
                "list_unit_price": PRICE,
                "price_book": "canary-book",
                "contract_id": "canary-contract",
            }
        )
        for one in rich().lines
    ]
    moment = "2026-11-23T00:00:00Z"
    return rich(
        lines=lines,
        account_id="canary-account",
        opportunity_id="canary-opportunity",
        contact_id="canary-contact",
        digest="canary-digest",
        auto_issue_reasons=["canary reason"],
        approvals_needed=[ApprovalNeed(rule_id="canary", role="canary", reason="canary")],
        approvals=[
            ApprovalBlock(
                approval_id="canary",
                rule_id="canary",
                role="canary",
                reason="canary",
                status="pending",
                requested_by="canary",
                requested_at=moment,
                expires_at=moment,
            )
        ],
        findings=[
            Finding(code="MARGIN_FLOOR", severity=Severity.NEEDS_HUMAN, message="canary 61.73%")
        ],
        claims=["canary"],
        warnings=["CANARY"],
        promo_codes=["CANARY"],
        discount_bp=MARGIN,
        risks=[RiskRow(area="credit", rule_id="canary", severity="error", fact="canary")],
        generated_by="canary",
        created_by="canary",
        requested_by="canary",
        withdrawn_reason="canary",
        trace=[TraceStep(step="canary", rule_id="canary", after=PRICE, lost=["canary"])],
        margin=MarginBlock(
            net_minor=1,
            cost_minor=COST,
            margin_bp=MARGIN,
            hardware_margin_bp=MARGIN,
            floor_bp=FLOOR,
        ),
    )  # fmt: skip


def files(quote: CustomerQuote) -> Iterator[tuple[str, bytes]]:
    """Every file that a customer can get of a quote, and everything inside it."""
    for form in ("html", "markdown", "json", "ubl", "letter"):
        yield form, render(quote, form).encode()  # type: ignore[arg-type]
    made = pdf(quote).data
    letter = render(quote, "letter")
    head = json.loads(render(quote, "json"))
    to = Address("A", "a", "customer.example")
    mail = compose(head, letter, to, ("quote.pdf", "application/pdf", made))
    yield "eml", mail
    (attached,) = message_from_bytes(mail, policy=default).iter_attachments()
    assert attached.get_content() == made
    yield "pdf bytes", made
    reader = PdfReader(BytesIO(made))
    for name, contents in reader.attachments.items():
        yield f"pdf attachment {name}", b"".join(contents)
    yield "pdf text", "\n".join(page.extract_text() for page in reader.pages).encode()
    yield "pdf facts", str(dict(reader.metadata or {})).encode()
    for number, item in enumerate(reader.xref_objStm.keys() | reader.xref[0].keys()):
        found = reader.get_object(item)
        if hasattr(found, "get_data") and found.get("/Subtype") not in ("/CIDFontType0C",):
            yield f"pdf object {number}", found.get_data()


def seen(text: bytes) -> list[str]:
    plain = re.sub(rb"\s", b"", text).lower()
    return [word for word in WORDS if word.lower().encode() in plain]


def test_no_canary_is_in_anything_a_customer_gets() -> None:
    quote = customer_view(canaried())
    checked = []
    for name, content in files(quote):
        if name.startswith("pdf object") and len(content) > 200_000:
            continue  # a font
        found = [word for word in seen(content) if not _by_chance(name, word)]
        assert not found, f"{name}: {found}"
        checked.append(name)
    assert {"html", "markdown", "json", "ubl", "letter", "eml", "pdf text"} <= set(checked)
    assert {"pdf attachment quote.json", "pdf attachment quote.xml"} <= set(checked)


def _by_chance(name: str, word: str) -> bool:
    """Say whether a few digits in compressed or drawing bytes mean nothing."""
    return name in ("pdf bytes", "eml") or (name.startswith("pdf object") and len(word) < 6)


@pytest.mark.parametrize("form", ["html", "markdown", "json"])
def test_the_canaries_would_be_seen(form: str) -> None:
    text = render(canaried(), form).encode()  # type: ignore[arg-type]
    assert {"canary", "MARGIN_FLOOR"} <= set(seen(text))
    assert {"7654321", "76543.21", "76,543.21"} & set(seen(text))
    found = PdfReader(BytesIO(pdf(canaried()).data))
    inside = "\n".join(page.extract_text() for page in found.pages).encode()
    assert {"canary", "76,543.21", "61.73"} <= set(seen(inside))


def test_the_customers_type_has_no_place_for_them() -> None:
    ours = set(QuoteDocument.model_fields) - set(CustomerQuote.model_fields)
    for name in ("margin", "findings", "approvals", "claims", "trace", "risks", "digest"):
        assert name in ours
    theirs = {name for one in customer_view(canaried()).lines for name in type(one).model_fields}
    assert not {"list_unit_price", "price_book", "contract_id", "family"} & theirs
    assert "list_unit_price" in type(line(1)).model_fields
    assert document().margin is not None
