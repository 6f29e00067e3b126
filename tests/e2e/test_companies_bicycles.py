"""A bicycle maker's own files, from an empty folder to quotes that are right, by commands alone.

What each quote comes to was worked out by hand in `tests/companies/bicycles/expected.toml`. What is
not asked here, because the house's papers cannot say it from these files: that duty and taxes in
Canada are the buyer's (a clause of one's own would). Goods that are collected are taxed where the
customer is, not at our shop; for the customer here that is the same rate.
"""

from pathlib import Path
from typing import Any

import pytest

from .companies import Company, came_to, worked_out
from .conftest import Command

pytestmark = pytest.mark.timeout(240)
METHODS = {"Pickup in Eau Claire": "PICKUP", "Ground": "GROUND", "Dealer freight": "FREIGHT"}


@pytest.fixture
def bicycles(command: Command, tmp_path: Path) -> Company:
    company = Company("bicycles", command, "per_wren")
    company.begin(tmp_path / "home")
    return company


def lines_of(wanted: Any) -> list[str]:
    return [f"{one['quantity']} x {one['sku']}" for one in wanted["lines"]]


def test_each_quote_comes_to_what_was_worked_out_by_hand(bicycles: Company) -> None:
    for wanted in bicycles.expected["quote"]:
        method = METHODS[wanted["shipping"]["method"]]
        said = bicycles.quote(wanted["customer"], lines_of(wanted), method)
        codes = {one["code"] for one in said.json["findings"]}
        if wanted.get("tax_undetermined"):
            assert (said.code, "TAX_UNDETERMINED" in codes) == (12, True), said
            assert "supply rates of US-OH" in said.out
            continue
        assert ("EXEMPTION_EXPIRED" in codes) == (wanted["id"] == "superior"), said
        quote = bicycles.issue(said)
        assert came_to(quote, wanted) == worked_out(wanted), wanted["id"]
    assert bicycles.pdf(quote).startswith(b"%PDF")


def test_what_must_not_be_priced_is_not_and_why_is_said(bicycles: Company) -> None:
    custom, draft, hold = bicycles.expected["not_priced"]
    said = bicycles.quote(custom["customer"], [f"1 x {custom['sku']}"], "PICKUP")
    assert said.code == 12, said
    assert "The price of LK-CUSTOM is on request" in said.out
    said = bicycles.quote(draft["customer"], [f"1 x {draft['sku']}"], "GROUND")
    assert said.code == 6, said
    assert "LK-WG3-54-PIN is not for sale yet" in said.err
    said = bicycles.quote(hold["customer_name"], [f"10 x {hold['sku']}"], "FREIGHT")
    assert said.code == 12, said
    assert "The account is on_hold, so it gets no quotes." in said.out
    said = bicycles.quote(draft["customer"], ["2 x LK-WG1-56-PIN"], "GROUND")
    assert "No rate for GROUND to US in USD for 32800 g." in said.out
