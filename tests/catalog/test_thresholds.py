"""Every threshold of the catalog's rules, one step below it, at it, and one step above."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from servers.catalog import rulebook as rb
from servers.catalog.availability import promise
from servers.catalog.bundles import misplaced
from servers.catalog.compatibility import check_together, sold
from servers.catalog.eligibility import Destination, check_each
from servers.catalog.packing import EXACT, fewest, unplaced
from servers.catalog.schemas import Component, OptionGroup, Product
from servers.catalog.selection import Item, join
from servers.catalog.shipping import ShippingNetwork, options

from .conftest import TODAY, lines_of

ONE = timedelta(days=1)
BELOW, UP_TO = (True, False, False), (True, True, False)
FROM, ABOVE = (False, True, True), (False, False, True)
"""For which of the three values a rule says yes."""


def at(name: str, ask: Callable[[Any], Any], middle: Any, expected: tuple[Any, Any, Any]) -> Any:
    """A case: what a rule is asked around which limit, and what it says to the three values."""
    step = ONE if isinstance(middle, date) else 1
    values = (middle - step, middle, middle + step)
    return pytest.param(ask, values, expected, id=name.replace(" ", "-"))


def product(sku: str, kind: str = "goods", **more: Any) -> Product:
    fields = {"sku": sku, "name": sku, "family": "things", "kind": kind, "base_uom": "each"}
    return Product.model_validate({**fields, "lifecycle": "active", "eccn": "N", **more})


CATALOG: Mapping[str, Product] = {
    one.sku: one
    for one in (
        product("AA", attributes={"watts": 30, "plug": "EU"}, weight_g=100),
        product("BIG", attributes={"watts": 60}),
        product("ODD", attributes={"watts": True}),
        product("SUPPLY", attributes={"capacity": 120}),
        product("SMALL", attributes={"capacity": 50}),
        product("PART"),
        product("SUB", "subscription"),
        product("PLAN", "subscription"),
        product("BOXED", units={"box": 10}, weight_g=7),
        product("HOT", un_number="UN3480", weight_g=1),
        product(
            "KIT",
            "bundle",
            components=[
                Component(sku="AA"),
                Component(sku="PART", quantity=3, optional=True, group="extras"),
                Component(sku="SMALL", optional=True, group="extras"),
                Component(sku="SUPPLY", optional=True, group="extras"),
            ],
            option_groups=[OptionGroup(group="extras", min_select=1, max_select=2)],
        ),
    )
}


def items(*parts: Any) -> list[Item]:
    found, problems = join(lines_of(*parts), CATALOG)
    assert problems == []
    return found


def rule(kind: str, *skus: str, **more: Any) -> Any:
    plain = {
        "rule_id": "test.rule",
        "code": "BROKEN",
        "severity": "error",
        "message": "{sku}",
        "kind": kind,
        "subject": {"skus": skus},
    }
    return rb.RULE.validate_python({**plain, **more})


def together(one: Any, *parts: Any, day: date = TODAY) -> tuple[bool, str]:
    """Whether lines hold to a rule about them together; else what would mend them."""
    problems = check_together([one], items(*parts), CATALOG, day)
    return not problems, "".join(problem.finding.fix for problem in problems)


def passes(one: Any, *parts: Any, country: str = "DE", day: date = TODAY, **more: Any) -> bool:
    """Whether each line holds to a rule about one."""
    return not check_each([one], items(*parts), Destination(country, day, **more))


# lines together


PARTS = {"parts": [{"sku": "PART", "ratio": {"count": 2, "per": 3}}]}
SUM = {"use": "watts", "targets": {"skus": ["SUPPLY", "SMALL"]}, "provide": "capacity"}


def requires_all(parts: int) -> tuple[bool, str]:
    return together(rule("requires_all", "AA", **PARTS), ("AA", 4), ("PART", parts))


def requires_any(parts: int) -> tuple[bool, str]:
    one = rule("requires_any", "AA", targets={"skus": ["PART"]}, offer=["PART"])
    return together(one, ("AA", 4), ("PART", parts))


def gated(plans: int) -> tuple[bool, str]:
    return together(rule("plan_gate", "SUB", plans=["PLAN"]), ("SUB", 4), ("PLAN", plans))


def counted(parts: int) -> bool:
    """Whether so many parts fit, of one to three for each of two."""
    one = rule("count_range", "PART", per={"skus": ["AA"]}, minimum=1, maximum=3)
    return together(one, ("AA", 2), ("PART", parts))[0]


def summed(pieces: int) -> tuple[bool, str]:
    one = rule("attr_sum_le", "AA", **SUM, offer=["SUPPLY"])
    return together(one, ("AA", pieces), ("SUPPLY", 1))


def packed(pieces: int) -> tuple[bool, str]:
    """Two supplies of 120 W carry four devices of 60 W and no third each."""
    one = rule("attr_sum_le", "BIG", "AA", **SUM, pack=True, offer=["SMALL", "SUPPLY"])
    return together(one, ("BIG", pieces), ("SUPPLY", 2))


def ratio(quantity: int) -> int:
    return rb.Ratio(count=2, per=3).needed(Decimal(quantity))


# each line


POLICY = {"minimum": 4, "multiple": 2, "maximum": 10}


def ordered(quantity: int) -> bool:
    return passes(rule("qty_policy", "AA", **POLICY), ("AA", quantity))


def legal(quantity: int) -> str:
    found = check_each(
        [rule("qty_policy", "AA", **POLICY)], items(("AA", quantity)), Destination("DE", TODAY)
    )
    return "".join(one.fix for one in found)


def term(months: int) -> bool:
    line = {"sku": "SUB", "quantity": 1, "term_months": months}
    return passes(rule("term", "SUB", minimum=12, maximum=60), line)


def certified(day: date) -> bool:
    one = rule("certification", "AA", countries=["DE"], schemes=["CE"])
    paper = rb.Certificate(
        scheme="CE", certificate_no="1", covers=rb.Selector(skus=("AA",)), expires=TODAY
    )
    return passes(one, ("AA", 1), day=day, certificates=[paper])


def in_force(day: date) -> bool:
    one = rule("note", "AA", valid_from=TODAY, valid_to=TODAY + 9 * ONE)
    return not together(one, ("AA", 1), day=day)[0]


def sellable(day: date) -> bool:
    return sold(product("LAST", lifecycle="last_order", last_order_date=TODAY), day)


def announced(day: date) -> bool:
    one = rule("lifecycle", "LAST", state="announced")
    last = Item(lines_of(("LAST", 1))[0], product("LAST", last_order_date=TODAY))
    return bool(check_each([one], [last], Destination("DE", day)))


# shelf, shipping, bundles


def shelf(
    quantity: int, needed_by: date | None = None, inbound: date | None = TODAY + 5 * ONE
) -> tuple[int, int, str]:
    """How many are free, in how many days all are ready, and what is said about it."""
    row = rb.Stock(
        sku="AA",
        on_hand=10,
        reserved=2,
        lead_time_days=30,
        inbound_date=inbound,
        inbound_quantity=4,
        as_of=TODAY,
    )
    rules = [
        rule("lead_time", "AA", test=test, code=test.upper(), severity="warning")
        for test in ("late", "backorder", "unknown")
    ]
    found = promise(items(("AA", quantity)), {"AA": row}, TODAY, needed_by, rules)
    (line,) = found.lines
    assert line.promise_date is not None
    codes = "".join(one.code for one in found.findings)
    return line.available, (line.promise_date - TODAY).days, codes


def carried(pieces: int) -> bool:
    method = rb.ShipMethod(
        method="ROAD",
        name="Road",
        mode="road",
        transit_days={"EU": (1, 2)},
        max_weight_g=1000,
    )
    network = ShippingNetwork([method], {"DE": "EU"}, "WORLD", [])
    return options(items(("AA", pieces)), "DE", network).options[0].allowed


def part_of(quantity: int) -> list[str]:
    part = {"sku": "PART", "quantity": quantity, "part_of": "l1"}
    return [one.code for one in misplaced(items(("KIT", 2), part))]


def chosen(kinds: int) -> list[str]:
    names = ("PART", "SMALL", "SUPPLY")[:kinds]
    parts = [{"sku": sku, "quantity": 1, "part_of": "l1"} for sku in names]
    return [one.message.split(" takes ")[1] for one in misplaced(items(("KIT", 1), *parts))]


FINE, ADD_ONE = (True, ""), (False, "add 1 x SUPPLY")
COMING = (8, 6, "BACKORDER")
CASES = [
    at("needed parts", requires_all, 3, ((False, "add 1 x PART"), FINE, FINE)),
    at("needed targets", requires_any, 4, ((False, "add 1 x PART"), FINE, FINE)),
    at("plans", gated, 4, ((False, "add 1 x PLAN"), FINE, FINE)),
    at("fewest of a range", counted, 2, FROM),
    at("most of a range", counted, 6, UP_TO),
    at("sum", summed, 4, (FINE, FINE, ADD_ONE)),
    at("sum of two", summed, 8, (ADD_ONE, ADD_ONE, (False, "add 2 x SUPPLY"))),
    at("packed", packed, 4, (FINE, FINE, ADD_ONE)),
    at("ratio", ratio, 3, (2, 2, 3)),
    at("least quantity", ordered, 4, (False, True, False)),
    at("most quantity", ordered, 10, (False, True, False)),
    at("nearest least", legal, 4, ("order 4 x AA", "", "order 6 x AA")),
    at("nearest most", legal, 10, ("order 10 x AA", "", "order 10 x AA")),
    at("shortest term", term, 12, FROM),
    at("longest term", term, 60, UP_TO),
    at("certificate", certified, TODAY, UP_TO),
    at("first day of a rule", in_force, TODAY, FROM),
    at("last day of a rule", in_force, TODAY + 9 * ONE, UP_TO),
    at("last order date", sellable, TODAY, UP_TO),
    at("announced end", announced, TODAY, UP_TO),
    at("shelf", shelf, 8, ((7, 1, ""), (8, 1, ""), COMING)),
    at("what is on its way", shelf, 12, (COMING, COMING, (8, 30, "BACKORDER"))),
    at("needed by", lambda day: shelf(1, day)[2], TODAY + ONE, ("LATE", "", "")),
    at("weight", carried, 10, UP_TO),
    at("parts of a bundle", part_of, 6, ([], [], ["BUNDLE_COUNT"])),
    at("least of a group", chosen, 1, (["at least 1 of extras, has 0."], [], [])),
    at("most of a group", chosen, 2, ([], [], ["at most 2 of extras, has 3."])),
]


@pytest.mark.parametrize(("ask", "values", "expected"), CASES)
def test_a_threshold_is_where_it_says(
    ask: Callable[[Any], Any], values: tuple[Any, ...], expected: tuple[Any, ...]
) -> None:
    assert tuple(ask(value) for value in values) == expected


@pytest.mark.parametrize(
    ("days", "ready"), [(-1, 30), (0, 30), (1, 2), (28, 29), (29, 30), (30, 30)]
)
def test_a_delivery_counts_from_the_day_after_the_order_and_while_it_is_sooner(
    days: int, ready: int
) -> None:
    """What should have come by the order's day was never seen; a new build may be sooner."""
    assert shelf(12, inbound=TODAY + days * ONE)[1] == ready


