"""A software house's own files, from an empty folder to quotes that are right, by commands alone.

What each quote comes to was worked out by hand in `tests/companies/software/expected.toml`. A plan
is two products, `team` paid by the month and `team-year` by the year. A mistyped VAT id counts as
none: the quote waits for a person, as a draft that shows the standard rate; that draft's tax and
total are not compared, as nothing should be stated there.
"""

from pathlib import Path
from typing import Any

import pytest

from .companies import Company, came_to, cents, worked_out
from .conftest import Command

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def software(command: Command, tmp_path: Path) -> Company:
    company = Company("software", command, "per_outi")
    company.begin(tmp_path / "home")
    return company


def line_of(wanted: Any) -> str:
    period = wanted.get("period", "")
    sku = f"{wanted['item']}-year" if period == "year" else wanted["item"]
    term = f" for {wanted['periods']} {period}" if period else ""
    return f"{wanted['quantity']} x {sku}{term}"


def test_each_quote_comes_to_what_was_worked_out_by_hand(software: Company) -> None:
    for wanted in software.expected["quote"]:
        said = software.quote(wanted["customer"], [*map(line_of, wanted["lines"])], "DIGITAL")
        if wanted.get("tax_undetermined"):
            assert (said.code, said.json["outcome"]) == (10, "waiting"), said
            assert "TAX_ID_UNVERIFIED" in {one["rule_id"] for one in said.json["approvals"]}
            nets = [one["net_minor"] for one in software.shown(said)["lines"]]
            assert nets == [cents(one["net"]) for one in wanted["lines"]]
            continue
        quote = software.issue(said)
        assert came_to(quote, wanted) == worked_out(wanted), wanted["id"]
        if wanted["id"] == "kiel":
            ours, theirs = quote["seller"]["vat_id"], quote["customer"]["tax_ids"][0]["value"]
            assert (ours, theirs) == ("FI35616067", "DE217060270")
    assert software.pdf(quote).startswith(b"%PDF")


def test_what_must_not_be_priced_is_not_and_why_is_said(software: Company) -> None:
    for wanted, (lines, reasons) in zip(software.expected["not_priced"], ASKED, strict=True):
        said = software.quote(wanted["customer"], lines, "DIGITAL")
        assert (said.code, said.json["outcome"]) == (12, "blocked"), said
        messages = {one["message"] for one in said.json["findings"]}
        assert messages >= set(reasons), wanted["id"]


ASKED = (
    (
        ["400 x enterprise for 12 months"],
        ["The price of enterprise is on request: a person gives it."],
    ),
    (
        ["60 x business for 12 months", "1 x erp-link for 12 months"],
        ["The price of erp-link is on request: a person gives it."],
    ),
    (
        ["14 x starter for 12 months", "1 x audit-log for 12 months"],
        ["Starter is sold for 1 to 10 seats.", 'Audit log can be had only with "business".'],
    ),
    (
        ["11 x business for 3 months", "11 x forecast-plus for 3 months"],
        ['Demand forecast needs "audit-log".'],
    ),
)
