"""Every threshold of time: the day before, the day itself, and the day after."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from fastmcp.exceptions import ToolError
from finance_support import Clock, acting, asking, by, call, drafted, everyone, line
from promotion_support import BUYER, part, promotion

from servers.finance.facts.charges import Rate
from servers.finance.facts.legal import (
    CreditFacts,
    CreditLine,
    CreditPolicy,
    Listed,
    Party,
    PaymentTerms,
    PolicyRow,
    Receivable,
    Review,
    ScreeningList,
)
from servers.finance.facts.policy import GuidancePolicy
from servers.finance.facts.prices import Contract, Subscription
from servers.finance.facts.pricing import PricingFacts
from servers.finance.facts.taxes import TaxRate
from servers.finance.facts.windows import Window
from servers.finance.guidance import Deal, PastLine, comparables
from servers.finance.law.credit import judge, numbers
from servers.finance.law.screening import screen
from servers.finance.pricing import price
from servers.finance.promotions.rules import Order, refusal
from servers.finance.schemas import LineIn, PriceRequest
from servers.finance.store.collect import collect
from servers.finance.subscriptions.terms import agreed_prices, in_force, terms_of
from servers.finance.tax.decisions import rate_changes
from servers.finance.tax.places import TableProvider, equal_rank
from servers.toolkit.app import Server
from servers.toolkit.database import Database
from servers.toolkit.errors import InvalidInputError

DAY = date(2026, 11, 23)
ONE = timedelta(days=1)
FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)
YEAR = Window(FIRST, LAST)
BELOW, UP_TO = (True, False, False), (True, True, False)
FROM, ABOVE = (False, True, True), (False, False, True)
"""For which of the three days a rule says yes."""


def at(name: str, ask: Callable[[Any], Any], middle: Any, expected: tuple[Any, Any, Any]) -> Any:
    """A case: what a rule is asked on the day before, the day and the day after."""
    step = ONE if isinstance(middle, date) else 1
    values = (middle - step, middle, middle + step)
    return pytest.param(ask, values, expected, id=name.replace(" ", "-"))


def subscription(**changes: Any) -> Subscription:
    plain = Subscription(
        *("sub_1", "acc_1", "SUB-A", 10, FIRST, LAST, 12, Decimal(100), "EUR", None),
        *("list", None, None, "", "Agreement"),
    )
    return replace(plain, **changes)


def change(kind: str, running: Subscription, day: date, **more: Any) -> list[str]:
    """What is said about a line that changes a subscription."""
    asked = {"line_id": "l1", "sku": "SUB-A", "quantity": 1, "change": kind, **more}
    one = LineIn.model_validate({**asked, "subscription_id": "sub_1"})
    term = terms_of([one], [running], day)["l1"]
    agreed_prices(term, one, [], day)
    return [found.code for found in term.findings]


def locked(day: date) -> list[str]:
    return change("amend", subscription(lock_until=date(2026, 6, 30)), day)


def renewed(lock: date) -> list[str]:
    return change("renew", subscription(lock_until=lock), FIRST)


def begins(day: date) -> list[str]:
    return change("amend", subscription(), DAY, start=day)


def amended(day: date) -> list[str]:
    return change("amend", subscription(), day)


def late(day: date) -> bool:
    return "RENEWAL_LATE" in change("renew", subscription(), day)


def ends(end: date) -> str:
    """How a term from the 23rd ends: in so many months and days, or refused."""
    one = LineIn(line_id="l1", sku="SUB-A", quantity=1, start=DAY, end=end)
    try:
        span = terms_of([one], [], DAY)["l1"].span
    except InvalidInputError as problem:
        return str(problem).split("Try:")[0].split("line l1 ")[1].strip(" .,")
    assert span is not None
    return f"{span.months} {span.days}"


def promotion_code(day: date) -> str:
    held = replace(promotion("P", percent=5), window=YEAR)
    found = refusal(held, Order(BUYER, day, "EUR", [part("l1", 1, "9")]))
    return "" if found is None else found.code


def overdue_bucket(days: int) -> str:
    bill = Receivable(DAY - timedelta(days=days), 7, "EUR")
    found = numbers(CreditLine(100, "EUR", "A", hold=False, receivables=(bill,)), 0, "EUR", DAY)
    return next((name for name, minor in found.overdue.items() if minor), "")


def overdue_row(days: int) -> list[str]:
    rows = (
        PolicyRow("OK", (), 10_000, 14, 30, Decimal(0), approval=False),
        PolicyRow("ASK", (), 10_000, 999, 30, Decimal(0), approval=True),
    )
    bill = Receivable(DAY - timedelta(days=days), 7, "EUR")
    line_ = CreditLine(100, "EUR", "A", hold=False, receivables=(bill,))
    net = PaymentTerms("NET30", "", 30, prepaid=False)
    facts = CreditFacts(line_, None, CreditPolicy(rows))
    return [found.rule_id for found in judge(facts, 1, "EUR", net, DAY).findings]


def screening(day: date) -> list[str]:
    listed = ScreeningList("List", DAY, Decimal(90), 30, ())
    return [found.code for found in screen([], listed, day)]


def reviewed(day: date) -> list[str]:
    listed = ScreeningList("List", DAY, Decimal(90), 999, (Listed("E1", "Orla Trading", ""),))
    review = Review("R", "E1", "Orla Trading", "Orla Trading", "different_party", "per_x", YEAR)
    return [one.code for one in screen([Party("customer", "Orla Trading")], listed, day, [review])]


def rate(first: date, rate_id: str = "R1") -> TaxRate:
    return TaxRate(rate_id, "DE", "S", Decimal(19), Window(first), "law")


def changes_soon(first: date) -> bool:
    return bool(rate_changes([rate(first)], [("DE", "standard")], DAY, 30))


def taxed(day: date) -> bool:
    provider = TableProvider([replace(rate(FIRST), window=YEAR)], {})
    return bool(provider.find("DE", "", "standard", day).rates)


def collide(first: date) -> bool:
    return bool(equal_rank([replace(rate(FIRST), window=YEAR), rate(first, "R2")]))


def comparable(days: int) -> bool:
    policy = GuidancePolicy(lowest_bp=0, size_factor=1, days=365, least=1, most=5)
    same = ("business", "direct")
    past = PastLine(
        *(
            "q",
            "Q-1",
            "acc",
            *same,
            "l1",
            "A",
            "f",
            Decimal(1),
            9,
            9,
            "open",
            DAY - timedelta(days=days),
        ),
    )
    deal = Deal("l1", "A", "f", Decimal(1), *same, DAY, "EUR", 9, 9, None)
    return bool(comparables(deal, [past], policy)[0])


HIT, SEEN = ["SCREENING_HIT"], ["SCREENING_REVIEWED"]
LOCK = date(2026, 6, 30)
AT_LOCK, ENDED = ["AMENDED_AT_LOCK"], ["PRICE_LOCK_ENDED"]
AT_LIST, REFUSED = ["AMENDED_AT_LIST"], ["SUBSCRIPTION_ENDED", "AMENDED_AT_LIST"]
BACKWARDS, TOO_LONG = "ends on 2026-11-22, before it begins on 2026-11-23", "runs for 120 months"
CASES = [
    at("first day of a window", YEAR.covers, FIRST, FROM),
    at("last day of a window", YEAR.covers, LAST, UP_TO),
    at("end of a window", YEAR.ended, LAST, ABOVE),
    at("first day of a promotion", promotion_code, FIRST, ("PROMO_NOT_YET", "", "")),
    at("last day of a promotion", promotion_code, LAST, ("", "", "PROMO_EXPIRED")),
    at("price lock", locked, LOCK, (AT_LOCK, AT_LOCK, ENDED)),
    at(
        "lock at a renewal",
        *(renewed, LAST),
        (["RENEWED_AT_LIST"], ["RENEWED_AT_LIST"], ["RENEWED_AT_LOCK"]),
    ),
    at("begin of an amendment", begins, FIRST, (REFUSED, AT_LIST, AT_LIST)),
    at("end of an amendment", amended, LAST, (AT_LIST, AT_LIST, REFUSED)),
    at("late renewal", late, LAST + ONE, ABOVE),
    at("begin in force", lambda day: in_force([subscription()], "SUB-A", day), FIRST, (0, 10, 10)),
    at("end in force", lambda day: in_force([subscription()], "SUB-A", day), LAST, (10, 10, 0)),
    at("shortest term", ends, DAY, (BACKWARDS, "0 1", "0 2")),
    at("whole months", ends, date(2026, 12, 22), ("0 29", "1 0", "1 1")),
    at("longest term", ends, date(2036, 11, 22), ("119 30", TOO_LONG, TOO_LONG)),
    at("first bucket", overdue_bucket, 0, ("", "", "1-30")),
    at("second bucket", overdue_bucket, 30, ("1-30", "1-30", "31-60")),
    at("third bucket", overdue_bucket, 60, ("31-60", "31-60", "61-90")),
    at("last bucket", overdue_bucket, 90, ("61-90", "61-90", "90+")),
    at("overdue days of the policy", overdue_row, 14, ([], [], ["ASK"])),
    at("age of the list", screening, DAY + 30 * ONE, ([], [], ["SCREENING_STALE"])),
    at("begin of a review", reviewed, FIRST, (HIT, SEEN, SEEN)),
    at("end of a review", reviewed, LAST, (SEEN, SEEN, HIT)),
    at("first change of a rate", changes_soon, DAY, ABOVE),
    at("last change of a rate", changes_soon, DAY + 30 * ONE, UP_TO),
    at("first day of a rate", taxed, FIRST, FROM),
    at("last day of a rate", taxed, LAST, UP_TO),
    at("rates that meet", collide, LAST, UP_TO),
    at("newest comparable", comparable, 0, FROM),
    at("oldest comparable", comparable, 365, UP_TO),
]


@pytest.mark.parametrize(("ask", "values", "expected"), CASES)
def test_a_day_is_where_it_says(
    ask: Callable[[Any], Any], values: tuple[Any, ...], expected: tuple[Any, ...]
) -> None:
    assert tuple(ask(value) for value in values) == expected


ORDER = asking(line("l1", "SW-P8-120", 1))


@pytest.fixture
def found(database: Database) -> PricingFacts:
    with acting(everyone()), database.session() as session:
        return collect(session, PriceRequest.model_validate(ORDER)).pricing


@pytest.mark.parametrize(
    ("day", "code"),
    [
        (DAY - 11 * ONE, "CONTRACT_NOT_YET"),
        (DAY - 10 * ONE, ""),
        (LAST, ""),
        (LAST + ONE, "CONTRACT_EXPIRED"),
    ],
)
def test_a_contract_holds_on_both_of_its_ends(found: PricingFacts, day: date, code: str) -> None:
    contract = Contract(
        *("CON-1", "acc_008", "sku", "SW-P8-120", "fixed", Decimal("350.00"), "EUR"),
        *(Window(DAY - 10 * ONE, LAST), True, "Call-off"),
    )
    facts = replace(found, contracts=(contract,))
    pricing = price(facts, PriceRequest.model_validate({**ORDER, "order_date": day}))
    assert ([one.code for one in pricing.findings if "CONTRACT" in one.code] or [""]) == [code]


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize(("days", "shown"), [(6, True), (7, True), (8, False)])
@pytest.mark.parametrize("stale", ["EUR", "USD"])
def test_a_rate_is_too_old_a_day_after_its_last(
    found: PricingFacts, stale: str, side: int, days: int, *, shown: bool
) -> None:
    assert found.policy is not None
    ages = {"EUR": 0, "USD": 0, stale: side * days}
    rates = tuple(
        Rate(code, Decimal(2), DAY - timedelta(days=age), "bank") for code, age in ages.items()
    )
    facts = replace(found, rates=rates, policy=replace(found.policy, rate_days=7))
    request = PriceRequest.model_validate({**ORDER, "display_currency": "USD"})
    pricing = price(facts, request)
    assert (pricing.presentation is not None) is shown
    assert ("FX_STALE" in [one.code for one in pricing.findings]) is not shown


async def _expired(app: Server, clock: Clock, quote_id: str) -> bool:
    shown = await call(app, everyone(), "get_quote", {"quote_id": quote_id})
    return bool(shown["status"] == "expired")


async def test_a_quote_is_open_to_the_last_second_of_its_last_day(
    app: Server, clock: Clock
) -> None:
    """In the time zone of whoever made the offer: Hamburg is an hour ahead in winter."""
    draft = await drafted(app)
    arguments = {"quote_id": draft["quote_id"], "digest": draft["digest"]}
    issued = await call(app, everyone(), "issue_quote", arguments)
    last = date.fromisoformat(issued["valid_until"])
    assert last == DAY + timedelta(days=30)
    clock.moment = datetime.combine(last, time(22, 59, 59), UTC)
    assert not await _expired(app, clock, draft["quote_id"])
    clock.forward(seconds=1)
    assert await _expired(app, clock, draft["quote_id"])


@pytest.mark.parametrize(("seconds", "lapsed"), [(-1, False), (0, True), (1, True)])
async def test_an_approval_lapses_at_its_moment(
    app: Server, clock: Clock, seconds: int, *, lapsed: bool
) -> None:
    draft = await drafted(app, discount_bp=1000)
    asked = await call(app, everyone(), "request_approval", {"quote_id": draft["quote_id"]})
    approval = asked["approvals"][0]["approval_id"]
    clock.forward(days=14, seconds=seconds)
    arguments = {"approval_id": approval, "decision": "approve"}
    if lapsed:
        with pytest.raises(ToolError, match="EXPIRED"):
            await call(app, by("per_tomas"), "decide_approval", arguments)
    else:
        done = await call(app, by("per_tomas"), "decide_approval", arguments)
        assert done["quote_status"] == "approved"


@pytest.mark.parametrize(("seconds", "lapsed"), [(-1, False), (0, True), (1, True)])
async def test_an_approval_that_was_given_is_good_up_to_its_moment(
    app: Server, clock: Clock, seconds: int, *, lapsed: bool
) -> None:
    draft = await drafted(app, discount_bp=1000)
    asked = await call(app, everyone(), "request_approval", {"quote_id": draft["quote_id"]})
    given = {"approval_id": asked["approvals"][0]["approval_id"], "decision": "approve"}
    await call(app, by("per_tomas"), "decide_approval", given)
    clock.forward(days=14, seconds=seconds)
    arguments = {"quote_id": draft["quote_id"], "digest": draft["digest"]}
    if lapsed:
        with pytest.raises(ToolError, match="APPROVAL_REQUIRED"):
            await call(app, everyone(), "issue_quote", arguments)
    else:
        issued = await call(app, everyone(), "issue_quote", arguments)
        assert issued["valid_until"] == "2027-01-06"


@pytest.mark.parametrize(
    ("uplift", "cap", "amount"),
    [
        *((None, None, "100.00"), ("0", "3", "100.00"), ("2.99", "3", "102.99")),
        *(("3", "3", "103.00"), ("3.01", "3", "103.00"), ("3.01", None, "103.01")),
        *(("5", "0", "100.00"), ("-2", "3", "98.00")),
    ],
)
def test_a_renewal_is_at_its_own_price_and_the_uplift_up_to_its_cap(
    uplift: str | None, cap: str | None, amount: str
) -> None:
    running = subscription(
        renewal="uplift",
        uplift=None if uplift is None else Decimal(uplift),
        cap=None if cap is None else Decimal(cap),
        clause="CL-7",
    )
    asked = {"line_id": "l1", "sku": "SUB-A", "quantity": 1, "change": "renew"}
    one = LineIn.model_validate({**asked, "subscription_id": "sub_1"})
    term = terms_of([one], [running], FIRST)["l1"]
    (agreed,) = agreed_prices(term, one, [], FIRST)
    assert str(agreed.amount) == amount
    (said,) = [found.message for found in term.findings if found.code == "RENEWED_WITH_UPLIFT"]
    assert ("CL-7 caps" in said) is (cap is not None and Decimal(uplift or 0) > Decimal(cap))
