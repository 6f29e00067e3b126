"""What a customer and the house read: complete, escaped, and nothing of the one in the other."""

import json
import re
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from paper_support import CANARY, HOSTILE, document, line, rich

from servers.finance.documents import customer_view
from servers.finance.facts.blocks import BankBlock
from servers.finance.render.pages import escape_markdown, render
from servers.finance.render.words import iban, money, quantity, unit_price


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


@pytest.mark.parametrize("form", ["html", "markdown"])
def test_a_rich_quote_says_all_of_it(form: str) -> None:
    text = render(customer_view(rich()), form).replace("\\", "")  # type: ignore[arg-type]
    for words in (
        "Revision 2, replaces Q-2026-000003",
        "includes 2 × Power supply 120 W (PSU-120)",
        "with 64 GB memory (312.00 each)",
        "12 months, 1 January 2027 to 31 December 2027",
        "period 2 of 2",
        "Renewal of subscription sub_0042",
        "36 months from 1 January 2027",
        "part of line 1",
        "instead of line 2",
        "free of charge",
        "Promotion CAMERA 100%",
        "−389.00",
        "Share of the document discount",
        "Small-order charge",
        "VAT 19%",
        "on 18,375.10, Germany",
        "A reduced rate. (VATEX-TEST)",
        "Rounding",
        "To pay",
        "26,861.15 EUR",
        "Recurring amounts",
        "Per month, while all subscriptions run",
        "To read only: 26,861.13 EUR is about 29,214.16 USD at 1.0876 of 20 November 2026",
        "reference rate of the central bank",
        "The offer is in EUR.",
        "Options, not in the total",
        "Alternatives, not in the total",
        "Tax id IE9900100DH",
        "Kai 1, 20457 Hamburg, Germany",
        "HRB 1",
        "VAT DE1",
        "DE19 9999 9999 0000 1234 56",
        "Ingrid Maas",
    ):
        assert words in text, words


@pytest.mark.parametrize("form", ["html", "markdown"])
def test_the_house_reads_risks_claims_and_what_a_quote_waits_for(form: str) -> None:
    text = render(rich(), form)  # type: ignore[arg-type]
    for words in ("12 days overdue", "CREDIT-1", "exemption", "margin 18%", "7,777.77 EUR"):
        assert words in text.replace("\\", ""), words


def test_tax_inside_a_price_is_taken_out_in_the_open() -> None:
    inside = line(
        1,
        unit_price="11.90",
        quantity=1,
        gross_minor=1190,
        allowances=[],
        tax_inclusive=True,
        included_tax_minor=190,
        net_minor=1000,
    )
    for form in ("html", "markdown"):
        text = render(customer_view(document(lines=[inside])), form)  # type: ignore[arg-type]
        for words in ("Tax in the price, 19%", "−1.90", "10.00", "include the tax"):
            assert words in text.replace("\\", ""), words


def test_a_seller_without_an_iban_prints_the_account_it_has() -> None:
    bank = BankBlock(
        bank_name="B", account_holder="N", account_number="0012", routing_number="021000021"
    )
    seller = document().seller.model_copy(update={"bank": bank, "vat_id": ""})
    text = render(customer_view(document(seller=seller)), "html")
    assert "Account 0012" in text
    assert "Routing 021000021" in text
    for word in ("IBAN", "BIC", "VAT </", ">VAT <"):
        assert word not in text


def test_a_name_cannot_turn_the_amounts_around() -> None:
    turned = customer_view(
        rich(seller=document().seller.model_copy(update={"legal_name": "A\u202eB\x07"}))
    )
    for form in ("html", "markdown", "ubl", "letter"):
        text = render(turned, form)  # type: ignore[arg-type]
        assert "\u202e" not in text
        assert "\x07" not in text


@pytest.mark.parametrize("form", ["html", "markdown", "json", "ubl", "letter"])
def test_the_customer_sees_nothing_of_the_house(form: str) -> None:
    text = render(customer_view(document()), form)  # type: ignore[arg-type]
    if form in ("ubl", "letter"):  # there is only one view of these
        assert text == render(document(), form)  # type: ignore[arg-type]
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
        "4,434.60",
        "Volume discount",
        "VAT 19%",
        "846.66",
        "5,302.76 EUR",
        "30 days net",
        "Prices",
        "Options, not in the total",
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
    assert quantity(Decimal(1), "day") == "1 day"
    assert quantity(Decimal(1200), "each") == "1,200 pcs"
    assert quantity(Decimal("1200.5"), "m2") == "1,200.5 m²"
    assert iban("DE19999999990000123456") == "DE19 9999 9999 0000 1234 56"
    assert escape_markdown("a|b\n[c](d)") == "a\\|b \\[c\\](d)"
