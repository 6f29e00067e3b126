from typing import Any

import pytest

from servers.catalog.selection import join
from servers.catalog.shipping import options
from servers.catalog.store.rules import find_rules, find_shipping_network
from servers.toolkit.findings import Severity


@pytest.fixture
def ship(session: Any, catalog: Any, lines: Any) -> Any:
    network = find_shipping_network(session, find_rules(session, "hazmat"))

    def run(*parts: Any, country: str = "IE", prefer: Any = None, changed: Any = None) -> Any:
        items, _ = join(lines(*parts), {**catalog, **(changed or {})})
        return options(items, country, network, prefer)

    return run


@pytest.mark.parametrize(
    ("country", "recommended"),
    [
        ("DE", "ROAD-STD"),
        ("IE", "ROAD-STD"),
        ("GB", "ROAD-STD"),
        ("CH", "ROAD-STD"),
        ("NO", "ROAD-STD"),
        ("US", "AIR-STD"),
        ("AE", "AIR-STD"),
    ],
)
def test_the_usual_way(ship: Any, country: str, recommended: str) -> None:
    result = ship(("SW-P8-120", 12), country=country)
    assert (result.recommended, result.findings) == (recommended, [])


def test_every_option_says_why(ship: Any) -> None:
    result = ship(("SW-P8-120", 1))
    assert {o.method: o.allowed for o in result.options} == {
        "ROAD-STD": True,
        "ROAD-EXP": True,
        "AIR-STD": True,
        "PICKUP": True,
        "DIGITAL": False,
    }
    assert all(option.reason for option in result.options)


def test_what_weighs_nothing_is_sent_digitally(ship: Any) -> None:
    result = ship(("SUB-DM-PRO", 250), ("SVC-INST-D", 2), country="DE")
    assert result.recommended == "DIGITAL"
    assert [o.method for o in result.options if o.allowed] == ["DIGITAL"]


def test_lithium_does_not_fly(ship: Any) -> None:
    result = ship(("BAT-L480", 6), country="CH", prefer="air")
    (air,) = [o for o in result.options if o.mode == "air"]
    assert not air.allowed
    assert "UN3480" in air.reason
    assert result.recommended == "ROAD-STD"
    (found,) = result.findings
    assert (found.code, found.severity, found.fix) == (
        "HAZMAT_MODE",
        Severity.WARNING,
        "ship by road",
    )


def test_lithium_by_road_is_a_remark(ship: Any) -> None:
    (found,) = ship(("BAT-L480", 6), country="CH").findings
    assert (found.code, found.severity) == ("HAZMAT_MODE", Severity.INFO)


def test_lithium_overseas_goes_by_sea(ship: Any) -> None:
    result = ship(("BAT-L480", 6), ("SW-P8-120", 1), country="US")
    assert result.recommended == "SEA-STD"
    assert [f.severity for f in result.findings] == [Severity.INFO]


@pytest.mark.parametrize(
    ("sku", "flies"),
    [("UPS-R1500", True), ("SEN-T4-W", True), ("UPS-D600-L", False), ("BAT-CELL-AA", False)],
)
def test_which_batteries_fly(ship: Any, sku: str, flies: bool) -> None:
    (air,) = [o for o in ship((sku, 1)).options if o.mode == "air"]
    assert air.allowed == flies


def test_a_un_number_nobody_knows_goes_nowhere(ship: Any, catalog: Any) -> None:
    odd = catalog["BAT-L480"].model_copy(update={"un_number": "UN9999"})
    result = ship(("BAT-L480", 1), changed={"BAT-L480": odd})
    assert result.recommended is None
    assert "nothing is on file" in result.options[0].reason
    assert [(f.code, f.severity) for f in result.findings] == [
        ("NO_SHIPPING", Severity.NEEDS_HUMAN)
    ]


def test_a_preference_is_followed_when_it_is_allowed(ship: Any) -> None:
    assert ship(("SW-P8-120", 1), prefer="air").recommended == "AIR-STD"
    assert ship(("SW-P8-120", 1), prefer="pickup").recommended == "PICKUP"
    assert ship(("SW-P8-120", 1), prefer="sea").recommended == "ROAD-STD"


def test_too_heavy_for_the_plane(ship: Any) -> None:
    result = ship(("MNT-CAB-42U", 5), country="US", prefer="air")
    assert result.recommended == "SEA-STD"
    assert "560000 g" in next(o.reason for o in result.options if o.mode == "air")


def test_an_unknown_weight_needs_a_person(ship: Any, catalog: Any) -> None:
    light = catalog["SW-P8-120"].model_copy(update={"weight_g": None})
    result = ship(("SW-P8-120", 1), changed={"SW-P8-120": light})
    assert [(f.code, f.severity) for f in result.findings] == [
        ("WEIGHT_UNKNOWN", Severity.NEEDS_HUMAN)
    ]
