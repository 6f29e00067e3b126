"""What is said about promotions: why each lost, to whoever named it, and in the trace always."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from finance_support import acting, asking, everyone, line
from promotion_support import BUYER, DAY, EUR, item, part, promotion

from servers.finance.facts.promotions import Gift, Limits, Promotion
from servers.finance.line_in_work import Work
from servers.finance.prices.units import UnitPrice
from servers.finance.pricing import price
from servers.finance.promotions.promote import Promoted, Said, warning
from servers.finance.promotions.rules import Order, Refusal, settle
from servers.finance.schemas import LineIn, PriceRequest
from servers.finance.store.collect import collect
from servers.toolkit.database import Database

PARTS = [part("l1", 1, "100.00")]


def told(*promotions: Promotion, named: Any = True, worth: str = "100.00") -> Promoted:
    """What is said after a choice among promotions; all of them were named, or none."""
    parts = [part("l1", 1, worth)]
    promoted = Promoted([])
    ids = {one.promotion_id for one in promotions} if named else set()
    words = Said(promoted, Order(BUYER, DAY, EUR, parts), ids)
    words.choice(promotions, settle(promotions, parts, EUR))
    return promoted


def found(promoted: Promoted) -> list[tuple[str, str, str]]:
    return [(one.code, one.subject, one.message) for one in promoted.findings]


def test_what_loses_names_the_winner_of_its_group() -> None:
    better, worse, apart = (
        promotion("BEST", percent=10, stack_group="G", priority=1),
        promotion("LESS", percent=5, stack_group="G", priority=2),
        promotion("OTHER", percent=1),
    )
    said = told(better, worse, apart)
    assert found(said) == [
        ("PROMO_NOT_STACKABLE", "LESS", "Promotion LESS does not stack with BEST.")
    ]
    (step,) = said.trace
    assert step.lost == ["LESS: promotion LESS does not stack with BEST"]
    assert step.note == "merchandise 100.00 EUR; applied: BEST 10.00, OTHER 0.90"


def test_an_exclusive_one_is_told_with_both_amounts() -> None:
    alone = promotion("ALONE", percent=10, exclusive=True)
    one, two = promotion("ONE", percent=3), promotion("TWO", percent=4)
    lost = "ALONE alone takes 10.00 EUR off, the others 6.88"
    assert [said[2] for said in found(told(alone, one, two))] == [
        f"Promotion ONE does not stack with ALONE: {lost}.",
        f"Promotion TWO does not stack with ALONE: {lost}.",
    ]
    weak = replace(alone, percent=Decimal(5))
    assert [said[2] for said in found(told(weak, one, two))] == [
        "Promotion ALONE does not stack with ONE, TWO: ALONE alone takes 5.00 EUR off, "
        "the others 6.88."
    ]


def test_equal_ranks_are_a_conflict_and_nothing_else_is_said_of_them() -> None:
    one, other = (promotion(code, percent=5, stack_group="G") for code in ("AA", "BB"))
    said = told(one, other)
    message = "promotions AA and BB have equal priority in one group"
    assert found(said) == [("RULE_CONFLICT", "AA", f"P{message[1:]}.")]
    (step,) = said.trace
    assert (step.lost, step.note) == ([f"AA: {message}"], "merchandise 100.00 EUR; none applies")


@pytest.mark.parametrize(("cap", "said"), [("9.99", True), ("10", False), ("10.01", False)])
def test_a_cap_is_said_when_it_held(cap: str, *, said: bool) -> None:
    limits = Limits(cap={EUR: Decimal(cap)})
    made = found(told(promotion("CAP", percent=10, limits=limits)))
    assert bool(made) is said
    if said:
        assert made == [("PROMO_CAPPED", "CAP", "Promotion CAP takes off at most 9.99 EUR.")]


def test_what_is_over_its_budget_or_takes_nothing_off_says_so() -> None:
    poor = promotion("POOR", percent=10, limits=Limits(budget={EUR: Decimal(9)}))
    assert [one[:2] for one in found(told(poor))] == [("PROMO_BUDGET", "POOR")]
    idle = promotion("IDLE", percent=10)
    assert [one[:2] for one in found(told(idle, worth="0"))] == [("PROMO_NO_EFFECT", "IDLE")]
    carriage = promotion("SHIP", "free_shipping", target="shipping")
    quiet = told(carriage)
    assert found(quiet) == []
    assert quiet.trace[0].lost == ["SHIP: promotion SHIP takes nothing off here"]


def test_nothing_is_found_about_what_nobody_named_but_the_trace_tells() -> None:
    better = promotion("BEST", percent=10, stack_group="G", priority=1)
    worse = promotion("LESS", percent=5, stack_group="G", priority=2)
    said = told(better, worse, named=False)
    assert (found(said), len(said.trace[0].lost)) == ([], 1)
    assert told(named=False).trace == []


def test_a_refusal_is_a_warning_to_whoever_named_the_code() -> None:
    no = Refusal("PROMO_EXPIRED", "it ended", "say so")
    one, other = promotion("AA"), promotion("BB")
    promoted = Promoted([])
    words = Said(promoted, Order(BUYER, DAY, EUR, PARTS), {"PRO-AA"})
    words.refusals([one, other], {"PRO-AA": no, "PRO-BB": no})
    assert promoted.findings == [warning(no, "AA", "PRO-AA")]
    assert words.lost == ["AA: it ended", "BB: it ended"]


@pytest.mark.parametrize(
    ("overridden", "promotions", "lost"),
    [
        (False, {}, 0),
        (True, {}, 1),
        (True, {"target": "order"}, 0),
        (True, {"kind": "free_shipping"}, 0),
    ],
)
def test_a_line_whose_price_was_set_takes_no_promotion_on_lines(
    promotions: dict[str, Any], lost: int, *, overridden: bool
) -> None:
    asked = LineIn(line_id="l1", sku="AA", quantity=1)
    work = Work(asked, item("AA"), UnitPrice(), overridden=overridden)
    one = promotion("AA", **promotions)
    words = Said(Promoted([work]), Order(BUYER, DAY, EUR, PARTS), set())
    words.refusals([one], {"PRO-AA": None})
    assert [step.lost for step in work.trace] == [["PRO-AA: its price was set"]] * lost


def test_a_free_item_of_the_same_kind_runs_as_long_as_the_one_beside_it(
    database: Database,
) -> None:
    asked = line("l1", "SUB-DM-STD", 2, term_months=24, start="2027-01-01")
    request = PriceRequest.model_validate(asking(asked, ship_method="DIGITAL"))
    with acting(everyone()), database.session() as session:
        facts = collect(session, request).pricing
    gift = promotion("GIFT", "free_item", gift=Gift(1), automatic=True)
    bought, free = price(replace(facts, promotions=(gift,)), request).lines
    assert (bought.free, free.free, free.net_minor) == (False, True, 0)
    assert bought.term_months == 24
    assert (free.term_months, free.start, free.end) == (
        *(bought.term_months, bought.start),
        bought.end,
    )


def test_where_no_promotion_is_known_the_trace_says_that_none_applies(database: Database) -> None:
    request = PriceRequest.model_validate(asking(line("l1", "SRV-D1-16"), promo_codes=["NOPE"]))
    with acting(everyone()), database.session() as session:
        facts = collect(session, request).pricing
    trace = price(replace(facts, promotions=()), request).trace
    (told,) = [step for step in trace if step.step == "promotion"]
    assert (told.note, told.lost) == ("none applies", ["NOPE: There is no promotion NOPE."])
