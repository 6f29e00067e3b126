"""Clauses, payment terms, credit and screening: rules over facts."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from finance_support import acting, everyone
from sqlmodel import select as select_rows

from servers.finance import models as m
from servers.finance.credit import CreditLine, check
from servers.finance.facts import Policy, Window
from servers.finance.repository import rows
from servers.finance.repository.collect import find_payment_terms
from servers.finance.screening import Listed, ScreeningList, normalise, screen
from servers.finance.terms import Clause, PaymentTerms, Terms, TermsFacts, deviation, select
from servers.toolkit.database import Database

DAY = date(2026, 11, 23)


class House:
    """The demo's clauses, payment terms and policy."""

    def __init__(self, database: Database) -> None:
        with acting(everyone()), database.session() as session:
            self.clauses: list[Clause] = [
                rows.clause(r) for r in session.exec(select_rows(m.ClauseRow))
            ]
            self.payment: dict[str, PaymentTerms] = find_payment_terms(session)
            setting = session.get(m.Setting, "policies")
            assert setting is not None
            self.policy: Policy = rows.policy(setting.value)

    def select(self, clauses: list[Clause] | None = None, **changes: Any) -> Terms:
        asked, chosen = changes.pop("asked", None), changes.pop("chosen", None)
        about = TermsFacts(
            **{
                "customer_kind": "business",
                "country": "DE",
                "zone": "HOME",
                "flags": frozenset({"goods"}),
                "day": DAY,
                "on_file": "NET30",
                "total_minor": 100_000,
                "currency": "EUR",
                **changes,
            }
        )
        return select(
            about,
            self.clauses if clauses is None else clauses,
            self.payment,
            self.policy,
            asked=asked,
            chosen=chosen,
        )


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


def codes(terms: Terms) -> list[str]:
    return [found.code for found in terms.findings]


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
    (law,) = [clause for clause in house.clauses if clause.clause_id == "CL-LAW-DE"]
    second = Clause(**{**vars(law), "clause_id": "CL-LAW-X"})
    assert codes(house.select([*house.clauses, second])) == ["CLAUSE_CONFLICT"]


def test_a_clause_that_is_not_in_force_is_not_selected(house: House) -> None:
    over = [
        Clause(**{**vars(c), "window": Window(date(2020, 1, 1), date(2026, 1, 1))})
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


def test_other_clauses_than_the_selected_are_a_deviation() -> None:
    assert deviation(["A", "B"], ["A", "B"]) is None
    found = deviation(["A", "B"], ["A", "C"])
    assert found is not None
    assert found.evidence == ["left out: B", "added: C"]
    assert deviation(["A", "B"], ["B", "A"]) is not None


@pytest.mark.parametrize(
    ("line", "amount", "currency", "code"),
    [
        (CreditLine(1000, "EUR", "A", hold=False), 1000, "EUR", None),
        (CreditLine(1000, "EUR", "A", hold=False), 1001, "EUR", "CREDIT_LIMIT"),
        (CreditLine(1000, "EUR", "A", hold=False, open_minor=400), 601, "EUR", "CREDIT_LIMIT"),
        (CreditLine(1000, "EUR", "A", hold=False), 1, "GBP", "CREDIT_CURRENCY"),
        (CreditLine(None, "", "", hold=False), 1, "EUR", "CREDIT_UNKNOWN"),
        (CreditLine(1000, "EUR", "D", hold=True), 1, "EUR", "CREDIT_HOLD"),
    ],
)
def test_credit(line: CreditLine, amount: int, currency: str, code: str | None) -> None:
    found = check(line, amount, currency, prepaid=False)
    assert [one.code for one in found] == ([code] if code else [])


def test_a_prepaid_quote_has_no_credit_risk_but_a_hold_stays_a_hold() -> None:
    assert check(CreditLine(10, "EUR", "A", hold=False), 11, "EUR", prepaid=True) == []
    assert check(CreditLine(10, "EUR", "D", hold=True), 1, "EUR", prepaid=True) != []


LISTED = ScreeningList(
    "demo",
    date(2026, 11, 1),
    Decimal(80),
    90,
    (Listed("S1", "Borealis Dynamics Trading FZE", "AE"), Listed("S2", "Größer & Söhne KG", "")),
)


@pytest.mark.parametrize(
    ("name", "hits"),
    [
        ("Borealis Dynamics Trading FZE", ["S1"]),
        ("BOREALIS DYNAMIC TRADING Ltd.", ["S1"]),
        ("Trading Dynamics Borealis", ["S1"]),
        ("Grösser und Söhne", ["S2"]),
        ("Alder & Finch Ltd", []),
        ("GmbH", []),
        ("", []),
    ],
)
def test_screening_compares_names_and_every_hit_goes_to_a_person(
    name: str, hits: list[str]
) -> None:
    found = screen(name, LISTED, DAY)
    assert [one.subject for one in found] == hits
    assert all(one.severity == "needs_human" for one in found)


def test_an_old_list_is_said() -> None:
    assert [one.code for one in screen("X", LISTED, date(2027, 3, 1))] == ["SCREENING_STALE"]


def test_a_name_that_is_only_a_legal_form_keeps_it() -> None:
    assert normalise("S.A.") == "sa"
    assert normalise("Ferriera Adriatica S.r.l.") == "ferriera adriatica"


def test_no_demo_customer_is_on_the_demo_list(database: Database) -> None:
    with database.session() as session:
        setting = session.get(m.Setting, "screening")
        assert setting is not None
        listed = rows.screening_list(
            setting.value, list(session.exec(select_rows(m.ScreeningEntry)))
        )
        names = [row.legal_name for row in session.exec(select_rows(m.CustomerRow))]
    assert [name for name in names if screen(name, listed, DAY)] == []
