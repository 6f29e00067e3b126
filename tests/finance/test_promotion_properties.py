"""What holds for any promotions on any lines, and for anything taken off by hand."""

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from promotion_support import ZERO, part, promotion

from servers.finance import adjustments
from servers.finance.facts.promotions import BuyGet, Gift, Limits, Promotion, Selector
from servers.finance.promotions.effects import FREIGHT, Part, State, canonical, effect
from servers.finance.promotions.rules import Outcome, settle
from servers.finance.schemas import Adjustment
from servers.toolkit.money import exponent, round_money

plenty = settings(max_examples=150)
CURRENCIES = ["EUR", "JPY", "KWD", "CLF"]
cents = st.integers(1, 50_000)


@st.composite
def parts(draw: Any) -> list[Part]:
    """One to five lines of three families, some optional or closed, and the freight."""
    lines = [
        part(
            f"l{n}",
            draw(st.integers(1, 30)),
            str(Decimal(draw(st.integers(0, 50_000))).scaleb(-2)),
            draw(st.sampled_from("ABC")),
            counted=n == 1 or draw(st.booleans()),
            closed=draw(st.integers(0, 5)) == 0,
        )
        for n in range(1, draw(st.integers(2, 6)))
    ]
    return [*lines, Part(FREIGHT, Decimal(1), Decimal(draw(cents)).scaleb(-2))]


def shape(draw: Any, kind: str) -> dict[str, Any]:
    """What a promotion of a kind has beside its limits."""
    amount = str(Decimal(draw(cents)).scaleb(-2))
    rate = draw(st.integers(1, 100))
    across = {"allocation": "across", "per": "order"}
    return {
        "percent": {"percent": rate, "base": draw(st.sampled_from(["list", "running"]))},
        "percent across": {"percent": rate, "allocation": "across"},
        "amount": {"amount": amount, "per": draw(st.sampled_from(["unit", "line"]))},
        "amount across": {"amount": amount, **across},
        "amount order": {"amount": amount, "target": "order", **across},
        "fixed_price": {"amount": amount},
        "buy_x_get_y": {
            "percent": rate,
            "buy_get": BuyGet(draw(st.integers(1, 4)), draw(st.integers(1, 3))),
        },
        "free_item": {"gift": Gift(1, "", draw(st.integers(1, 5)))},
        "free_shipping": {"target": "shipping"},
        "percent shipping": {"percent": rate, "target": "shipping"},
    }[kind]


KINDS = [
    *("percent", "percent across", "amount", "amount across", "amount order", "fixed_price"),
    *("buy_x_get_y", "free_item", "free_shipping", "percent shipping"),
]


@st.composite
def promotions(draw: Any) -> list[Promotion]:
    """One to five promotions in three groups, no two of the same rank."""
    made = []
    for n in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from(KINDS))
        more = shape(draw, kind)
        each = more.get("allocation") != "across"
        limits = Limits(
            max_quantity=draw(st.one_of(st.none(), st.integers(1, 9))) if each else None,
            cap=draw(st.one_of(st.just({}), cents.map(lambda c: {"EUR": Decimal(c).scaleb(-2)}))),
            budget=draw(st.one_of(st.just({}), cents.map(lambda c: {"EUR": Decimal(c) / 10}))),
        )
        made.append(
            promotion(
                f"P{n}",
                kind.split()[0],
                priority=draw(st.permutations(range(5)))[0] * 10 + n,
                stack_group=draw(st.sampled_from(["a", "b", "c"])),
                on=Selector(draw(st.sampled_from(["", "A", "B"]))),
                limits=limits,
                exclusive=draw(st.integers(0, 4)) == 0,
                **more,
            )
        )
    return made


def best(offered: list[Promotion], lines: list[Part]) -> Outcome:
    return settle(offered, canonical(lines), "EUR").outcome