def test_lines_of_one_product_share_its_shelf_and_its_delivery() -> None:
    row = rb.Stock(
        sku="AA",
        on_hand=10,
        lead_time_days=30,
        as_of=TODAY,
        inbound_date=TODAY + 5 * ONE,
        inbound_quantity=4,
    )
    found = promise(items(("AA", 7), ("AA", 5), ("AA", 2), ("AA", 1)), {"AA": row}, TODAY, None, ())
    days = [(one.promise_date - TODAY).days for one in found.lines if one.promise_date]
    assert [one.available for one in found.lines] == [7, 3, 0, 0]
    assert days == [1, 6, 6, 30]


@pytest.mark.parametrize(
    ("devices", "exact"), [(EXACT - 1, True), (EXACT, True), (EXACT + 1, False)]
)
def test_packing_is_exact_up_to_its_bound(devices: int, *, exact: bool) -> None:
    """First fit puts 4 + 4 and 3 + 3 + 3 into tens and strands a 3; 4 + 3 + 3 twice fits."""
    fillers = devices - 6
    loads = [(4, 2), (3, 4), (20, fillers)]
    bins = [(10, 2), (20, fillers)]
    assert (not any(unplaced(loads, bins))) is exact


def test_the_fewest_bins_are_added_the_smaller_dropped_first() -> None:
    assert fewest([(60, 4)], [], [(120, 4)]) == [2]
    assert fewest([(60, 4)], [(120, 1)], [(120, 4)]) == [1]
    assert fewest([(60, 2), (30, 2)], [], [(60, 2), (120, 2)]) == [0, 2]
    assert fewest([(60, 2), (30, 2)], [], [(60, 2), (120, 1)]) == [1, 1]
    assert fewest([(60, 2)], [(120, 1)], [(60, 1), (120, 1)]) == [0, 0]


