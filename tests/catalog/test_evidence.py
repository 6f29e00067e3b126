"""What findings give as evidence and as a cure, rule by rule, word for word."""

from datetime import timedelta
from typing import Any

import pytest

from servers.catalog import rulebook as rb
from servers.catalog.compatibility import check_together
from servers.catalog.eligibility import (
    Destination,
    check_each,
    old_lists,
    unknown_jurisdiction,
)
from servers.catalog.schemas import Product
from servers.catalog.selection import Item
from servers.catalog.shipping import ShippingNetwork, options
from servers.catalog.substitutes import suggest

from .conftest import TODAY, lines_of
from .test_thresholds import CATALOG, SUM, items, product, rule

ONE = timedelta(days=1)


def each(one: Any, *parts: Any, country: str = "DE", **more: Any) -> list[tuple[list[str], str]]:
    found = check_each([one], items(*parts), Destination(country, TODAY, **more))
    return [(finding.evidence, finding.fix) for finding in found]


def lifecycle(state: str, one: Product, **catalog: Product) -> list[tuple[list[str], str]]:
    item = Item(lines_of((one.sku, 2))[0], one)
    where = Destination("DE", TODAY, catalog=catalog)
    found = check_each([rule("lifecycle", one.sku, state=state)], [item], where)
    return [(finding.evidence, finding.fix) for finding in found]


def test_what_has_ended_names_its_last_day_and_its_successor() -> None:
    gone = product("OLD", lifecycle="eol", last_order_date=TODAY - ONE, successor_sku="NEW")
    said = ["l1: 2 x OLD", "lifecycle eol, last order date 2026-11-22, order date 2026-11-23"]
    sold = product("NEW")
    assert lifecycle("ended", gone, NEW=sold) == [([*said, "successor NEW"], "replace OLD by NEW")]
    other = "choose another product; suggest_substitutes names some"
    assert lifecycle("ended", gone) == [([*said, "successor NEW"], other)]
    ended = product("NEW", lifecycle="eol")
    assert lifecycle("ended", gone, NEW=ended) == [([*said, "successor NEW"], other)]
    lone = gone.model_copy(update={"successor_sku": None})
    assert lifecycle("ended", lone) == [(said, other)]
    assert lifecycle("planned", gone) == lifecycle("announced", gone) == []
    planned = product("OLD", lifecycle="planned")
    assert lifecycle("ended", planned) == []
    assert len(lifecycle("planned", planned)) == 1


def test_a_region_names_where_it_is_sold() -> None:
    assert each(rule("region", "AA", allow=["FR", "IT"]), ("AA", 1)) == [
        (["l1: 1 x AA", "destination DE", "sold to FR, IT"], "")
    ]
    assert each(rule("region", "AA", deny=["DE"]), ("AA", 1)) == [
        (["l1: 1 x AA", "destination DE"], "")
    ]


def test_a_certificate_that_is_missing_or_ended_is_named() -> None:
    asks = rule("certification", "AA", countries=["DE"], schemes=["CE", "TUV"])
    said = ["l1: 1 x AA", "DE asks for CE or TUV"]
    assert each(asks, ("AA", 1)) == [([*said, "no certificate on file"], "")]
    assert each(asks, ("AA", 1), country="FR") == []

    def paper(scheme: str, sku: str, day: Any) -> rb.Certificate:
        covers = rb.Selector(skus=(sku,))
        return rb.Certificate(scheme=scheme, certificate_no="7", covers=covers, expires=day)

    late = paper("CE", "AA", TODAY - ONE)
    assert each(asks, ("AA", 1), certificates=[late]) == [([*said, "CE 7 expired 2026-11-22"], "")]
    for other in (paper("UL", "AA", None), paper("CE", "BIG", None)):
        assert len(each(asks, ("AA", 1), certificates=[other])) == 1
    for good in (paper("TUV", "AA", None), paper("CE", "AA", TODAY)):
        assert each(asks, ("AA", 1), certificates=[late, good]) == []


def listed(test: str, *countries: str) -> rb.ExportList:
    said = {"list_id": test, "test": test, "name": "List", "version": "3", "source": "s"}
    return rb.ExportList.model_validate({**said, "date": TODAY, "countries": countries})


@pytest.mark.parametrize(
    ("test", "lists", "more"),
    [
        ("embargo", [], None),
        ("embargo", [("embargo", "FR")], None),
        ("embargo", [("embargo", "DE")], ["list: List, version 3 of 2026-11-23"]),
        ("licence", [("licence_free", "DE")], None),
        ("licence", [("embargo", "DE")], None),
        ("licence", [], ["DE is not on it"]),
        (
            *("licence", [("licence_free", "FR")]),
            ["list: List, version 3 of 2026-11-23", "DE is not on it"],
        ),
        ("unclassified", [], None),
    ],
)
def test_export_names_the_list_and_its_day(test: str, lists: Any, more: list[str] | None) -> None:
    known = [listed(name, country) for name, country in lists]
    said = ["l1: 1 x AA", "ECCN N", "destination DE"]
    expected = [] if more is None else [([*said, *more], "")]
    assert each(rule("export", "AA", test=test), ("AA", 1), lists=known) == expected


