"""Terms: clauses and payment terms over facts, instalments and what deviates."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from legal_support import House, codes
from pydantic import ValidationError

from servers.finance.facts.legal import Basis, PaymentTerms, TermLine
from servers.finance.facts.windows import Window
from servers.finance.law.clauses import deviations
from servers.finance.law.payment import due_on, longer, on_credit, problem_of, schedule
from servers.finance.load.legal import TERMS
from servers.finance.schemas import DeviationIn
from servers.toolkit.database import Database

DAY = date(2026, 11, 23)


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


@pytest.mark.parametrize("kind", ["business", "reseller", "government"])
@pytest.mark.parametrize("zone", ["HOME", "EU", "OUTSIDE"])
@pytest.mark.parametrize(
    "flags",
    [
        {"goods"},
        {"subscription"},
        {"service", "goods"},
        {"goods", "service", "subscription", "personal_data", "export_control", "hazmat", "camera"},
    ],
)
def test_every_kind_of_business_has_one_clause_for_each_mandatory_topic(
    house: House, kind: str, zone: str, flags: set[str]
) -> None:
    terms = house.select(customer_kind=kind, zone=zone, flags=frozenset(flags))
    assert terms.findings == ()
    assert terms.clause_ids[0] == "CL-OFFER"
    assert set(terms.reasons) == set(terms.clause_ids)
    assert ("CL-EXPORT" in terms.clause_ids) == ("export_control" in flags)
    assert ("CL-DPA" in terms.clause_ids) == ("personal_data" in flags)


def test_a_consumer_gets_no_business_clause_but_a_person(house: House) -> None:
    terms = house.select(customer_kind="consumer")
    assert set(codes(terms)) == {"MISSING_CLAUSE", "CUSTOMER_KIND"}
    assert "CL-LIABILITY" not in terms.clause_ids


def test_a_mandatory_topic_without_a_clause_or_with_two_is_said(house: House) -> None:
    fewer = [clause for clause in house.clauses if clause.topic != "liability"]
    assert codes(house.select(fewer)) == ["MISSING_CLAUSE"]
    (law,) = (c for c in house.clauses if (c.clause_id, c.language) == ("CL-LAW-DE", "en"))
    second = replace(law, clause_id="CL-LAW-X")
    assert codes(house.select([*house.clauses, second])) == ["CLAUSE_CONFLICT"]


def test_a_clause_that_is_not_in_force_is_not_selected(house: House) -> None:
    over = [
        replace(c, window=Window(date(2020, 1, 1), date(2026, 1, 1)))
        if c.topic == "warranty"
        else c
        for c in house.clauses
    ]
    assert codes(house.select(over)) == ["MISSING_CLAUSE"]


def test_a_large_order_in_its_own_currency(house: House) -> None:
    assert "CL-LARGE" not in house.select(total_minor=4_999_999).clause_ids
    assert "CL-LARGE" in house.select(total_minor=5_000_000).clause_ids
    assert "CL-LARGE" in house.select(total_minor=4_350_000, currency="GBP").clause_ids


def test_terms_the_customer_asks_for_are_said_and_not_applied(house: House) -> None:
    terms = house.select(asked="NET60")
    assert (terms.payment.code, codes(terms)) == ("NET30", ["PAYMENT_TERMS_ASKED"])
    assert codes(house.select(asked="NET30")) == []
    assert codes(house.select(asked="NET999")) == ["PAYMENT_TERMS_ASKED"]


def test_longer_terms_than_agreed_need_approval_and_shorter_ones_do_not(house: House) -> None:
    assert codes(house.select(chosen="NET45")) == ["PAYMENT_TERMS_NONSTANDARD"]
    assert codes(house.select(chosen="NET45", on_file="NET45")) == []
    assert codes(house.select(chosen="NET14")) == []
    prepaid = house.select(chosen="PREPAY")
    assert codes(prepaid) == []
    assert "CL-PAY-ADVANCE" in prepaid.clause_ids


def test_a_customer_on_credit_hold_pays_in_advance(house: House) -> None:
    assert house.select(credit_hold=True).payment.code == "PREPAY"
    held = house.select(credit_hold=True, chosen="NET30")
    assert codes(held) == ["PAYMENT_TERMS_NONSTANDARD"]


def test_a_deviation_is_a_pair_of_ids_with_a_reason_and_each_asks_legal(house: House) -> None:
    selected = house.select().clauses
    assert deviations(selected, selected) == []
    twice = house.clause("CL-LIABILITY-TWICE")
    given = [twice if c.clause_id == "CL-LIABILITY" else c for c in selected]
    given = [c for c in given if c.clause_id != "CL-RETURNS"]
    stated = [DeviationIn(clause_id="CL-LIABILITY-TWICE", reason="tender_terms")]
    liability, returns = deviations(selected, given, stated)
    assert liability.rule_id == "clause:CL-LIABILITY-TWICE"
    assert liability.evidence == [
        *("left out: CL-LIABILITY", "added: CL-LIABILITY-TWICE version 1"),
        "reason: tender_terms",
    ]
    assert returns.message == "CL-RETURNS is left out; reason: not stated."
    (added,) = deviations(selected, [*selected, house.clause("CL-WARRANTY-36")])
    assert added.subject == "CL-WARRANTY-36"
    (order,) = deviations(selected, selected[::-1])
    assert order.rule_id == "clause:order"


def test_a_deviation_takes_no_text_and_no_reason_of_its_own() -> None:
    for wrong in ({"text": "We are never liable."}, {"reason": "because"}):
        with pytest.raises(ValidationError):
            DeviationIn.model_validate({"clause_id": "CL-X", "reason": "local_law", **wrong})


def terms(*lines: TermLine) -> PaymentTerms:
    return PaymentTerms("X", "", max(line.days for line in lines), prepaid=False, lines=lines)


REST = TermLine(None, "invoice", 30)


def test_instalments_split_the_payable_total_exactly_and_say_when() -> None:
    split = terms(TermLine(Decimal("33.3333"), "order"), TermLine(Decimal(50), "delivery"), REST)
    blocks = schedule(split, 100_001, "EUR", DAY)
    assert [b.amount_minor for b in blocks] == [33_334, 50_000, 16_667]
    assert [b.percent for b in blocks] == ["33.3333", "50", "16.6667"]
    assert [b.say for b in blocks] == [
        *("with the order", "on delivery", "within 30 days of the invoice date"),
    ]
    assert [b.earliest for b in blocks] == [DAY, DAY, date(2026, 12, 23)]
    assert on_credit(split, 100_001, "EUR") == 66_667


@given(
    total=st.integers(0, 10**13),
    percents=st.lists(st.decimals("0.01", "20", places=2), max_size=4),
    currency=st.sampled_from(["EUR", "JPY", "KWD", "CHF"]),
)
def test_instalments_always_sum_to_the_total(
    total: int, percents: list[Decimal], currency: str
) -> None:
    split = terms(*(TermLine(percent, "order") for percent in percents), REST)
    blocks = schedule(split, total, currency, DAY)
    assert sum(block.amount_minor for block in blocks) == total
    assert all(block.amount_minor >= 0 for block in blocks)


@pytest.mark.parametrize(
    ("due", "days", "event", "on"),
    [
        ("invoice", 30, date(2026, 1, 31), date(2026, 3, 2)),
        ("end_of_month", 0, date(2026, 2, 1), date(2026, 2, 28)),
        ("end_of_month", 0, date(2028, 2, 29), date(2028, 2, 29)),
        ("end_of_month", 30, date(2026, 12, 1), date(2027, 1, 30)),
        ("delivery", 0, date(2026, 12, 31), date(2026, 12, 31)),
    ],
)
def test_the_end_of_the_month_comes_before_the_days(
    due: Basis, days: int, event: date, on: date
) -> None:
    assert due_on(TermLine(None, due, days), event) == on


def test_an_early_payment_discount_is_shown_and_changes_no_amount() -> None:
    (block,) = schedule(
        terms(replace(REST, discount_percent=Decimal(2), discount_days=10)), 12_345, "EUR", DAY
    )
    assert (block.amount_minor, block.discount_minor, block.discount_days) == (12_345, 247, 10)
    assert block.say == (
        "within 30 days of the invoice date; 2% less if paid within 10 days of the invoice date"
    )


@pytest.mark.parametrize(
    ("lines", "wrong"),
    [
        ((), "need an instalment"),
        ((TermLine(Decimal(60), "order"), TermLine(Decimal(30), "invoice")), "90 percent, not"),
        ((TermLine(Decimal(100), "order"), REST), "leave no remainder"),
        ((REST, REST), "only one instalment"),
        ((TermLine(Decimal(-5), "order"), REST), "above 0"),
        ((TermLine(Decimal(120), "order"),), "sum to 120"),
        ((replace(REST, discount_percent=Decimal(2)),), "a percent and its days"),
        ((replace(REST, discount_percent=Decimal(2), discount_days=30),), "must end before"),
        ((TermLine(Decimal(30), "order"), REST), ""),
    ],
)
def test_instalments_must_be_whole(lines: tuple[TermLine, ...], wrong: str) -> None:
    assert wrong in problem_of(lines)
    assert bool(problem_of(lines)) == bool(wrong)


def term(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of a file as the table keeps it."""
    assert TERMS.read is not None
    assert TERMS.problems is not None
    checked = TERMS.adapter.validate_python(TERMS.read(row))
    for problem in TERMS.problems(checked):
        raise ValueError(problem)
    return TERMS.values(checked, None)  # type: ignore[arg-type] # terms ask for nothing around