@plenty
@given(promotions(), parts())
def test_one_more_promotion_never_makes_an_order_dearer(
    offered: list[Promotion], lines: list[Part]
) -> None:
    benefit = ZERO
    for n in range(1, len(offered) + 1):
        more = best(offered[:n], lines).benefit
        assert more >= benefit
        benefit = more


@plenty
@given(promotions(), parts(), st.randoms(use_true_random=False))
def test_neither_the_order_of_codes_nor_of_lines_matters(
    offered: list[Promotion], lines: list[Part], chance: Any
) -> None:
    one = best(offered, lines)
    chance.shuffle(offered)
    chance.shuffle(lines)
    other = best(offered, lines)
    assert [(a.promotion.code, a.effect, a.amount) for a in one.applied] == [
        (a.promotion.code, a.effect, a.amount) for a in other.applied
    ]


@plenty
@given(promotions(), parts())
def test_nothing_falls_below_zero_and_caps_budgets_and_groups_hold(
    offered: list[Promotion], lines: list[Part]
) -> None:
    left = {one.part_id: one.start for one in lines}
    counted = {one.part_id for one in lines if one.counted}
    closed = {one.part_id for one in lines if one.closed}
    outcome = best(offered, lines)
    for applied in outcome.applied:
        offs, limits = applied.effect.offs, applied.promotion.limits
        assert closed.isdisjoint(offs)
        for name, off in offs.items():
            assert off >= 0
            assert off == round_money(off, "EUR")
            left[name] -= off
        assert applied.amount == sum((offs[name] for name in counted & offs.keys()), ZERO)
        for most in (limits.cap.get("EUR"), limits.budget.get("EUR")):
            assert most is None or applied.amount <= most
    assert all(amount >= 0 for amount in left.values())
    groups = [one.promotion.stack_group for one in outcome.applied]
    assert len(groups) == len(set(groups))
    assert len(groups) == 1 or not any(one.promotion.exclusive for one in outcome.applied)


@plenty
@given(parts(), st.integers(1, 5), st.integers(1, 5), st.integers(1, 40))
def test_a_unit_is_bought_or_given_and_never_both(
    lines: list[Part], buy: int, get: int, most: int
) -> None:
    one = promotion(
        "B",
        "buy_x_get_y",
        percent=100,
        buy_get=BuyGet(buy, get, Selector("A")),
        limits=Limits(max_quantity=most),
    )
    ordered = canonical(lines)
    found = effect(one, ordered, State.of(ordered), "EUR")
    given_ = sum(found.units.values())
    open_ = [p for p in lines if p.item is not None and p.counted and not p.closed]
    bought = sum(p.quantity for p in open_ if p.item is not None and p.item.sku == "A")
    assert given_ <= most
    assert given_ % get == 0
    assert given_ // get * buy <= bought
    assert given_ // get * (buy + get) <= sum(p.quantity for p in open_)
    for each in lines:
        assert found.units.get(each.part_id, 0) <= each.quantity


@plenty
@given(
    st.lists(st.integers(0, 10**7), min_size=1, max_size=12),
    st.sampled_from(CURRENCIES),
    st.one_of(
        st.tuples(st.just("percent"), st.integers(0, 10_000)),
        st.tuples(st.just("amount"), st.integers(0, 10**8)),
    ),
)
def test_a_discount_on_the_document_is_split_exactly_and_capped(
    minors: list[int], currency: str, said: tuple[Any, int]
) -> None:
    weights = [Decimal(minor).scaleb(-exponent(currency)) for minor in minors]
    value = Decimal(said[1]).scaleb(-2)
    one = Adjustment(kind=said[0], value=value, reason_code="agreed_rounding")
    shares = adjustments.document_shares(one, weights, currency)
    base = sum(weights, ZERO)
    asked = base * value / 100 if said[0] == "percent" else value
    assert sum(shares, ZERO) == min(base, round_money(asked, currency))
    assert all(0 <= share <= weight for share, weight in zip(shares, weights, strict=True))
