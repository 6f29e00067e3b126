from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from servers.catalog.configuration import check, complete
from servers.catalog.schemas import LineIn
from servers.toolkit.findings import Severity, at_least

SHARED = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="session")
def judge(rules: Any, catalog: Any, to: Any, lines: Any) -> Any:
    def run(*parts: Any, country: str = "IE") -> Any:
        return check(lines(*parts), rules, catalog, to(country))

    return run


@pytest.fixture(scope="session")
def mend(rules: Any, catalog: Any, to: Any, lines: Any) -> Any:
    def run(*parts: Any, country: str = "IE") -> Any:
        return complete(lines(*parts), rules, catalog, to(country))

    return run


def serious(result: Any) -> list[str]:
    return [f.code for f in result.findings if at_least(f, Severity.WARNING)]


def test_a_plain_order_of_switches_has_nothing_to_say(judge: Any) -> None:
    result = judge(("SW-P8-120", 12), ("SW-P16-240", 3))
    assert (result.ok, result.findings) == (True, [])


@pytest.mark.parametrize("country", ["DE", "IE", "GB", "CH", "NO", "US", "AE"])
@pytest.mark.parametrize(
    "sku",
    [
        "SW-P8-120",
        "SW-P16-240",
        "SW-P24-370",
        "SEN-T4",
        "SEN-V1",
        "CAM-D4",
        "UPS-D250",
        "CBL-C6-05",
    ],
)
def test_plain_goods_have_no_warning_anywhere_we_sell(judge: Any, sku: str, country: str) -> None:
    assert serious(judge((sku, 10), country=country)) == []


@pytest.mark.parametrize(
    ("parts", "code", "fix"),
    [
        ([("SRV-R1-64", 3)], "MISSING_PART", "add 3 x PSU-R550"),
        ([("SRV-R2-128", 2)], "MISSING_PART", "add 4 x PSU-R800"),
        ([("SRV-R2-128", 2), ("PSU-R800", 3)], "MISSING_PART", "add 1 x PSU-R800"),
        ([("SRV-R3-256", 1)], "MISSING_PART", "add 2 x PSU-R1200"),
        ([("SRV-D1-16", 6)], "POWER_BUDGET", "add 6 x PSU-D120-24"),
        ([("SRV-D2-32", 2), ("PSU-D60-24", 2)], "POWER_BUDGET", "add 2 x PSU-D120-24"),
        ([("SW-U8", 1)], "POWER_BUDGET", "add 1 x PSU-D60-24"),
        ([("SRV-D1-16", 3), ("PSU-D120-24", 2)], "POWER_BUDGET", "add 1 x PSU-D120-24"),
        ([("SRV-D1-16", 1), ("PSU-D120-48", 1)], "VOLTAGE_MISMATCH", ""),
        ([("SUB-AN-ADV", 40)], "PLAN_REQUIRED", "add 40 x SUB-DM-PRO"),
        ([("SUB-AN-ADV", 40), ("SUB-DM-STD", 40)], "PLAN_REQUIRED", "add 40 x SUB-DM-PRO"),
        ([("SUB-AN-ADV", 40), ("SUB-DM-PRO", 30)], "PLAN_REQUIRED", "add 10 x SUB-DM-PRO"),
        ([("SUB-AN-PRED", 2)], "PLAN_REQUIRED", "add 2 x SUB-AN-ADV"),
        ([("SUB-ALERT", 9)], "PLAN_REQUIRED", "add 1 x SUB-DM-STD or add 1 x SUB-DM-PRO"),
        ([("CBL-F-LC-10", 4), ("SW-P8-120", 1)], "FIBRE_PORT", "take a copper patch cable"),
        ([("SFP-10G-LR", 2), ("SW-F8-SFP", 1)], "SPEED_MISMATCH", "take SFP-1G-LX"),
        ([("CAM-P8", 2), ("SW-P8-120", 1)], "POE_CLASS", "add 1 x SW-PP8-480"),
        ([("SRV-R2-128", 1), ("PSU-R800", 2), ("SRV-GPU-24", 3)], "GPU_SLOTS", "fewer cards"),
        ([("SEN-T4-W", 201), ("SEN-GW-L", 1)], "GATEWAY_SEATS", "add 1 x SEN-GW-L"),
        ([("UPS-SNMP", 3), ("UPS-R1500", 2)], "TOO_MANY", "order 2 x UPS-SNMP"),
        ([("SVC-SUP-8X5", 1), ("SVC-SUP-24X7", 1)], "PLAN_OVERLAP", "remove SVC-SUP-8X5"),
        ([("PSU-R1200", 2), ("PWC-C13-EU", 2)], "CORD_TOO_LIGHT", "add 2 x PWC-C19-EU"),
    ],
)
def test_what_does_not_fit_is_said_with_its_mending(
    judge: Any, parts: list[tuple[str, int]], code: str, fix: str
) -> None:
    found = [f for f in judge(*parts).findings if f.code == code]
    assert len(found) == 1
    assert found[0].fix.startswith(fix)
    assert found[0].rule_id
    assert found[0].evidence


