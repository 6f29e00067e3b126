"""Credit: exposure, overdue buckets, a shared limit, and the policy, with the numbers."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from fastmcp.exceptions import ToolError
from finance_support import acting, call, everyone
from hypothesis import given
from hypothesis import strategies as st
from legal_support import House
from sqlmodel import Session, select

from servers.finance.facts.legal import (
    CreditFacts,
    CreditLine,
    CreditPolicy,
    OpenBill,
    PaymentTerms,
    PolicyRow,
    Receivable,
    TermLine,
    Unbilled,
)
from servers.finance.law import balance
from servers.finance.law.credit import Judgement, judge, merged, numbers
from servers.finance.store.credit import credit_facts
from servers.finance.store.customers import find_customer
from servers.finance.tables.customers import CustomerRow, ReceivableRow
from servers.finance.tables.quotes import Quote
from servers.profiles import profile_grant
from servers.toolkit.app import Server
from servers.toolkit.database import Database

DAY = date(2026, 11, 23)
NET30 = PaymentTerms("NET30", "", 30, prepaid=False)
POLICY_ASKS = ["CREDIT_OVERDUE", "CREDIT_TERMS"]
PREPAY = PaymentTerms("PREPAY", "", 0, prepaid=True)
HALF = PaymentTerms(
    "HALF",
    "",
    30,
    prepaid=False,
    lines=(TermLine(Decimal(50), "order"), TermLine(None, "invoice", 30)),
)


def line(limit: int | None = 1_000, **changes: object) -> CreditLine:
    return replace(CreditLine(limit, "EUR", "A", hold=False), **changes)  # type: ignore[arg-type]


def bill(open_minor: int, late: int = -10, currency: str = "EUR") -> Receivable:
    due = DAY - timedelta(days=late)
    return Receivable(due, open_minor, currency)


def asked(
    credit: CreditLine,
    amount: int,
    currency: str = "EUR",
    terms: PaymentTerms = NET30,
    policy: CreditPolicy | None = None,
    family: CreditLine | None = None,
) -> Judgement:
    facts = CreditFacts(credit, family, policy or CreditPolicy())
    return judge(facts, amount, currency, terms, DAY)


def codes(judged: Judgement) -> list[str]:
    return [found.code for found in judged.findings]


@pytest.mark.parametrize(
    ("credit", "amount", "currency", "code"),
    [
        (line(), 1_000, "EUR", None),
        (line(), 1_001, "EUR", "CREDIT_LIMIT"),
        (line(open_minor=400), 601, "EUR", "CREDIT_LIMIT"),
        (line(receivables=(bill(400),)), 601, "EUR", "CREDIT_LIMIT"),
        (line(unbilled=(Unbilled("q_1", 400, "EUR"),)), 601, "EUR", "CREDIT_LIMIT"),
        (line(open_minor=100, receivables=(bill(300),)), 600, "EUR", None),
        (line(), 1, "GBP", "CREDIT_CURRENCY"),
        (line(receivables=(bill(1, currency="USD"),)), 1, "EUR", "CREDIT_CURRENCY"),
        (line(None), 1, "EUR", "CREDIT_UNKNOWN"),
        (line(rating="D", hold=True), 1, "EUR", "CREDIT_HOLD"),
    ],
)
def test_credit(credit: CreditLine, amount: int, currency: str, code: str | None) -> None:
    assert codes(asked(credit, amount, currency)) == ([code] if code else [])


def test_what_is_paid_in_advance_is_no_exposure_but_a_hold_stays_a_hold() -> None:
    assert codes(asked(line(10), 11, terms=PREPAY)) == []
    assert codes(asked(line(10, hold=True), 1, terms=PREPAY)) == ["CREDIT_HOLD"]
    assert asked(line(10), 20, terms=HALF).numbers.asked_minor == 10
    assert codes(asked(line(10), 20, terms=HALF)) == []
    assert codes(asked(line(10), 21, terms=HALF)) == []
    assert codes(asked(line(10), 22, terms=HALF)) == ["CREDIT_LIMIT"]


def test_overdue_amounts_fall_in_buckets_by_the_day_they_were_due() -> None:
    days = (0, 1, 30, 31, 60, 61, 90, 91, 400)
    credit = line(receivables=tuple(bill(2**place, late) for place, late in enumerate(days)))
    found = numbers(credit, 5, "EUR", DAY)
    assert found.overdue == {"1-30": 2 + 4, "31-60": 8 + 16, "61-90": 32 + 64, "90+": 128 + 256}
    assert found.overdue_days == 400
    assert found.open_minor == 2**9 - 1
    assert found.exposure_minor == 2**9 + 4


def test_a_finding_about_the_limit_has_the_numbers() -> None:
    credit = line(receivables=(bill(300, 12),), unbilled=(Unbilled("q_1", 200, "EUR"),))
    (found,) = asked(credit, 600).findings
    assert found.evidence == [
        "limit 10.00 EUR, exposure 11.00 EUR",
        "open receivables 3.00 EUR",
        "accepted, not billed 2.00 EUR",
        "this quote on credit 6.00 EUR",
        "overdue: 1-30 days 3.00 EUR",
    ]
    assert asked(credit, 600).advance_percent == 17, "102 of 600 would bring it to the limit"
    assert asked(credit, 500).advance_percent == 0
    assert asked(line(open_minor=1_001), 100).advance_percent is None


ROWS = (
    PolicyRow("P1", ("A",), 10_000, 30, 60, Decimal(0), approval=False),
    PolicyRow("P2", ("A",), 10_000, 60, 30, Decimal(30), approval=True),
    PolicyRow("P3", ("C",), 5_000, 0, 30, Decimal(0), approval=False),
    PolicyRow("P4", ("C",), 10_000, 30, 30, Decimal(50), approval=True),
)


@pytest.mark.parametrize(
    ("credit", "amount", "terms", "row", "said"),
    [
        (line(), 500, NET30, "P1", []),
        (line(receivables=(bill(1, 30),)), 500, NET30, "P1", []),
        (line(receivables=(bill(1, 31),)), 500, NET30, "P2", ["CREDIT_OVERDUE", "CREDIT_TERMS"]),
        (line(receivables=(bill(1, 31),)), 500, HALF, "P2", ["CREDIT_OVERDUE"]),
        (line(receivables=(bill(1, 61),)), 500, NET30, None, ["CREDIT_POLICY"]),
        (line(rating="C"), 500, NET30, "P3", []),
        (line(rating="C"), 501, NET30, "P4", ["CREDIT_POLICY", "CREDIT_TERMS"]),
        (line(rating="Z"), 1, NET30, None, ["CREDIT_POLICY"]),
        (line(rating="Z"), 1, PREPAY, None, []),
        (line(), 500, replace(NET30, days=90, code="NET90"), "P1", ["CREDIT_TERMS"]),
        (line(), 1_001, NET30, None, ["CREDIT_LIMIT"]),
    ],
)
def test_the_first_row_of_the_policy_that_fits_decides(
    credit: CreditLine, amount: int, terms: PaymentTerms, row: str | None, said: list[str]
) -> None:
    judged = asked(credit, amount, terms=terms, policy=CreditPolicy(ROWS))
    assert (judged.row.rule_id if judged.row else None, codes(judged)) == (row, said)


def test_a_family_shares_its_parents_limit_and_a_child_keeps_its_own() -> None:
    parent = line(2_000, open_minor=900)
    child, sister = line(1_000, open_minor=100), line(None, receivables=(bill(500),))
    family = merged([parent, child, sister], parent)
    assert (family.limit_minor, family.open_minor) == (2_000, 1_000)
    assert codes(asked(child, 500, family=family)) == []
    above = asked(child, 501, family=family)
    assert "the parent company's credit limit" in above.findings[0].message
    assert codes(asked(child, 901, family=family)) == ["CREDIT_LIMIT", "CREDIT_LIMIT"]
    assert codes(asked(sister, 500, family=family)) == [], "no limit of its own to ask for"
    held = replace(family, hold=True)
    assert "parent" in asked(child, 1, family=held).findings[0].message
    assert above.advance_percent == 1


def test_a_family_member_in_another_currency_is_said_and_not_converted() -> None:
    parent = line(2_000)
    other = replace(line(50, open_minor=70), currency="CHF")
    family = merged([parent, other], parent)
    judged = asked(line(), 10, family=family)
    assert judged.family is not None
    assert judged.family.other == {"CHF": 70}
    assert codes(judged) == ["CREDIT_CURRENCY"]


@given(
    opening=st.integers(0, 10**9),
    bills=st.lists(st.tuples(st.integers(0, 10**9), st.integers(-60, 400)), max_size=6),
    quotes=st.lists(st.integers(0, 10**9), max_size=4),
    amount=st.integers(0, 10**9),
)
def test_exposure_is_the_sum_of_its_parts_whatever_their_order(
    opening: int, bills: list[tuple[int, int]], quotes: list[int], amount: int
) -> None:
    owed = tuple(bill(minor, late) for minor, late in bills)
    accepted = tuple(Unbilled(f"q_{n}", minor, "EUR") for n, minor in enumerate(quotes))
    credit = line(0, open_minor=opening, receivables=owed, unbilled=accepted)
    found = numbers(credit, amount, "EUR", DAY)
    assert found.exposure_minor == opening + sum(b for b, _ in bills) + sum(quotes) + amount
    assert sum(found.overdue.values()) == sum(b for b, late in bills if late > 0)
    turned = replace(credit, receivables=owed[::-1], unbilled=accepted[::-1])
    assert numbers(turned, amount, "EUR", DAY) == found


def test_the_demos_policy_knows_every_rating_of_its_customers(database: Database) -> None:
    house = House(database)
    with database.session() as session:
        customers = session.exec(select(CustomerRow)).all()
    for customer in customers:
        if customer.credit_hold or customer.credit_limit_minor is None:
            continue
        credit = CreditLine(
            customer.credit_limit_minor,
            customer.credit_currency,
            customer.credit_rating,
            hold=False,
        )
        facts = CreditFacts(credit, None, house.credit)
        terms = house.payment[customer.payment_terms_code]
        judged = judge(facts, 100, customer.credit_currency, terms, DAY)
        assert judged.findings == (), customer.account_id
        assert judged.row is not None


def _add_family(session: Session) -> None:
    child = session.get(CustomerRow, "acc_009")
    assert child is not None
    child.parent_account_id = "acc_008"
    for number, account, open_minor in (("R-1", "acc_008", 7_000), ("R-2", "acc_009", 500)):
        session.add(
            ReceivableRow(
                invoice_no=number,
                account_id=account,
                issued=DAY - timedelta(days=40),
                due=DAY - timedelta(days=10),
                total_minor=9_000,
                open_minor=open_minor,
                currency="EUR",
            )
        )


def test_the_facts_of_a_family_come_from_all_its_members(database: Database) -> None:
    with acting(everyone()), database.write() as session:
        _add_family(session)
        session.flush()
        row, customer = find_customer(session, "acc_009")
        shared = credit_facts(
            session, row, customer.family_tree, CreditPolicy(share_parent_limit=True)
        )
        alone = credit_facts(session, row, customer.family_tree, CreditPolicy())
    assert alone.family is None
    mine = sum(b.open_minor for b in alone.line.receivables)
    assert shared.line == alone.line
    assert shared.family is not None
    assert shared.family.limit_minor == 5_000_000
    assert sum(b.open_minor for b in shared.family.receivables) == mine + 7_000


def test_an_accepted_quote_counts_until_it_is_billed(database: Database) -> None:
    with acting(everyone()), database.write() as session:
        for quote_id, status, total in (("q_a", "accepted", 900), ("q_b", "withdrawn", 7)):
            done = status == "accepted"
            session.add(
                Quote(
                    quote_id=quote_id,
                    account_id="acc_008",
                    opportunity_id=f"opp_{quote_id}",
                    revision=1,
                    chain=quote_id,
                    status=status,
                    currency="EUR",
                    total_minor=total,
                    order_date=DAY,
                    number="Q-2026-000900" if done else None,
                    issued_at="2026-11-23T09:00:00Z" if done else None,
                    accepted_at="2026-11-23T10:00:00Z" if done else None,
                    accepted_by="per_lena" if done else None,
                    digest="0" * 64,
                    inputs="{}",
                    snapshot="{}",
                    created_at="2026-11-23T09:00:00Z",
                    created_by="tester",
                    requested_by="per_lena",
                )
            )
        session.flush()
        row, customer = find_customer(session, "acc_008")
        facts = credit_facts(session, row, customer.family_tree, CreditPolicy())
        assert facts.line.unbilled == (Unbilled("q_a", 900, "EUR"),)
        for number, total in (("B-1", 300), ("B-2", 200)):
            session.add(
                ReceivableRow(
                    invoice_no=number,
                    account_id="acc_008",
                    quote_id="q_a",
                    issued=DAY,
                    due=DAY,
                    total_minor=total,
                    open_minor=0,
                    currency="EUR",
                )
            )
        session.flush()
        facts = credit_facts(session, row, customer.family_tree, CreditPolicy())
        assert facts.line.unbilled == (Unbilled("q_a", 400, "EUR"),), "paid or not, it is billed"


async def test_check_credit_shows_the_numbers(app: Server, database: Database) -> None:
    before = await call(
        app,
        everyone(),
        "check_credit",
        about := {"account_id": "acc_008", "amount_minor": 100_000, "currency": "EUR"},
    )
    with database.write() as session:
        _add_family(session)
    shown = await call(app, everyone(), "check_credit", about)
    assert shown["open_minor"] == before["open_minor"] + 7_000
    assert shown["exposure_minor"] == shown["open_minor"] + 100_000
    assert shown["overdue"]["1-30"] == before["overdue"]["1-30"] + 7_000
    assert (shown["verdict"], shown["policy_rule"]) == ("clear", "CRP-B")
    child = await call(app, everyone(), "check_credit", {**about, "account_id": "acc_009"})
    assert child["family_limit_minor"] == 5_000_000
    assert child["family_exposure_minor"] == child["exposure_minor"] + shown["open_minor"]
    prepaid = await call(app, everyone(), "check_credit", {**about, "payment_terms": "PREPAY"})
    assert (prepaid["asked_minor"], prepaid["payment_terms"]) == (0, "PREPAY")


def numbered(invoice_no: str, open_minor: int, late: int, currency: str = "EUR") -> OpenBill:
    return OpenBill(DAY - timedelta(days=late), open_minor, currency, invoice_no)


def test_a_balance_says_by_currency_what_is_owed_and_how_late() -> None:
    bills = (
        numbered("I-1", 1, 91),
        numbered("I-2", 2, 30, "USD"),
        numbered("I-3", 4, 1),
        numbered("I-4", 8, 0),
    )
    euro, dollar = balance.owed(line(open_minor=16), bills, DAY)
    assert (euro.currency, euro.owed_minor, euro.overdue_minor) == ("EUR", 29, 5)
    assert euro.overdue == {"1-30": 4, "31-60": 0, "61-90": 0, "90+": 1}
    assert euro.oldest is not None
    assert (euro.oldest.invoice_no, euro.oldest.overdue_days) == ("I-1", 91)
    assert (dollar.currency, dollar.owed_minor, dollar.overdue["1-30"]) == ("USD", 2, 2)
    assert balance.owed(line(), (), DAY) == []
    (before,) = balance.owed(line(open_minor=16), (), DAY)
    assert (before.owed_minor, before.oldest) == (16, None)


@pytest.mark.parametrize(
    ("credit", "left"),
    [
        (line(open_minor=999), 1),
        (line(open_minor=1_000), 0),
        (line(open_minor=1_001), -1),
        (line(receivables=(bill(300),), unbilled=(Unbilled("q_1", 200, "EUR"),)), 500),
        (line(receivables=(bill(300, currency="USD"),)), 1_000),
        (line(None, open_minor=5), None),
        (None, None),
    ],
)
def test_what_is_left_of_a_limit(credit: CreditLine | None, left: int | None) -> None:
    assert balance.left(credit, DAY) == left


async def test_a_person_asks_what_an_account_owes_and_a_bound_caller_only_of_its_own(
    app: Server,
) -> None:
    reader = profile_grant("finance", "read")
    said = await call(app, reader, "get_balance", {"account_id": "acc_006"})
    (euro,) = said["owed"]
    assert (euro["owed_minor"], euro["overdue_minor"]) == (673_890, 455_000)
    assert euro["oldest"] == {
        "invoice_no": "INV-2026-0347",
        "due": "2026-11-11",
        "open_minor": 455_000,
        "overdue_days": 12,
    }
    assert (said["limit_minor"], said["left_minor"]) == (6_000_000, 6_000_000 - 673_890)
    assert (said["as_of"], said["hold"], said["family_left_minor"]) == ("2026-11-23", False, None)
    mine = replace(reader, bind={"account_id": ("acc_001",)})
    with pytest.raises(ToolError, match="acc_006"):
        await call(app, mine, "get_balance", {"account_id": "acc_006"})


FIRST = CreditPolicy(
    (
        PolicyRow("CRP-FIRST", ("",), 10_000, 0, 30, Decimal(0), approval=False),
        PolicyRow("CRP-REST", (), 10_000, 100_000, 0, Decimal(100), approval=True),
    ),
    first_limit={"EUR": 1_000},
)
UNKNOWN = line(None, currency="", rating="")


@pytest.mark.parametrize(
    ("credit", "amount", "currency", "expected"),
    [
        (UNKNOWN, 999, "EUR", []),
        (UNKNOWN, 1_000, "EUR", []),
        (UNKNOWN, 1_001, "EUR", ["CREDIT_LIMIT"]),
        (replace(UNKNOWN, receivables=(bill(600),)), 401, "EUR", ["CREDIT_LIMIT"]),
        (replace(UNKNOWN, receivables=(bill(100, late=1),)), 100, "EUR", POLICY_ASKS),
        (replace(UNKNOWN, hold=True), 1, "EUR", ["CREDIT_HOLD"]),
        (UNKNOWN, 1, "USD", ["CREDIT_UNKNOWN"]),
        (line(None, currency="", rating="C"), 1, "EUR", ["CREDIT_UNKNOWN"]),
        (line(0, rating=""), 1, "EUR", ["CREDIT_LIMIT"]),
    ],
)
def test_who_has_no_profile_may_owe_as_much_as_the_house_grants_at_first(
    credit: CreditLine, amount: int, currency: str, expected: list[str]
) -> None:
    assert codes(asked(credit, amount, currency, policy=FIRST)) == expected