def test_a_row_says_its_terms_in_one_way() -> None:
    row = {"code": "X-1", "description": "x", "days": 30}
    assert term(row)["days"] == 30
    for wrong in ({"lines": [{"due": "order"}]}, {"days": None}, {"days": 5, "prepaid": True}):
        with pytest.raises(ValueError, match=r"give|prepaid"):
            term({**row, **wrong})
    month = {"code": "X-1", "description": "x", "lines": [{"due": "end_of_month", "days": 30}]}
    assert term(month)["days"] == 61


def test_more_time_later_parts_or_a_discount_are_more_generous(house: House) -> None:
    plain = house.payment["NET30"]
    assert longer(house.payment["EOM30"], plain)
    assert longer(house.payment["NET30-2-10"], plain)
    assert not longer(house.payment["SPLIT-30-70"], plain)
    assert longer(plain, house.payment["SPLIT-30-70"])
    assert codes(house.select(chosen="NET30-2-10")) == ["PAYMENT_TERMS_NONSTANDARD"]
    split = house.select(chosen="SPLIT-30-70")
    assert codes(split) == []
    assert "CL-PAY-PARTS" in split.clause_ids


def test_every_code_of_the_house_has_a_clause_about_payment(house: House) -> None:
    for code in house.payment:
        found = house.select(chosen=code, on_file=code)
        assert [c.topic for c in found.clauses].count("payment") == 1, code