@pytest.mark.parametrize(
    "parts",
    [
        [("SRV-R2-128", 2), ("PSU-R800", 4)],
        [("SRV-D1-16", 1), ("PSU-D120-24", 1)],
        [("SRV-D1-16", 3), ("PSU-D240-24", 1)],
        [("SRV-D2-32", 2), ("PSU-D240-24", 1)],
        [("SRV-D1-16", 1), ("PSU-D120-48", 1), ("PSU-D120-24", 1)],
        [("SUB-AN-ADV", 40), ("SUB-DM-PRO", 40)],
        [("CBL-F-LC-10", 4), ("SW-F8-SFP", 1)],
        [("CBL-F-LC-10", 4)],
        [("CBL-F-LC-10", 4), ("SW-P24-370", 1)],
        [("SFP-10G-LR", 2), ("SW-L24-10G", 1)],
        [("SFP-10G-LR", 2)],
        [("CAM-P8", 2), ("SW-PP8-480", 1)],
    ],
)
def test_what_fits_passes(judge: Any, parts: list[tuple[str, int]]) -> None:
    result = judge(*parts)
    assert result.ok
    assert serious(result) == []


def test_a_fibre_switch_without_modules_is_a_remark_only(judge: Any) -> None:
    result = judge(("SW-F8-SFP", 1))
    assert [(f.code, f.severity) for f in result.findings] == [("SFP_NOT_INCLUDED", Severity.INFO)]
    assert judge(("SW-F8-SFP", 1), ("SFP-1G-LX", 8)).findings == []


def test_the_numbers_stand_in_the_evidence(judge: Any) -> None:
    (found,) = judge(("SRV-D1-16", 3), ("PSU-D120-24", 2)).findings
    assert "l1: 3 x SRV-D1-16: 65 W each" in found.evidence
    assert "used 195 W, provided 240 W" in found.evidence
    assert "1 x SRV-D1-16 without a supply" in found.evidence


def test_an_alternative_is_judged_in_the_place_of_its_original(judge: Any) -> None:
    other = {"sku": "SVC-SUP-24X7", "quantity": 1, "alternative_of": "l1"}
    assert judge(("SVC-SUP-8X5", 1), other).findings == []
    server = {"sku": "SRV-R1-64", "quantity": 1, "alternative_of": "l1"}
    result = judge(("SRV-D1-16", 1), ("PSU-D120-24", 1), server)
    assert [(f.code, f.subject) for f in result.findings if f.severity is Severity.ERROR] == [
        ("MISSING_PART", "l3")
    ]


def test_an_unknown_sku_is_an_error_that_names_the_line(judge: Any) -> None:
    result = judge(("SW-P9-999", 1), ("SW-P8-120", 1))
    assert not result.ok
    assert [(f.code, f.subject) for f in result.findings] == [("UNKNOWN_SKU", "l1")]


def test_missing_watts_need_a_person(rules: Any, catalog: Any, to: Any, lines: Any) -> None:
    server = catalog["SRV-D1-16"]
    silent = {k: v for k, v in server.attributes.items() if k != "watts"}
    changed = {**catalog, server.sku: server.model_copy(update={"attributes": silent})}
    result = check(lines((server.sku, 1), ("PSU-D120-24", 1)), rules, changed, to("DE"))
    assert [(f.code, f.severity) for f in result.findings] == [
        ("ATTRIBUTE_UNKNOWN", Severity.NEEDS_HUMAN)
    ]


