"""The tax breakdown worked out again: which lines a row is charged on, and how it is rounded."""

from typing import Any

import pytest
from paper_support import document, line

from servers.finance.documents import QuoteDocument
from servers.finance.facts.blocks import FreightBlock, TaxBlock, TotalsBlock
from servers.finance.verify import printed, tax_faults

NO_FREIGHT = FreightBlock(
    method="NONE",
    label="none",
    weight_g=0,
    gross_minor=0,
    net_minor=0,
    tax_category=None,
    tax_rate=None,
)


NO_TOTALS = dict.fromkeys(
    ("lines_minor", "freight_minor", "net_minor", "tax_minor", "total_minor"), 0
)


def taxed(net: int, rate: str = "19", category: str = "S", **more: Any) -> Any:
    return {"net_minor": net, "tax_rate": rate, "tax_category": category, "allowances": [], **more}


def row(rate: str, taxable: int, tax: int, category: str = "S") -> TaxBlock:
    return TaxBlock(category=category, rate=rate, taxable_minor=taxable, tax_minor=tax)


def faults(lines: list[Any], *rows: TaxBlock, rounding: str = "document", **more: Any) -> list[str]:
    quote: QuoteDocument = document(
        lines=[line(n, **one) for n, one in enumerate(lines, 1)],
        freight=more.pop("freight", NO_FREIGHT),
        taxes=list(rows),
        totals=TotalsBlock.model_validate({**NO_TOTALS, "tax_rounding": rounding}),
        **more,
    )
    return [f"{one.where}: {one.worked_out}" for one in tax_faults(quote)]


@pytest.mark.parametrize(("tax", "right"), [(189, False), (190, True), (191, False)])
def test_a_row_is_right_to_the_minor_unit(tax: int, *, right: bool) -> None:
    found = faults([taxed(1000)], row("19", 1000, tax))
    assert found == ([] if right else ["taxes[0] (S 19%).tax_minor: 1.90 EUR"])


@pytest.mark.parametrize(
    ("rounding", "tax"), [("document", 6), ("line", 6), ("document", 5), ("line", 7)]
)
def test_rounding_is_the_documents(rounding: str, tax: int) -> None:
    """Three lines of 0.10 at 19%: together 5.7, rounded once 6; each 1.9, rounded 2, together 6."""
    found = faults([taxed(10)] * 3, row("19", 30, tax), rounding=rounding)
    assert (found == []) is (tax == 6)
    halves = faults([taxed(10, "5")] * 3, row("5", 30, 2), rounding="document")
    each = faults([taxed(10, "5")] * 3, row("5", 30, 3), rounding="line")
    assert (halves, each) == ([], [])


def test_lines_of_each_rate_have_their_row() -> None:
    lines = [taxed(1000), taxed(500, "7"), taxed(300, "0", "Z")]
    rows = [row("19", 1000, 190), row("7", 500, 35), row("0", 300, 0, "Z")]
    assert faults(lines, *rows) == []
    assert faults(lines, rows[0], rows[2]) == ["taxes: 5.00 EUR"]
    assert faults(lines, row("19", 1500, 285), *rows[2:])[0].startswith("taxes")
    assert faults([taxed(0, "7"), taxed(1000)], row("19", 1000, 190)) == [], "nothing to charge"


def test_freight_and_fees_are_charged_too_and_optional_lines_are_not() -> None:
    freight = NO_FREIGHT.model_copy(
        update={"net_minor": 100, "tax_category": "S", "tax_rate": "19"}
    )
    lines = [taxed(1000), taxed(5000, optional=True), taxed(7000, alternative_of="l1")]
    assert faults(lines, row("19", 1100, 209), freight=freight) == []
    assert faults(lines, row("19", 1000, 190), freight=freight) != []


def test_a_stack_is_charged_on_lines_of_the_sum_of_its_rates() -> None:
    lines = [taxed(1000, "14.975")]
    both = [row("5", 1000, 50), row("9.975", 1000, 100)]
    assert faults(lines, *both) == []
    assert faults(lines, both[0]) == ["taxes: 10.00 EUR"]
    assert faults(lines, *both, row("1", 1000, 10)) == ["taxes: 10.00 EUR"]


def test_a_compound_tax_is_charged_on_the_taxes_before_it_too() -> None:
    lines = [taxed(1000, "15.5")]
    first = row("5", 1000, 50)
    assert faults(lines, first, row("10", 1050, 105)) == []
    assert faults(lines, first, row("10", 1050, 104)) == ["taxes[1] (S 10%).tax_minor: 1.05 EUR"]
    wrong = faults(lines, first, row("10", 1051, 105))
    assert wrong[0] == "taxes[1] (S 10%).taxable_minor: 0.00 EUR"


@pytest.mark.parametrize(("others", "found"), [(7, True), (8, True), (9, False)])
def test_taxes_before_a_compound_one_are_looked_for_up_to_eight(others: int, found: bool) -> None:
    """The whole of them, that is; with more the search would not end."""
    lines = [taxed(1000, "99")]
    before = [row(str(n), 1000, 10 * n) for n in range(1, others + 1)]
    base = 1000 + sum(one.tax_minor for one in before)
    said = faults(lines, *before, row("20", base, round(base / 5)))
    assert (f"taxes[{others}] (S 20%).taxable_minor: 0.00 EUR" not in said) is found


@pytest.mark.parametrize(("off", "right"), [(-1, False), (0, True), (1, False)])
def test_tax_inside_a_price_is_taken_out_of_it(off: int, *, right: bool) -> None:
    inside = taxed(1000, tax_inclusive=True, included_tax_minor=190)
    assert (faults([inside], row("19", 1000, 190 + off)) == []) is right


@pytest.mark.parametrize(("off", "right"), [(-3, False), (-2, True), (2, True), (3, False)])
def test_rounding_shared_by_several_rows_is_loose_by_their_lines(off: int, *, right: bool) -> None:
    """Tax inside two lines was split over them; another row may hold the difference."""
    inside = taxed(1000, tax_inclusive=True, included_tax_minor=190)
    lines = [inside, inside, taxed(500, "7")]
    rows = (row("19", 2000, 380 + off), row("7", 500, 35))
    assert (faults(lines, *rows) == []) is right


@pytest.mark.parametrize(
    ("minor", "currency", "words"),
    [
        (None, "EUR", "nothing"),
        (5, "EUR", "0.05 EUR"),
        (-5, "JPY", "-5 JPY"),
        (5, "KWD", "0.005 KWD"),
    ],
)
def test_an_amount_is_printed_with_its_decimals(
    minor: int | None, currency: str, words: str
) -> None:
    assert printed(minor, currency) == words
