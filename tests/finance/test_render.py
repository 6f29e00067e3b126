"""What a customer and the house read: complete, escaped, and nothing of the one in the other."""

import json
import re
from datetime import date
from html.parser import HTMLParser

import pytest

from servers.finance.blocks import (
    AddressBlock,
    Allowance,
    ApprovalBlock,
    BankBlock,
    ClauseBlock,
    CustomerBlock,
    FreightBlock,
    InternalLine,
    MarginBlock,
    PaymentTermsBlock,
    SellerBlock,
    TaxBlock,
    TotalsBlock,
    TraceStep,
)
from servers.finance.documents import QuoteDocument, customer_view
from servers.finance.render import render
from servers.finance.render.pages import escape_markdown
from servers.finance.render.words import iban, money, quantity, unit_price
from servers.toolkit.findings import Finding, Severity

HOSTILE = '<script>alert(1)</script> ![x](https://evil.example/x.png) "90% off" | Ltd'
CANARY = "7777.77"


def line(place: int, **changes: object) -> InternalLine:
    fields: dict[str, object] = {
        "position": place,
        "line_id": f"l{place}",
        "sku": "SW-P8-120",
        "name": "8-port PoE+ switch",
        "quantity": 12,
        "unit": "each",
        "unit_price": "389.00",
        "gross_minor": 466800,
        "allowances": [Allowance(label="Volume discount", percent="5", amount_minor=23340)],
        "net_minor": 443460,
        "tax_category": "S",
        "tax_rate": "19",
        "family": "switches",
        "list_unit_price": "389.00",
        "price_book": "PB-EUR",
    }
    return InternalLine.model_validate({**fields, **changes})


def document(**changes: object) -> QuoteDocument:
    address = AddressBlock(lines=["Kai 1"], city="Hamburg", postal_code="20457", country="DE")
    seller = SellerBlock(
        legal_name="Norvane Systems GmbH",
        address=address,
        vat_id="DE1",
        registration="HRB 1",
        email="q@norvane.example",
        phone="+49",
        website="https://norvane.example",
        bank=BankBlock(bank_name="B", account_holder="N", iban="DE19999999990000123456", bic="X"),
        signatory_name="Ingrid Maas",
        signatory_title="Finance Director",
    )
    fields: dict[str, object] = {
        "quote_id": "q_1",
        "number": "Q-2026-000007",
        "revision": 1,
        "status": "issued",
        "currency": "EUR",
        "order_date": date(2026, 11, 23),
        "issued_on": date(2026, 11, 23),
        "valid_until": date(2026, 12, 23),
        "cover": "standard",
        "seller": seller,
        "customer": CustomerBlock(account_id="acc_1", legal_name=HOSTILE, country="DE"),
        "ship_to": address,
        "delivery_terms": "DAP Hamburg",
        "lines": [line(1), line(2, optional=True, name="Spare")],
        "freight": FreightBlock(
            method="ROAD-STD",
            label="Road",
            weight_g=10_800,
            gross_minor=2150,
            net_minor=2150,
            tax_category="S",
            tax_rate="19",
        ),
        "taxes": [TaxBlock(category="S", rate="19", taxable_minor=445610, tax_minor=84666)],
        "totals": TotalsBlock(
            lines_minor=443460,
            freight_minor=2150,
            net_minor=445610,
            tax_minor=84666,
            total_minor=530276,
        ),
        "payment_terms": PaymentTermsBlock(code="NET30", description="30 days net", days=30),
        "clauses": [
            ClauseBlock(
                clause_id="CL-1", version=1, topic="t", title="Prices", text="Net.", sha256="0"
            )
        ],
        "account_id": "acc_1",
        "opportunity_id": "opp_1",
        "contact_id": None,
        "digest": "d" * 64,
        "auto_issue": False,
        "auto_issue_reasons": ["too much"],
        "approvals_needed": [],
        "approvals": [
            ApprovalBlock(
                approval_id="apr_1",
                rule_id="r",
                role="sales_manager",
                reason="discount",
                status="approved",
                requested_by="per_lena",
                requested_at="2026-11-23",
                expires_at="2026-12-01",
            )
        ],
        "findings": [Finding(code="MARGIN_FLOOR", severity=Severity.NEEDS_HUMAN, message="thin")],
        "claims": [],
        "warnings": [],
        "promo_codes": [],
        "discount_bp": 0,
        "generated_by": "offline-playbook/1",
        "created_by": "agent",
        "created_at": "now",
        "requested_by": "per_lena",
        "trace": [TraceStep(step="list", rule_id="LIST", after=CANARY)],
        "margin": MarginBlock(
            net_minor=1, cost_minor=777777, margin_bp=1800, hardware_margin_bp=1800, floor_bp=1800
        ),
    }
    return QuoteDocument.model_validate({**fields, **changes})


