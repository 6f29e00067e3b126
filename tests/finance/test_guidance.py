"""Guidance: bounded, explained by named quotes, a person's, and never a price."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from fastmcp.exceptions import ToolError
from finance_support import by, call, drafted, everyone, line
from hypothesis import given
from hypothesis import strategies as st

from servers.finance.facts.policy import GuidancePolicy
from servers.finance.guidance import Deal, Outcome, PastLine, guide, quantile
from servers.finance.tables.house import Setting
from servers.toolkit.app import Server
from servers.toolkit.database import Database
from servers.toolkit.grants import Grant

TODAY = date(2026, 11, 23)
POLICY = GuidancePolicy(lowest_bp=1500, size_factor=3, days=730, least=3, most=20)
DEAL = Deal(
    line_id="l1",
    sku="SW-P8-120",
    family="switches",
    quantity=Decimal(10),
    customer_kind="business",
    channel="direct",
    day=TODAY,
    currency="EUR",
    list_minor=389_000,
    standard_minor=369_550,
    cost_minor=Decimal(241_180),
)


def offered(number: int, at: int, outcome: Outcome = "accepted", **changes: Any) -> PastLine:
    """A past line at a percentage of its list price."""
    said: dict[str, Any] = {
        "quote_id": f"q_{number}",
        "number": f"Q-2026-{number:06d}",
        "account_id": "acc_002",
        "customer_kind": "business",
        "channel": "direct",
        "line_id": "l1",
        "sku": "SW-P8-120",
        "family": "switches",
        "quantity": 10,
        "list_minor": 389_000,
        "net_minor": 3890 * at,
        "outcome": outcome,
        "on": TODAY - timedelta(days=number),
    }
    said |= changes
    return PastLine(**{**said, "quantity": Decimal(said["quantity"])})


def minors(past: list[PastLine], deal: Deal = DEAL, floor_bp: int = 1800) -> list[int | None]:
    advice = guide(deal, past, POLICY, floor_bp)
    points = (advice.floor, advice.target, advice.stretch)
    return [None if point is None else point.minor for point in points]


def test_target_is_the_middle_of_what_was_accepted_and_stretch_its_upper_quarter() -> None:
    past = [offered(n, at) for n, at in enumerate((90, 92, 94, 98), 1)]
    advice = guide(DEAL, past, POLICY, 1800)
    assert minors(past) == [294122, 3890 * 92, 3890 * 94]
    assert advice.target is not None
    assert advice.target.why == ("the middle of what 4 accepted quotes paid: 92% of the price list")
    assert [one.quote_id for one in advice.comparables] == ["q_1", "q_2", "q_3", "q_4"]
    assert advice.said == (
        "4 comparable quotes: SW-P8-120, business customers of channel direct, between 4 and 30, "
        "in the 730 days before 2026-11-23",
    )


def test_without_comparable_quotes_it_says_so_and_proposes_nothing() -> None:
    advice = guide(DEAL, [], POLICY, 1800)
    assert (advice.target, advice.stretch, advice.comparables) == (None, None, ())
    assert advice.said[0].startswith("no comparable quotes: SW-P8-120 and its family switches")


def test_quotes_that_nobody_accepted_are_shown_and_give_no_target() -> None:
    past = [offered(1, 90, "open"), offered(2, 85, "not_taken")]
    advice = guide(DEAL, past, POLICY, 1800)
    assert (advice.target, len(advice.comparables)) == (None, 2)
    assert advice.said[-1] == "none of them was accepted, so there is no target"


@pytest.mark.parametrize(
    "other",
    [
        {"customer_kind": "reseller"},
        {"channel": "reseller"},
        {"family": "cables", "sku": "CBL-C6-02"},
        {"quantity": 31},
        {"quantity": 3},
        {"on": TODAY - timedelta(days=731)},
        {"on": TODAY + timedelta(days=1)},
        {"list_minor": 0},
    ],
    ids=str,
)
def test_what_is_not_alike_does_not_count(other: dict[str, Any]) -> None:
    assert guide(DEAL, [offered(1, 90, **other)], POLICY, 1800).comparables == ()
    edge = [offered(1, 90, quantity=30), offered(2, 90, quantity=4)]
    assert len(guide(DEAL, edge, POLICY, 1800).comparables) == 2


def test_few_quotes_of_the_item_bring_in_its_family() -> None:
    own = [offered(n, 95) for n in (1, 2, 3)]
    family = [offered(n, 80, sku="SW-P16-240") for n in (4, 5)]
    assert len(guide(DEAL, own + family, POLICY, 1800).comparables) == 3
    fewer = guide(DEAL, own[:2] + family, POLICY, 1800)
    assert len(fewer.comparables) == 4
    assert "its family switches" in fewer.said[0]


def test_a_quote_of_about_this_size_weighs_more() -> None:
    past = [offered(1, 99, quantity=10), *(offered(n, 88, quantity=30) for n in (2, 3))]
    assert quantile(past, 10, Fraction(1, 2)) == Fraction(99, 100)
    assert quantile(past, 30, Fraction(1, 2)) == Fraction(88, 100)


def test_the_floor_and_the_band_hold_whatever_was_accepted() -> None:
    low = [offered(n, 40) for n in (1, 2, 3)]
    band = 389_000 * 85 // 100
    assert minors(low) == [294122, band, band]
    dear = replace(DEAL, cost_minor=Decimal(300_000))
    assert minors(low, dear) == [365854, 365854, 365854]
    above = guide(replace(DEAL, cost_minor=Decimal(380_000)), low, POLICY, 1800)
    assert above.target is not None
    assert above.target.minor == 463415
    assert "the price list is below the floor" in above.said
    high = [offered(n, 120) for n in (1, 2, 3)]
    assert minors(high)[1:] == [389_000, 389_000]


@pytest.mark.parametrize(("floor_bp", "floor"), [(9_999, 2_400_000_000), (10_000, None)])
def test_no_price_earns_a_margin_of_everything(floor_bp: int, floor: int | None) -> None:
    past = [offered(n, 90) for n in range(1, 4)]
    assert minors(past, replace(DEAL, cost_minor=Decimal(240_000)), floor_bp)[0] == floor


def test_without_a_cost_there_is_no_floor_and_it_says_so() -> None:
    advice = guide(replace(DEAL, cost_minor=None), [offered(1, 90)], POLICY, 1800)
    assert advice.floor is None
    assert "the cost is not known, so there is no floor" in advice.said
    assert advice.target is not None


def test_an_agreed_price_leaves_nothing_to_propose() -> None:
    advice = guide(replace(DEAL, contract_id="CON-1"), [offered(1, 90)], POLICY, 1800)
    assert (advice.target, advice.stretch) == (None, None)
    assert advice.said == ("CON-1 is an agreed price: there is nothing to propose",)


@given(
    st.lists(st.tuples(st.integers(1, 150), st.integers(4, 30)), min_size=1, max_size=12),
    st.integers(1, 500_000),
)
def test_guidance_never_leaves_its_bounds(drawn: list[tuple[int, int]], cost: int) -> None:
    past = [offered(n, at, quantity=quantity) for n, (at, quantity) in enumerate(drawn, 1)]
    deal = replace(DEAL, cost_minor=Decimal(cost))
    floor, target, stretch = minors(past, deal)
    assert floor is not None
    assert target is not None
    assert stretch is not None
    low = max(floor, 330_650)
    assert low <= target <= stretch <= max(low, deal.list_minor)
    assert minors(list(reversed(past)), deal) == [floor, target, stretch]


# through the server


def seller(person: str = "per_tomas", **changes: Any) -> Grant:
    return by(person, **{"tools": frozenset({"guide_price"}), **changes})


@pytest.fixture
async def sold(app: Server) -> dict[str, Any]:
    """Two issued quotes of 12 switches, and a draft that wants advice."""
    for place, at in (("opp_901", 300), ("opp_902", 500)):
        made = await drafted(app, opportunity_id=place, discount_bp=at)
        await call(
            app,
            everyone(),
            "issue_quote",
            {"quote_id": made["quote_id"], "digest": made["digest"]},
        )
    return await drafted(app, opportunity_id="opp_903", discount_bp=400)


async def test_a_person_is_told_which_quotes_a_price_comes_from(
    app: Server, sold: dict[str, Any]
) -> None:
    asked = {"quote_id": sold["quote_id"]}
    found = await call(app, seller(), "guide_price", asked)
    (one,) = found["lines"]
    assert [(c["number"], c["outcome"], c["of_list"]) for c in one["comparables"]] == [
        ("Q-2026-000002", "open", "90.25"),
        ("Q-2026-000001", "open", "92.15"),
    ]
    assert one["target"] is None
    assert one["floor"]["amount_minor"] == 336531  # 12 x 241.18 / 0.86, up
    for quote in one["comparables"]:
        seen = await call(app, everyone(), "get_quote", {"quote_id": quote["quote_id"]})
        taken = {"quote_id": quote["quote_id"], "digest": seen["digest"]}
        who = seller("per_lena", tools=frozenset({"accept_quote"}))
        await call(app, who, "accept_quote", taken)
    (told,) = (await call(app, seller(), "guide_price", {**asked, "line_id": "l1"}))["lines"]
    assert (told["list_minor"], told["standard_minor"]) == (466800, 443460)
    assert told["offered_minor"] == 443460 - 17738
    assert told["target"]["amount_minor"] == 421287
    assert told["target"]["discount_bp"] == 500
    assert told["stretch"]["amount_minor"] == 430156
    assert told["stretch"]["unit_price"] == "358.463333"
    again = await call(app, everyone(), "get_quote", asked)
    assert again["digest"] == sold["digest"]  # it set nothing


async def test_nobody_but_a_person_of_the_house_is_advised(
    app: Server, sold: dict[str, Any]
) -> None:
    asked = {"quote_id": sold["quote_id"]}
    with pytest.raises(ToolError):
        await call(app, everyone(tools=frozenset({"guide_price"})), "guide_price", asked)
    with pytest.raises(ToolError, match="finance knows no person"):
        await call(app, seller("per_stranger"), "guide_price", asked)
    with pytest.raises(ToolError, match="no quote"):
        await call(app, seller(), "guide_price", {"quote_id": "q_none"})
    with pytest.raises(ToolError, match="no line l9"):
        await call(app, seller(), "guide_price", {**asked, "line_id": "l9"})


async def test_a_bound_person_is_shown_no_quotes_of_others(
    app: Server, sold: dict[str, Any]
) -> None:
    bind = {"quote_id": (sold["quote_id"],)}
    found = await call(app, seller(bind=bind), "guide_price", {"quote_id": sold["quote_id"]})
    (one,) = found["lines"]
    assert one["comparables"] == []
    assert one["said"][0].startswith("no comparable quotes")


async def test_a_house_without_a_policy_gives_no_guidance(
    app: Server, sold: dict[str, Any], database: Database
) -> None:
    with database.write() as session:
        row = session.get(Setting, "policies")
        assert row is not None
        row.value = {name: value for name, value in row.value.items() if name != "guidance"}
        session.add(row)
    with pytest.raises(ToolError, match="no policy for guidance"):
        await call(app, seller(), "guide_price", {"quote_id": sold["quote_id"]})


async def test_a_line_of_another_term_is_compared_by_its_part_of_the_price_list(
    app: Server,
) -> None:
    order = {"ship_method": "DIGITAL"}
    made = await drafted(
        app, lines=[line("l1", "SUB-DM-STD", 10, term_months=24)], opportunity_id="opp_901", **order
    )
    await call(
        app, everyone(), "issue_quote", {"quote_id": made["quote_id"], "digest": made["digest"]}
    )
    asked = await drafted(
        app, lines=[line("l1", "SUB-DM-STD", 12, term_months=6)], opportunity_id="opp_902", **order
    )
    found = await call(app, seller(), "guide_price", {"quote_id": asked["quote_id"]})
    (one,) = found["lines"]
    assert [c["of_list"] for c in one["comparables"]] == ["100"]
