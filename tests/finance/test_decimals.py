"""Quantities that are no whole number, through everything that finance makes of them."""

import json
from decimal import Decimal
from typing import Any

import pytest
from fastmcp.exceptions import ToolError
from finance_support import asking, call, drafted, everyone, line
from paper_support import document
from paper_support import line as paper_line

from servers.finance.charges import price_freight
from servers.finance.documents import customer_view
from servers.finance.facts.charges import FreightRate
from servers.finance.render.pages import render
from servers.finance.verify import read, verify
from servers.toolkit.app import Server

DAYS = {"unit": "day"}
EACH = 98_000
"""A day of installation at the price list, in cents."""


async def priced(app: Server, *lines: dict[str, Any]) -> dict[str, Any]:
    return await call(app, everyone(), "price_quote", asking(*lines))


@pytest.mark.parametrize(
    ("sent", "said", "gross"),
    [
        (2, 2, 2 * EACH),
        (2.0, 2, 2 * EACH),
        (1.1, "1.1", 107_800),
        ("1.1", "1.1", 107_800),
        (2.5, "2.5", 245_000),
        (0.01, "0.01", 980),
        (0.33, "0.33", 32_340),
    ],
)
async def test_a_line_is_its_quantity_times_its_price_rounded_once(
    app: Server, sent: Any, said: Any, gross: int
) -> None:
    (found,) = (await priced(app, line("l1", "SVC-INST-D", sent, **DAYS)))["lines"]
    assert (found["quantity"], found["gross_minor"]) == (said, gross)


async def test_a_whole_quantity_has_the_digest_it_had_however_it_is_written(app: Server) -> None:
    digests = {
        (await priced(app, line("l1", "SVC-INST-D", sent, **DAYS)))["digest"]
        for sent in (2, 2.0, "2", "2.000")
    }
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("quantity", "unit", "takes"),
    [
        (2.5, "each", "whole numbers only"),
        (1.255, "day", "at most 2 decimals"),
    ],
)
async def test_a_quantity_finer_than_its_unit_is_refused_with_what_it_takes(
    app: Server, quantity: float, unit: str, takes: str
) -> None:
    with pytest.raises(ToolError, match=f"line l1: {quantity} {unit}, which takes {takes}"):
        await priced(app, line("l1", "SVC-INST-D", quantity, unit=unit))


async def test_a_change_is_held_to_the_same_rule(app: Server) -> None:
    asked = asking(line("l1", "SW-P8-120", 2)) | {"change_line": "l1", "change_quantity": 2.5}
    with pytest.raises(ToolError, match="which takes whole numbers only"):
        await call(app, everyone(), "what_if", asked)


async def test_what_if_compares_a_decimal_quantity(app: Server) -> None:
    asked = asking(line("l1", "SVC-INST-D", 2, **DAYS))
    asked |= {"change_line": "l1", "change_quantity": 2.5, "breaks_of": "l1"}
    found = await call(app, everyone(), "what_if", asked)
    assert found["after"]["lines"][0]["gross_minor"] == 245_000
    first = found["breaks"][0]
    assert (first["quantity"], first["net_each"]) == ("2.5", "980.00")


async def test_a_draft_of_decimals_is_kept_shown_explained_and_worked_out_again(
    app: Server,
) -> None:
    quote = await drafted(app, lines=[line("l1", "SVC-INST-D", 12.5, **DAYS)])
    asked = {"quote_id": quote["quote_id"], "whole": True}
    shown = await call(app, everyone(), "get_quote", {**asked, "view": "internal"})
    steps = await call(app, everyone(), "explain_quote", {"quote_id": quote["quote_id"]})
    assert shown["lines"][0]["quantity"] == "12.5"
    assert any("12.5 x 980.00" in step["said"] for step in steps["steps"])
    exported = json.dumps(shown)
    assert verify(read(exported)) == []
    (wrong, *_) = verify(read(exported.replace('"quantity": "12.5"', '"quantity": "12.4"')))
    assert (wrong.where, wrong.why) == (
        "lines[0] (l1, SVC-INST-D).gross_minor",
        "12.4 x 980.00",
    )


@pytest.mark.parametrize(
    ("many", "grams", "gross"), [("0.999", 999, 12), ("1", 1000, 12), ("1.001", 1001, 14)]
)
def test_freight_weighs_a_part_of_a_kilogram(many: str, grams: int, gross: int) -> None:
    base, per_kg = Decimal(10), Decimal(2)
    rates = [FreightRate("R", "ROAD", "Road", "WORLD", "EUR", base, per_kg, physical=True)]
    found = price_freight("ROAD", "DE", [("l1", 1000, Decimal(many))], rates, {}, "EUR")
    assert (found.weight_g, found.gross) == (grams, Decimal(gross))


KILOS = paper_line(
    1, quantity="12.5", unit="kg", gross_minor=486_250, allowances=[], net_minor=486_250
)


def test_paper_prints_the_number_with_its_unit() -> None:
    quote = document(lines=[KILOS])
    assert "12.5 kg" in render(quote, "html")
    assert "| 12.5 kg |" in render(quote, "markdown")


def test_ubl_states_the_number_and_the_code_of_its_unit() -> None:
    text = render(customer_view(document(lines=[KILOS])), "ubl")
    assert '<cbc:Quantity unitCode="KGM">12.5</cbc:Quantity>' in text
    assert '<cbc:LineExtensionAmount currencyID="EUR">4862.50</cbc:LineExtensionAmount>' in text