def test_what_nobody_classified_is_said() -> None:
    bare = Item(lines_of(("XX", 1))[0], product("XX", eccn=None))
    (found,) = check_each(
        [rule("export", "XX", test="unclassified")], [bare], Destination("DE", TODAY)
    )
    assert found.evidence == ["l1: 1 x XX", "ECCN unknown", "destination DE"]


def test_units_terms_and_plugs_say_what_is_allowed() -> None:
    box = {"sku": "AA", "quantity": 1, "unit": "box"}
    assert each(rule("unit", "AA"), box) == [
        (["l1: 1 x AA", "unit box, sold by each"], "give the quantity by each")
    ]
    assert each(rule("unit", "BOXED"), {**box, "sku": "BOXED"}) == []
    year = {"sku": "SUB", "quantity": 1, "term_months": 13}
    assert each(rule("term", "SUB", maximum=12), year) == [
        (["l1: 1 x SUB", "term 13 months, allowed 1 to 12"], "")
    ]
    plug = rule("country_attr", "AA", attribute="plug", countries={"EU": ["DE"], "UK": ["GB"]})
    assert each(plug, ("AA", 1)) == each(plug, ("AA", 1), country="US") == []
    assert each(plug, ("AA", 1), country="GB") == [(["l1: 1 x AA", "plug EU", "GB uses UK"], "")]


@pytest.mark.parametrize(
    ("sku", "country", "known", "embargo", "said"),
    [
        ("AA", "BR", (), False, True),
        ("AA", "BR", ("BR",), False, False),
        ("AA", "BR", (), True, False),
        ("SUB", "BR", (), False, False),
    ],
)
def test_a_country_no_rule_covers_goes_to_a_person_for_goods(
    sku: str, country: str, known: tuple[str, ...], *, embargo: bool, said: bool
) -> None:
    lists = [listed("embargo", country)] if embargo else []
    where = Destination(country, TODAY, lists=lists, known_countries=frozenset(known))
    found = unknown_jurisdiction(items((sku, 1)), where)
    assert (found is not None) is said


@pytest.mark.parametrize(("age", "old"), [(29, False), (30, False), (31, True)])
def test_a_list_past_its_own_limit_is_said(age: int, *, old: bool) -> None:
    of = TODAY - timedelta(days=age)
    dated = listed("embargo", "XX").model_copy(update={"date": of, "max_age_days": 30})
    undated = dated.model_copy(update={"max_age_days": None})
    found = old_lists(Destination("DE", TODAY, lists=[dated, undated]))
    assert [one.code for one in found] == (["EXPORT_LIST_STALE"] if old else [])


def together(one: Any, *parts: Any) -> list[list[str]]:
    found = check_together([one], items(*parts), CATALOG, TODAY)
    return [problem.finding.evidence for problem in found]


def test_lines_together_say_what_was_needed_and_what_is_there() -> None:
    parts = {"parts": [{"sku": "PART"}, {"sku": "BIG", "ratio": {"count": 2}}]}
    assert together(rule("requires_all", "AA", **parts), ("AA", 2), ("PART", 3)) == [
        ["l1: 2 x AA", "needs 2 x PART, has 2", "needs 4 x BIG, has 0"]
    ]
    some = rule("requires_any", "AA", targets={"skus": ["PART"]})
    assert together(some, ("AA", 2), ("PART", 1)) == [["l1: 2 x AA", "needs 2, has 1"]]
    plan = rule("plan_gate", "SUB", plans=["PLAN", "PART"])
    assert together(plan, ("SUB", 2)) == [["l1: 2 x SUB", "needs 2 x PLAN or PART, has 0"]]
    apart = rule("excludes", "AA", targets={"skus": ["BIG", "AA"]})
    assert together(apart, ("AA", 1)) == []
    assert together(apart, ("AA", 1), ("BIG", 1)) == [["l1: 1 x AA", "l2: 1 x BIG"]]
    span = rule("count_range", "PART", per={"skus": ["AA"]}, minimum=1, maximum=2)
    assert together(span, ("PART", 9)) == []
    assert together(span, ("PART", 9), ("AA", 2)) == [
        ["l1: 9 x PART", "2 to fit into, so 2 to 4, has 9"]
    ]