def added(result: Any) -> dict[str, int]:
    together: dict[str, int] = {}
    for addition in result.additions:
        together[addition.sku] = together.get(addition.sku, 0) + addition.quantity
    return together


def test_completion_of_servers_and_plans(mend: Any) -> None:
    result = mend(("SRV-R2-128", 2), ("SUB-AN-PRED", 3), ("SRV-D2-32", 4))
    assert added(result) == {
        "PSU-R800": 4,
        "SUB-AN-ADV": 3,
        "SUB-DM-PRO": 3,
        "PSU-D120-24": 4,
    }
    assert {a.for_line for a in result.additions if a.sku.startswith("SUB")} == {"l2"}
    assert result.findings == []


def test_a_supply_each_unless_another_one_carries_it_too(mend: Any) -> None:
    assert added(mend(("SRV-D1-16", 6))) == {"PSU-D120-24": 6}
    assert added(mend(("SRV-D1-16", 1), ("SW-U8", 2))) == {"PSU-D120-24": 1}
    assert added(mend(("SW-U8", 12))) == {"PSU-D60-24": 2}


def test_completion_adds_nothing_to_what_passes(mend: Any) -> None:
    assert mend(("SW-P8-120", 12)).additions == []
    assert mend(("SRV-D1-16", 3), ("PSU-D240-24", 1)).additions == []


def test_what_no_addition_mends_comes_back(mend: Any) -> None:
    result = mend(("SW-P8-60", 4), ("SRV-R1-64", 1), ("CBL-F-LC-10", 1))
    assert added(result) == {"PSU-R550": 1}
    assert {f.code for f in result.findings} == {"EOL", "FIBRE_PORT"}


def test_a_completion_beyond_the_bound_of_a_line_still_ends(mend: Any) -> None:
    assert added(mend(("SRV-R2-128", 60_000))) == {"PSU-R800": 120_000}


SOLD = (
    "SRV-R1-64",
    "SRV-R2-128",
    "SRV-R3-256",
    "SRV-D1-16",
    "SRV-D2-32",
    "SW-U8",
    "SUB-AN-ADV",
    "SUB-AN-PRED",
    "CAM-P8",
    "SUB-ALERT",
    "SW-P8-120",
    "PSU-R800",
    "PSU-D120-24",
    "SUB-DM-PRO",
    "SEN-T4-W",
    "CAM-D4",
)


@SHARED
@given(st.lists(st.tuples(st.sampled_from(SOLD), st.integers(1, 40)), min_size=1, max_size=6))
def test_a_completed_configuration_passes_and_is_complete(
    mend: Any, judge: Any, parts: list[tuple[str, int]]
) -> None:
    result = mend(*parts)
    assert result.findings == []
    whole = [*parts, *((a.sku, a.quantity) for a in result.additions)]
    assert judge(*whole).ok
    assert mend(*whole).additions == []
    for left_out in range(len(result.additions)):
        rest = [a for place, a in enumerate(result.additions) if place != left_out]
        assert not judge(*parts, *((a.sku, a.quantity) for a in rest)).ok


@SHARED
@given(st.permutations([("SRV-R2-128", 2), ("PSU-R800", 4), ("SW-P8-120", 3), ("SRV-D1-16", 2)]))
def test_the_order_of_lines_changes_no_judgement(judge: Any, parts: list[tuple[str, int]]) -> None:
    assert sorted(f.code for f in judge(*parts).findings) == [
        "CORD_NOT_QUOTED",
        "POWER_BUDGET",
        "RAILS_NOT_QUOTED",
    ]


def test_the_digest_is_of_the_lines_alone(judge: Any) -> None:
    first = judge(("SW-P8-120", 12)).lines_digest
    assert first == judge(("SW-P8-120", 12), country="US").lines_digest
    assert first != judge(("SW-P8-120", 13)).lines_digest
    assert len(first) == 64


def test_the_digest_is_canonical() -> None:
    from servers.catalog.selection import digest_of_lines

    short = LineIn(line_id="l1", sku="SW-P8-120", quantity=1)
    long = LineIn.model_validate(
        {"quantity": 1, "sku": "SW-P8-120", "line_id": "l1", "optional": False, "unit": "each"}
    )
    assert digest_of_lines([short]) == digest_of_lines([long])
