"""The UBL 2.1 Quotation: order, identities, escaping, and the same totals as the quote."""

import os
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from paper_support import HOSTILE, document, rich
from ubl_order import ORDER

from servers.finance.documents import QuoteDocument, customer_view
from servers.finance.facts.blocks import TotalsBlock
from servers.finance.render.pages import render
from servers.finance.render.ubl import NAMESPACES
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.money import to_minor

CAC, CBC = (f"{{{NAMESPACES[f'xmlns:{prefix}']}}}" for prefix in ("cac", "cbc"))
SCHEMA = os.environ.get("DEALDESK_UBL_XSD", "")


def parsed(quote: QuoteDocument) -> ET.Element:
    return ET.fromstring(render(customer_view(quote), "ubl"))  # noqa: S314 - our own text


def local(element: ET.Element) -> str:
    return element.tag.partition("}")[2]


def minor(element: ET.Element | None, currency: str = "EUR") -> int:
    assert element is not None
    assert element.get("currencyID") == currency
    return to_minor(Decimal(element.text or ""), currency)


@pytest.mark.parametrize("quote", [document(), rich()], ids=["plain", "rich"])
def test_every_element_stands_where_the_schema_wants_it(quote: QuoteDocument) -> None:
    root = parsed(quote)
    assert root.tag == f"{{{NAMESPACES['xmlns']}}}Quotation"
    for parent in root.iter():
        children = [local(child) for child in parent]
        if not children:
            assert (parent.text or "").strip(), f"{local(parent)} is empty"
            continue
        order = [name.rstrip("!") for name in ORDER[local(parent)].split()]
        places = [order.index(child) for child in children]
        assert places == sorted(places), local(parent)
        needed = {name[:-1] for name in ORDER[local(parent)].split() if name.endswith("!")}
        assert needed <= set(children), local(parent)


@pytest.mark.skipif(not SCHEMA, reason="DEALDESK_UBL_XSD names no UBL-Quotation-2.1.xsd")
@pytest.mark.parametrize("quote", [document(), rich()], ids=["plain", "rich"])
def test_the_schema_itself_accepts_it(quote: QuoteDocument) -> None:
    etree = pytest.importorskip("lxml.etree")
    schema = etree.XMLSchema(etree.parse(str(Path(SCHEMA))))
    schema.assertValid(etree.fromstring(render(customer_view(quote), "ubl").encode()))


@pytest.mark.parametrize("quote", [document(), rich()], ids=["plain", "rich"])
def test_the_totals_are_those_of_the_quote_and_hold_together(quote: QuoteDocument) -> None:
    root = parsed(quote)
    said = root.find(f"{CAC}QuotedMonetaryTotal")
    assert said is not None
    sums = {local(child): minor(child) for child in said}
    totals = quote.totals
    assert sums["LineExtensionAmount"] == totals.lines_minor
    assert sums["TaxExclusiveAmount"] == totals.net_minor
    assert sums["TaxInclusiveAmount"] == totals.total_minor
    assert sums["PayableAmount"] == (totals.payable_minor or totals.total_minor)
    assert sums["TaxExclusiveAmount"] == sums["LineExtensionAmount"] + sums["ChargeTotalAmount"]
    tax = minor(root.find(f"{CAC}TaxTotal/{CBC}TaxAmount"))
    assert sums["TaxInclusiveAmount"] == sums["TaxExclusiveAmount"] + tax
    rounding = sums.get("PayableRoundingAmount", 0)
    assert sums["PayableAmount"] == sums["TaxInclusiveAmount"] + rounding

    lines = root.findall(f"{CAC}QuotationLine/{CAC}LineItem/{CBC}LineExtensionAmount")
    assert sum(minor(one) for one in lines) == sums["LineExtensionAmount"]
    charges = root.findall(f"{CAC}AllowanceCharge/{CBC}Amount")
    assert sum(minor(one) for one in charges) == sums["ChargeTotalAmount"]
    parts = root.findall(f"{CAC}TaxTotal/{CAC}TaxSubtotal/{CBC}TaxAmount")
    assert sum(minor(one) for one in parts) == tax


def test_a_line_is_quantity_times_price_less_what_is_taken_off() -> None:
    for item in parsed(rich()).iter(f"{CAC}LineItem"):
        count = Decimal(item.findtext(f"{CBC}Quantity") or "")
        price = Decimal(item.findtext(f"{CAC}Price/{CBC}PriceAmount") or "")
        price /= Decimal(item.findtext(f"{CAC}Price/{CBC}BaseQuantity") or "")
        off = sum(minor(one) for one in item.findall(f"{CAC}AllowanceCharge/{CBC}Amount"))
        net = minor(item.find(f"{CBC}LineExtensionAmount"))
        assert to_minor(count * price, "EUR") - off == net


def test_every_amount_says_its_currency() -> None:
    for element in parsed(rich()).iter():
        assert ("currencyID" in element.attrib) == local(element).endswith("Amount")


def test_what_counts_in_no_total_is_a_note_and_no_line() -> None:
    root = parsed(rich())
    notes = [note.text or "" for note in root.findall(f"{CBC}Note")]
    assert any(
        note.startswith("Option, not in the total: 12 pcs SW-P8-120 Spare") for note in notes
    )
    assert any("instead of line 2" in note for note in notes)
    assert root.findtext(f"{CBC}LineCountNumeric") == "7"
    assert len(root.findall(f"{CAC}QuotationLine")) == 7


def test_an_outside_name_is_text() -> None:
    root = parsed(document())
    name = root.findtext(f"{CAC}OriginatorCustomerParty/{CAC}Party/{CAC}PartyName/{CBC}Name")
    assert name == HOSTILE


def test_no_profile_is_claimed() -> None:
    text = render(customer_view(rich()), "ubl")
    assert "CustomizationID" not in text
    assert "ProfileID" not in text
    assert "peppol" not in text.lower()


def test_a_draft_without_a_total_has_no_xml() -> None:
    nothing = TotalsBlock(
        lines_minor=None, freight_minor=None, net_minor=None, tax_minor=None, total_minor=None
    )
    with pytest.raises(InvalidInputError, match="no total yet"):
        render(customer_view(document(totals=nothing)), "ubl")
