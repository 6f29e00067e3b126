"""Every threshold of money and authority, one step below it, at it, and one step above.

A case asks the rule about three values around its limit and names what it says to each. Windows
and days are in test_threshold_days.py, quantities in test_threshold_quantities.py.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from finance_support import acting, asking, everyone, line
from legal_support import facts as terms_facts
from paper_support import rich
from promotion_support import BUYER, EVERYWHERE, part, promotion

from servers.finance.adjustments import ByHand, check
from servers.finance.approvals import broken, check_approver, price_finding, total_need, validity
from servers.finance.facts.blocks import MarginBlock
from servers.finance.facts.charges import Fee
from servers.finance.facts.legal import (
    CreditFacts,
    CreditLine,
    CreditPolicy,
    PaymentTerms,
    PolicyRow,
    TermLine,
)
from servers.finance.facts.policy import Approver, Policy, Requester, RoleAbove
from servers.finance.facts.prices import Item
from servers.finance.facts.pricing import PricingFacts
from servers.finance.facts.promotions import Limits
from servers.finance.facts.windows import Window
from servers.finance.law.clauses import HOLDS
from servers.finance.law.credit import advance_needed, judge, numbers
from servers.finance.law.payment import longer, problem_of
from servers.finance.line_in_work import Work
from servers.finance.margin import cost_of, margin_of
from servers.finance.prices.units import UnitPrice
from servers.finance.pricing import price
from servers.finance.promotions.rules import Order, over_budget, refusal
from servers.finance.schemas import Adjustment, LineIn, PriceRequest
from servers.finance.store.collect import collect
from servers.finance.verify import verify
from servers.toolkit.database import Database
from servers.toolkit.errors import ForbiddenError, InvalidInputError

DAY = date(2026, 11, 23)
ANA = Requester("per_ana", frozenset({"sales"}))
POLICY = Policy(
    discount_limits=(
        RoleAbove("D-5", 500, "sales_manager"),
        RoleAbove("D-15", 1500, "finance_director"),
    ),
    total_limits={
        "EUR": (
            RoleAbove("T-1", 1_000_000, "sales_manager"),
            RoleAbove("T-2", 5_000_000, "finance_director"),
        )
    },
    auto_issue={"EUR": 500_000},
    margin_floor_bp=1800,
    margin_role="finance_director",
    validity_days=30,
    approval_days=14,
    standard_terms="NET30",
    finding_roles={"EXPORT": "legal", "EXPORT_LICENCE": "counsel"},
    default_role="sales_manager",
    mandatory_topics={},
    incoterms={},
    average_discount=(RoleAbove("A-12", 1200, "finance_director"),),
    line_discount=(RoleAbove("L-25", 2500, "finance_director"),),
    validity_limits=(
        RoleAbove("V-45", 45, "sales_manager"),
        RoleAbove("V-90", 90, "finance_director"),
    ),
)
REQUEST = PriceRequest.model_validate(asking())


BELOW, UP_TO = (True, False, False), (True, True, False)
FROM, ABOVE = (False, True, True), (False, False, True)
"""For which of the three values a rule says yes."""


def at(name: str, ask: Callable[[Any], Any], values: Any, expected: tuple[Any, Any, Any]) -> Any:
    """A case: what a rule is asked, around which limit, and what it says to the three values."""
    return pytest.param(ask, values, expected, id=name.replace(" ", "-"))


def around(limit: Any, step: Any = 1) -> tuple[Any, Any, Any]:
    return limit - step, limit, limit + step


def discounts(line_bp: int, document_bp: int) -> list[str]:
    """The rules that a discount by hand breaks, on a line of half the quote and on the quote."""
    rest = Decimal(2 * document_bp - line_bp)
    hand = ByHand()
    for name, off in (("l1", Decimal(line_bp)), ("l2", rest)):
        hand.begin(name, Decimal(10_000), counted=True)
        hand.after[name] -= off
    return [one.rule_id for one in broken(POLICY, REQUEST, hand, (), "EUR", ANA)]


def validity_rule(days: int) -> list[str]:
    return [one.rule_id for one in validity(POLICY, days, ANA)]


def total_rule(minor: int) -> str | None:
    need = total_need(POLICY, minor, "EUR", ANA)
    return need and f"{need.rule_id} {need.role}"


def may_decide(**asked: Any) -> bool:
    approver = Approver("per_t", "Tomas", frozenset({"sales_manager"}), 1000, {"EUR": 2_000_000})
    plain: dict[str, Any] = {
        "role": "sales_manager",
        "requested_by": ("per_ana",),
        "discount_bp": 0,
        "total_minor": 0,
        "currency": "EUR",
    }
    try:
        check_approver(approver, **{**plain, **asked})
    except ForbiddenError:
        return False
    return True


def below_floor(margin_bp: int) -> bool:
    block = MarginBlock(
        net_minor=0, cost_minor=0, margin_bp=0, hardware_margin_bp=margin_bp, floor_bp=1800
    )
    return price_finding(POLICY, block) is not None


def terms(days: int = 30, weighted: int = 0, discount: Any = 0) -> PaymentTerms:
    """Terms of two halves; the first half is due after `weighted` days, or with its discount."""
    first = TermLine(Decimal(50), "invoice", weighted, Decimal(discount), 10 if discount else 0)
    return PaymentTerms("X", "", days, prepaid=False, lines=(first, TermLine(None, "invoice", 30)))


def credit(limit: int = 10_000, open_minor: int = 0, **more: Any) -> CreditLine:
    return CreditLine(limit, "EUR", "A", hold=False, open_minor=open_minor, **more)


def judged(amount: int, line_: CreditLine, *rows: PolicyRow, days: int = 30) -> list[str]:
    facts = CreditFacts(line_, None, CreditPolicy(rows))
    net = PaymentTerms("N", "", days, prepaid=False)
    return [
        one.rule_id if rows else one.code for one in judge(facts, amount, "EUR", net, DAY).findings
    ]


def row(
    rule: str = "FITS", use_bp: int = 10_000, *, max_days: int = 30, advance: int = 0
) -> PolicyRow:
    return PolicyRow(rule, (), use_bp, 999, max_days, Decimal(advance), approval=rule == "ASK")


def used(amount: int) -> list[str]:
    return judged(amount, credit(), row(use_bp=5000), row("ASK"))


def paid_before(percent: int) -> list[str]:
    parts = TermLine(Decimal(percent), "order"), TermLine(None, "invoice", 30)
    picked = PaymentTerms("S", "", 30, prepaid=False, lines=parts)
    facts = CreditFacts(credit(), None, CreditPolicy((row("FITS", advance=30),)))
    return [one.code for one in judge(facts, 100, "EUR", picked, DAY).findings]


def advance(limit: int, open_minor: int, total: int = 1_000) -> int | None:
    """The percentage in advance that a total needs beside what is open, under a limit."""
    line_ = credit(limit, open_minor)
    return advance_needed(line_, numbers(line_, total, "EUR", DAY), total, "EUR")


def budget(amount: str) -> bool:
    limits = Limits(budget={"EUR": Decimal(100)}, spent={"EUR": Decimal("40.00")})
    return over_budget(promotion("P", limits=limits), Decimal(amount), "EUR") is None


def merchandise(amount: str) -> bool:
    asks = replace(EVERYWHERE, minimum={"EUR": Decimal(500)})
    order = Order(BUYER, DAY, "EUR", [part("l1", 1, amount)])
    return refusal(promotion("P", conditions=asks), order) is None


def adjustment(value: str) -> bool:
    one = Adjustment(
        line_id="l1", kind="percent", value=Decimal(value), reason_code="agreed_rounding"
    )
    try:
        check(REQUEST.model_copy(update={"adjustments": (one,)}))
    except InvalidInputError:
        return False
    return True


def clause(minor: int) -> bool:
    facts = terms_facts(total_minor=minor, currency="EUR")
    return bool(HOLDS["min_total"](facts, frozenset({"EUR 50000.00", "USD 1.00"})))


def instalment(percent: Decimal) -> bool:
    """Whether the rest of so much may be paid later."""
    parts = [TermLine(percent, "order"), TermLine(None, "invoice", 30)]
    return not problem_of(parts)


def early(percent: str, days: int = 10) -> str:
    return problem_of([TermLine(None, "invoice", 30, Decimal(percent), days)])


def margin_of_goods(net: str, cost: str) -> int | None:
    """The margin of a line of goods in basis points."""
    item = Item("A", "A", "", "f", "goods", 1, Decimal(cost), "EUR", "standard")
    asked = LineIn(line_id="l1", sku="AA", quantity=1)
    work = Work(asked, item, UnitPrice(), running=Decimal(net))
    found = margin_of([work], {work.line.line_id: cost_of(work, {}, "EUR")}, "EUR", POLICY)
    return found and found.hardware_margin_bp


CENT = Decimal("0.01")
T0, T1, T2 = "APR-TOTAL sales_manager", "T-1 sales_manager", "T-2 finance_director"
CASES = [
    at("discount band", lambda bp: discounts(bp, bp)[:1], around(500), ([], [], ["D-5"])),
    at("next band", lambda bp: discounts(bp, bp)[:1], around(1500), (["D-5"], ["D-5"], ["D-15"])),
    at("average discount", lambda bp: discounts(1600, bp)[1:], around(1200), ([], [], ["A-12"])),
    at("line discount", lambda bp: discounts(bp, 1300)[2:], around(2500), ([], [], ["L-25"])),
    at("validity", validity_rule, around(30), ([], [], ["APR-VALIDITY"])),
    at("long validity", validity_rule, around(45), (["APR-VALIDITY"], ["APR-VALIDITY"], ["V-45"])),
    at("longer validity", validity_rule, around(90), (["V-45"], ["V-45"], ["V-90"])),
    at("issued by itself", total_rule, around(500_000), (None, None, T0)),
    at("large total", total_rule, around(1_000_000), (T0, T0, T1)),
    at("larger total", total_rule, around(5_000_000), (T1, T1, T2)),
    at("an approvers discount", lambda bp: may_decide(discount_bp=bp), around(1000), UP_TO),
    at("an approvers total", lambda n: may_decide(total_minor=n), around(2_000_000), UP_TO),
    at("margin floor", below_floor, around(1800), BELOW),
    at("days of payment", lambda n: longer(terms(n), terms(30)), around(30), ABOVE),
    at("days on average", lambda n: longer(terms(30, n), terms(30, 20)), around(20), ABOVE),
    at("early payment", lambda off: longer(terms(30, 20, off), terms(30, 20, 2)), around(2), ABOVE),
    at("credit limit", lambda n: judged(n, credit(9, 3)), around(6), ([], [], ["CREDIT_LIMIT"])),
    at("use of the limit", used, around(5_000), ([], [], ["ASK"])),
    at("credit days", lambda n: judged(1, credit(), row(), days=n), around(30), ([], [], ["FITS"])),
    at("credit advance", paid_before, around(30), (["CREDIT_TERMS"], [], [])),
    at("no advance", lambda limit: advance(limit, 0), around(1_000), (1, 0, 0)),
    at("no help in advance", lambda n: advance(5, n), around(5), (100, 100, None)),
    at("promotion budget", budget, around(Decimal(60), CENT), UP_TO),
    at("promotion minimum", merchandise, around(Decimal(500), CENT), FROM),
    at("percentage by hand", adjustment, around(Decimal(100), CENT), UP_TO),
    at("clause from a total", clause, around(5_000_000), FROM),
    at("whole early discount", lambda v: not early(v), around(Decimal(100), CENT), BELOW),
    at("negative early discount", lambda v: not early(v), around(Decimal(0), CENT), ABOVE),
    at("least instalment", instalment, around(Decimal(0), CENT), ABOVE),
    at("most instalment", instalment, around(Decimal(100), CENT), BELOW),
    at("early days", lambda n: not early("2", n), around(30), BELOW),
]


@pytest.mark.parametrize(("ask", "values", "expected"), CASES)
def test_a_threshold_is_where_it_says(
    ask: Callable[[Any], Any], values: tuple[Any, ...], expected: tuple[Any, ...]
) -> None:
    assert tuple(ask(value) for value in values) == expected


def test_a_sole_right_of_whoever_did_not_ask() -> None:
    """The other refusals of an approver, each alone: their own request, price and role."""
    assert may_decide()
    assert not may_decide(requested_by=("per_ana", "per_t"))
    assert not may_decide(adjusted_by=("per_t",))
    assert not may_decide(role="finance_director")
    assert not may_decide(currency="USD"), "no limit in a currency is no right in it"


@pytest.fixture
def found(database: Database) -> PricingFacts:
    request = PriceRequest.model_validate(asking(line("l1", "CBL-C6-02", 1)))
    with acting(everyone()), database.session() as session:
        return collect(session, request).pricing


@pytest.mark.parametrize(("below", "due"), [("6.89", False), ("6.90", False), ("6.91", True)])
def test_a_small_order_is_one_below_the_limit(
    found: PricingFacts, below: str, *, due: bool
) -> None:
    fee = Fee(
        *("F", "Small order", "small_order", {"EUR": Decimal(9)}, "carriage", Window()),
        below={"EUR": Decimal(below)},
    )
    request = PriceRequest.model_validate(asking(line("l1", "CBL-C6-02", 1)))
    pricing = price(replace(found, fees=(fee,)), request)
    assert bool(pricing.charges) is due, f"a line of {pricing.lines[0].gross_minor}"


@pytest.mark.parametrize(
    ("net", "margin_bp"),
    [
        *(("99.99", 3999), ("100.00", 4000), ("100.01", 4000), ("100.02", 4001)),
        *(("60.00", 0), ("59.99", -2), ("0.01", -59_990_000), ("0.00", -10_000)),
    ],
)
def test_a_margin_is_rounded_down(net: str, margin_bp: int) -> None:
    """So that a margin a hair under the floor is under it."""
    assert margin_of_goods(net, "60.00") == margin_bp


@pytest.mark.parametrize(("monthly", "wrong"), [(-2, True), (-1, False), (1, False), (2, True)])
def test_a_month_is_a_twelfth_of_its_year_to_the_minor_unit(monthly: int, *, wrong: bool) -> None:
    quote = rich()
    assert quote.recurring is not None
    exact = round(quote.recurring.annual_minor / 12)
    changed = quote.recurring.model_copy(update={"monthly_minor": exact + monthly})
    said = [one.where for one in verify(quote.model_copy(update={"recurring": changed}))]
    assert ("recurring.monthly_minor" in said) is wrong
