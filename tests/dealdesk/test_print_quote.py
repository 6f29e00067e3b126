"""What a quote says in the terminal beside its lines."""

import pytest

from dealdesk.cli.quote_view import print_quote

QUOTE = {
    "quote_id": "q_1",
    "currency": "CHF",
    "lines": [],
    "totals": {"net_minor": 10_002, "tax_minor": 0, "total_minor": 10_002},
}


def test_totals_alone_where_nothing_else_is(capsys: pytest.CaptureFixture[str]) -> None:
    print_quote(QUOTE)
    said = capsys.readouterr().out
    assert "total  100.02 CHF" in said
    assert "to pay" not in said
    assert "subscriptions" not in said


def test_what_is_paid_in_coins_and_what_recurs(capsys: pytest.CaptureFixture[str]) -> None:
    totals = {**QUOTE["totals"], "rounding_minor": -2, "payable_minor": 10_000}
    runs = {"monthly_minor": 500, "contract_minor": 6_000, "one_time_minor": 4_002}
    print_quote({**QUOTE, "totals": totals, "recurring": runs})
    said = capsys.readouterr().out
    assert "to pay 100.00 CHF, in coins there are" in said
    assert "5.00 CHF a month, 60.00 CHF over their terms; once 40.02 CHF" in said