def test_a_sum_says_what_each_uses_and_gives() -> None:
    short = rule("attr_sum_le", "AA", **SUM, unit=" W")
    assert together(short, ("AA", 5), ("SUPPLY", 1)) == [
        ["l1: 5 x AA: 30 W each", "l2: 1 x SUPPLY: 120 W each", "used 150 W, provided 120 W"]
    ]
    packed = rule("attr_sum_le", "BIG", **SUM, pack=True)
    assert together(packed, ("BIG", 3), ("SUPPLY", 1))[0][-1] == "1 x BIG without a supply"
    lost = rule("attr_sum_le", "AA", **{**SUM, "targets": {"skus": ["PART"]}})
    assert together(lost, ("AA", 1), ("PART", 9))[0][-1] == "used 30, provided 0"


def test_a_value_is_matched_where_there_is_something_to_match() -> None:
    match = rule(
        *("attr_match", "AA"),
        targets={"skus": ["BIG", "PART", "SUPPLY"]},
        attribute="watts",
        target_attributes=["watts", "capacity"],
    )
    assert together(match, ("AA", 1)) == []
    assert together(match, ("AA", 1), ("BIG", 1)) == [["l1: 1 x AA: watts 30", "l2: 1 x BIG: 60"]]
    assert together(match, ("AA", 1), ("SUPPLY", 1))[0][-1] == "l2: 1 x SUPPLY: 120"


LAND = {"transit_days": {"EU": (1, 2)}}


def method(name: str, mode: str, **more: Any) -> rb.ShipMethod:
    return rb.ShipMethod.model_validate(
        {"method": name, "name": name, "mode": mode, **LAND, **more}
    )


def test_each_way_of_shipping_says_why_not_and_no_way_at_all_is_said() -> None:
    limit = {"un_number": "UN3480", "source": "IATA", "as_of": TODAY}
    flies = rb.HazmatMode.model_validate(
        {**limit, "mode": "air", "allowed": False, "note": "no lithium"}
    )
    ways = [method("AIR", "air"), method("ROAD", "road"), method("MAIL", "digital")]
    network = ShippingNetwork(ways, {"DE": "EU"}, "WORLD", [flies])
    found = options(items(("HOT", 1)), "DE", network)
    reasons = {one.method: one.reason for one in found.options}
    assert reasons == {
        "AIR": "HOT is UN3480: no lithium",
        "ROAD": "HOT is UN3480, and nothing is on file about it by road",
        "MAIL": "there are goods to ship",
    }
    (said,) = [one for one in found.findings if one.code == "NO_SHIPPING"]
    assert said.evidence == [f"{name}: {reason}" for name, reason in reasons.items()]
    assert found.recommended is None
    nowhere = options(items(("AA", 1)), "US", network)
    assert (nowhere.options, nowhere.findings[0].evidence) == ([], [])
    digital = options(items(("SUB", 1)), "DE", network)
    assert (digital.recommended, digital.findings) == ("MAIL", [])
    assert {one.reason for one in digital.options} == {"there is nothing to ship", "serves zone EU"}


@pytest.mark.parametrize(
    ("prefer", "recommended"),
    [(None, "ROAD"), ("air", "AIR"), ("sea", "SEA"), ("pickup", "FETCH"), ("road", "ROAD")],
)
def test_the_mode_asked_for_comes_first_and_nobody_is_sent_to_collect(
    prefer: Any, recommended: str
) -> None:
    ways = [method("FETCH", "pickup"), method("SEA", "sea"), method("AIR", "air")]
    network = ShippingNetwork([*ways, method("ROAD", "road")], {"DE": "EU"}, "WORLD", [])
    assert options(items(("AA", 1)), "DE", network, prefer).recommended == recommended
    only = ShippingNetwork(ways[:1], {"DE": "EU"}, "WORLD", [])
    assert options(items(("AA", 1)), "DE", only).recommended is None


def test_a_stand_in_is_judged_for_its_destination() -> None:
    asked, other = product("OLD", lifecycle="eol"), product("NEW")
    rows = [rb.SubstituteRow(sku="OLD", stand_in="NEW", relation="upgrade", note="n")]
    denied = rule("region", "NEW", deny=["DE"])
    rules = [denied, rule("qty_policy", "NEW", minimum=9)]
    for country, allowed in (("DE", False), ("FR", True)):
        (found,) = suggest(asked, rows, {"NEW": other}, rules, Destination(country, TODAY))
        assert (found.allowed, len(found.findings)) == (allowed, int(not allowed))
    quiet = rule("region", "NEW", deny=["DE"], severity="info")
    (found,) = suggest(asked, rows, {"NEW": other}, [quiet], Destination("DE", TODAY))
    assert (found.allowed, found.findings) == (True, [])
