from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from servers.catalog.configuration import check
from servers.toolkit.findings import Severity

TODAY = date(2026, 11, 23)


@pytest.fixture(scope="session")
def judge(rules: Any, catalog: Any, to: Any, lines: Any) -> Any:
    def run(*parts: Any, country: str = "DE", day: date = TODAY) -> Any:
        result = check(lines(*parts), rules, catalog, to(country, day))
        return {(f.code, f.severity.value) for f in result.findings if f.severity != Severity.INFO}

    return run


@pytest.mark.parametrize(
    ("sku", "country", "expected"),
    [
        ("VPN-G100", "IR", {("EXPORT_EMBARGO", "blocked")}),
        ("CAM-T2", "BY", {("EXPORT_EMBARGO", "blocked")}),
        ("SW-P8-120", "IR", {("EXPORT_REVIEW", "needs_human")}),
        ("SUB-DM-STD", "RU", {("EXPORT_REVIEW", "needs_human")}),
        ("RT-E4-LTE", "AE", {("EXPORT_LICENCE", "needs_human")}),
        ("CAM-T2", "AE", {("EXPORT_LICENCE", "needs_human")}),
        ("RT-E4-LTE", "US", set()),
        ("RT-E4-LTE", "NO", set()),
        ("VPN-G500", "IE", set()),
        ("CAM-T4-PTZ", "DE", {("EXPORT_UNCLASSIFIED", "needs_human")}),
        (
            "RT-E4-LTE",
            "BR",
            {("EXPORT_LICENCE", "needs_human"), ("CERTIFICATION_UNKNOWN", "needs_human")},
        ),
        ("SW-P8-120", "BR", {("CERTIFICATION_UNKNOWN", "needs_human")}),
        ("SUB-DM-STD", "BR", set()),
        ("CAM-LPR", "US", {("CERTIFICATE_MISSING", "error")}),
        ("CAM-X2", "FR", {("CERTIFICATE_MISSING", "error")}),
        ("SEN-V1-EX", "FR", set()),
        ("BAT-L480", "CH", set()),
        ("SVC-INST-D", "US", {("REGION_BLOCKED", "error")}),
        ("SVC-INST-D", "NO", set()),
        ("SVC-TRAVEL-EU", "CH", {("REGION_BLOCKED", "error")}),
        ("SUB-SIM-5", "US", {("REGION_BLOCKED", "error")}),
        ("PWC-C13-UK", "IE", set()),
        ("PWC-C13-UK", "DE", {("PLUG_COUNTRY", "warning")}),
        ("PWC-C13-EU", "GB", {("PLUG_COUNTRY", "warning")}),
        ("PWC-C13-C14", "GB", set()),
    ],
)
def test_where_things_may_go(
    judge: Any, sku: str, country: str, expected: set[tuple[str, str]]
) -> None:
    assert judge((sku, 1), country=country) == expected


def test_an_embargo_names_its_list(rules: Any, catalog: Any, to: Any, lines: Any) -> None:
    result = check(lines(("VPN-G100", 3)), rules, catalog, to("IR"))
    assert not result.ok
    (found,) = result.findings
    assert found.evidence[:3] == ["l1: 3 x VPN-G100", "ECCN 5A002", "destination IR"]
    assert "version 2026-10 of 2026-10-01" in found.evidence[3]


def test_what_needs_a_person_leaves_ok_true(rules: Any, catalog: Any, to: Any, lines: Any) -> None:
    assert check(lines(("RT-E4-LTE", 4), ("SW-P8-120", 6)), rules, catalog, to("AE")).ok


def test_a_house_without_certification_rules_says_so_and_asks_nobody(
    rules: Any, catalog: Any, to: Any, lines: Any
) -> None:
    nowhere = replace(to("BR"), known_countries=frozenset())
    found = check(lines(("SW-P8-120", 1)), [], catalog, nowhere).findings
    assert [(one.code, one.severity) for one in found] == [("CERTIFICATION_OFF", Severity.INFO)]


def test_a_certificate_counts_until_its_last_day(judge: Any) -> None:
    assert judge(("CAM-X2", 1), country="FR", day=date(2026, 9, 30)) == set()
    assert judge(("CAM-X2", 1), country="FR", day=date(2026, 10, 1)) != set()


def test_the_last_order_day_still_counts(judge: Any) -> None:
    assert judge(("SW-P24-350", 1), day=date(2026, 6, 30)) == set()
    assert judge(("SW-P24-350", 1), day=date(2026, 7, 1)) == {("EOL", "error")}


def test_a_product_at_its_end_names_its_successor(
    rules: Any, catalog: Any, to: Any, lines: Any
) -> None:
    (found,) = check(lines(("SW-P24-350", 2)), rules, catalog, to("DE")).findings
    assert found.fix == "replace SW-P24-350 by SW-P24-370"


def test_an_announced_end_is_a_remark(rules: Any, catalog: Any, to: Any, lines: Any) -> None:
    result = check(lines(("SFP-100M-FX", 2)), rules, catalog, to("DE"))
    assert [(f.code, f.severity) for f in result.findings] == [("LAST_ORDER", Severity.INFO)]


@pytest.mark.parametrize(
    ("sku", "quantity", "legal"),
    [("MNT-BLANK", 5, 8), ("MNT-BLANK", 1, 4), ("SVC-LABEL", 3, 20), ("MNT-CAB-42U", 30, 10)],
)
def test_a_wrong_quantity_comes_with_the_nearest_right_one(
    rules: Any, catalog: Any, to: Any, lines: Any, sku: str, quantity: int, legal: int
) -> None:
    (found,) = check(lines((sku, quantity)), rules, catalog, to("DE")).findings
    assert (found.code, found.fix) == ("QTY_POLICY", f"order {legal} x {sku}")


def test_right_quantities_pass(judge: Any) -> None:
    assert judge(("MNT-BLANK", 8), ("SVC-LABEL", 20), ("MNT-CAB-42U", 10)) == set()


@pytest.mark.parametrize(
    ("sku", "unit", "fine"),
    [
        ("SVC-INST-D", "day", True),
        ("SVC-INST-D", "each", True),
        ("SVC-INST-D", "hour", False),
        ("SUB-DM-PRO", "license", True),
        ("SUB-DM-PRO", "each", True),
        ("SW-P8-120", "box", False),
    ],
)
def test_units(judge: Any, sku: str, unit: str, fine: bool) -> None:
    found = judge({"sku": sku, "quantity": 2, "unit": unit})
    assert (found == set()) == fine


def test_terms(judge: Any) -> None:
    assert judge({"sku": "SUB-DM-PRO", "quantity": 250, "term_months": 24}) == set()
    assert judge({"sku": "SUB-DM-PRO", "quantity": 1, "term_months": 72}) == {("TERM", "error")}
    assert judge({"sku": "SW-P8-120", "quantity": 1, "term_months": 12}) == set()  # a remark only