class Page(HTMLParser):
    """Collects tags with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_the_page_needs_nothing_from_outside_and_runs_nothing() -> None:
    for view in (document(), customer_view(document())):
        tags = Page(render(view, "html")).tags
        assert not {"script", "img", "link", "iframe", "object"} & {tag for tag, _ in tags}
        assert not any({"src", "href", "onclick"} & set(attributes) for _, attributes in tags)


def test_the_customers_name_is_text_and_nothing_else() -> None:
    html = render(customer_view(document()), "html")
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    markdown = render(customer_view(document()), "markdown")
    assert "![x](" not in markdown
    assert "<script>" not in markdown
    assert (
        json.loads(render(customer_view(document()), "json"))["customer"]["legal_name"] == HOSTILE
    )


@pytest.mark.parametrize("form", ["html", "markdown", "json"])
def test_the_customer_sees_nothing_of_the_house(form: str) -> None:
    text = render(customer_view(document()), form)  # type: ignore[arg-type]
    for word in ("Margin", "offline-playbook", "per_lena", "MARGIN_FLOOR", "sales_manager", CANARY):
        assert word not in text
    assert "777777" not in text
    assert "7,777.77" not in text


@pytest.mark.parametrize("form", ["html", "markdown"])
def test_everything_a_quote_says_is_there(form: str) -> None:
    text = render(customer_view(document()), form)  # type: ignore[arg-type]
    for words in (
        "Q-2026-000007",
        "23 November 2026",
        "23 December 2026",
        "4,434.60 EUR",
        "Volume discount",
        "VAT 19%",
        "846.66 EUR",
        "5,302.76 EUR",
        "30 days net",
        "Prices",
        "Options and alternatives",
        "Spare",
        "not legal, tax or export advice",
    ):
        assert words in text


def test_the_house_sees_who_played_and_what_needs_a_person() -> None:
    text = render(document(status="waiting", number=None), "html")
    for words in ("offline-playbook/1", "MARGIN_FLOOR", "sales_manager", "not an offer", "18%"):
        assert words in text


def test_a_table_row_stays_one_row() -> None:
    rows = [r for r in render(document(), "markdown").splitlines() if r.startswith("| For ")]
    assert len(rows) == 1
    assert len(re.findall(r"(?<!\\)\|", rows[0])) == 3


@pytest.mark.parametrize(
    ("minor", "currency", "words"),
    [(123450, "EUR", "1,234.50 EUR"), (1234, "JPY", "1,234 JPY"), (1234, "KWD", "1.234 KWD")],
)
def test_money_in_words(minor: int, currency: str, words: str) -> None:
    assert money(minor, currency) == words


def test_small_words() -> None:
    assert money(None, "EUR") == "–"
    assert unit_price("0.1234", "EUR") == "0.1234"
    assert unit_price("389", "EUR") == "389.00"
    assert quantity(1, "day") == "1 day"
    assert quantity(1200, "each") == "1,200 pcs"
    assert iban("DE19999999990000123456") == "DE19 9999 9999 0000 1234 56"
    assert escape_markdown("a|b\n[c](d)") == "a\\|b \\[c\\](d)"