def test_pieces_of_a_box_count_in_every_rule() -> None:
    box = {"sku": "BOXED", "quantity": 1, "unit": "box"}
    ten = rule("qty_policy", "BOXED", minimum=10, maximum=10)
    assert passes(ten, box)
    assert not passes(ten, ("BOXED", 1))
    assert items(box)[0].text == "l1: 1 x BOXED (box of 10)"
    assert items(("BOXED", 10))[0].text == "l1: 10 x BOXED"


@pytest.mark.parametrize(
    ("country", "allow", "deny", "may"),
    [
        ("DE", (), (), True),
        ("DE", ("DE",), (), True),
        ("DE", ("FR",), (), False),
        ("DE", (), ("DE",), False),
        ("DE", (), ("FR",), True),
        ("DE", ("DE",), ("DE",), False),
    ],
)
def test_a_region_is_allowed_unless_denied(
    country: str, allow: tuple[str, ...], deny: tuple[str, ...], *, may: bool
) -> None:
    assert passes(rule("region", "AA", allow=allow, deny=deny), ("AA", 1), country=country) is may


def test_a_number_that_is_not_known_is_for_a_person_and_a_yes_is_no_number() -> None:
    one = rule("attr_sum_le", "ODD", **SUM)
    (problem,) = check_together([one], items(("ODD", 1), ("SUPPLY", 1)), CATALOG, TODAY)
    assert problem.finding.code == "ATTRIBUTE_UNKNOWN"


def test_a_sum_without_targets_is_judged_unless_it_says_not_to() -> None:
    assert together(rule("attr_sum_le", "AA", **SUM, offer=["SUPPLY"]), ("AA", 1)) == (
        False,
        "add 1 x SUPPLY",
    )
    assert together(rule("attr_sum_le", "AA", **SUM, only_with_targets=True), ("AA", 9)) == FINE
