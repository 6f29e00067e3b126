"""Tax: the category of a supply, and the breakdown of a document as EN 16931 has it."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from finance_support import acting, asking, everyone, line

from servers.finance.facts.customers import Exemption
from servers.finance.facts.pricing import PricingFacts
from servers.finance.facts.taxes import TaxRate
from servers.finance.facts.windows import Window
from servers.finance.pricing import price
from servers.finance.schemas import PriceRequest
from servers.finance.store.collect import collect
from servers.finance.tax.decisions import decide, rate_changes
from servers.finance.tax.stack import TaxedAmount, breakdown, step_of
from servers.toolkit.database import Database

CASES = json.loads((Path(__file__).parent / "data" / "en16931_documents.json").read_text())["cases"]
SHIP_TO = {"acc_001": "adr_003", "acc_003": "adr_009", "acc_007": "adr_021", "acc_013": "adr_040"}
DAY = date(2026, 11, 23)


@pytest.mark.parametrize("case", CASES, ids=lambda case: Path(case["file"]).stem)
def test_the_official_documents_come_out_to_the_cent(case: dict[str, Any]) -> None:
    inputs, expected = case["inputs"], case["expected"]
    parts = [
        TaxedAmount(one["vat_cat"], Decimal(one["vat_rate"] or 0), Decimal(one["net"]))
        for one in inputs["lines"]
    ]
    lines = sum((part.amount for part in parts), Decimal(0))
    for extra in inputs["doc_allowance_charges"]:
        amount = Decimal(extra["amount"]) * (1 if extra["charge"] else -1)
        parts.append(TaxedAmount(extra["vat_cat"], Decimal(extra["vat_rate"] or 0), amount))
    groups = breakdown(parts, step_of(inputs["currency"])).groups
    assert sorted((g.category, g.rate, g.taxable, g.tax) for g in groups) == sorted(
        (s["cat"], Decimal(s["rate"] or 0), Decimal(s["taxable"]), Decimal(s["tax"]))
        for s in expected["tax_subtotals"]
    )
    net = sum((group.taxable for group in groups), Decimal(0))
    total = net + sum((group.tax for group in groups), Decimal(0))
    totals = {name: Decimal(value) for name, value in expected["totals"].items()}
    assert lines == totals["LineExtensionAmount"]
    assert net == totals["TaxExclusiveAmount"]
    assert total == totals["TaxInclusiveAmount"]
    assert total - totals.get("PrepaidAmount", Decimal(0)) == totals["PayableAmount"]


def test_a_group_is_rounded_once_and_25_is_25_00() -> None:
    parts = [
        TaxedAmount("S", Decimal("25"), Decimal("0.02")),
        TaxedAmount("S", Decimal("25.00"), Decimal("0.02")),
    ]
    (group,) = breakdown(parts, step_of("EUR")).groups
    assert (group.taxable, group.tax) == (Decimal("0.04"), Decimal("0.01"))


def facts_of(database: Database, account_id: str, **changes: Any) -> PricingFacts:
    ship_to = SHIP_TO.get(account_id, "adr_024")
    order = asking(account_id=account_id, ship_to_address_id=ship_to, **changes)
    with acting(everyone()), database.session() as session:
        return collect(session, PriceRequest.model_validate(order)).pricing


@pytest.mark.parametrize(
    ("account_id", "sku", "country", "category", "rate"),
    [
        ("acc_008", "SW-P8-120", "DE", "S", "19"),
        ("acc_008", "SUB-DM-STD", "DE", "S", "19"),
        ("acc_001", "SW-P8-120", "IE", "K", "0"),
        ("acc_001", "SUB-DM-STD", "IE", "AE", "0"),
        ("acc_001", "SW-P8-120", "DE", "S", "19"),
        ("acc_003", "SW-P8-120", "NO", "G", "0"),
        ("acc_003", "SVC-INST-D", "NO", "O", "0"),
        ("acc_007", "SW-P8-120", "ES", "S", "19"),
        ("acc_008", "SW-P8-120", "FR", "S", "19"),  # a German VAT id does not make it exempt
    ],
)
def test_the_category_follows_customer_place_and_kind(
    database: Database, account_id: str, sku: str, country: str, category: str, rate: str
) -> None:
    facts = facts_of(database, account_id, lines=[line("l1", sku)])
    decision, findings = decide(facts, facts.items[sku], country, DAY)
    assert decision is not None
    assert (decision.category, decision.rate) == (category, Decimal(rate))
    doubt = {"ES": ["TAX_ID_UNVERIFIED"], "FR": ["TAX_INVOICE_ADDRESS"]}
    assert [found.code for found in findings] == doubt.get(country, [])


def test_a_consumer_abroad_is_not_guessed(database: Database) -> None:
    request = PriceRequest.model_validate(
        asking(account_id="acc_001", ship_to_address_id="adr_003")
    )
    facts = facts_of(database, "acc_001")
    facts = replace(facts, customer=replace(facts.customer, kind="consumer"))
    pricing = price(facts, request)
    assert [found.code for found in pricing.findings] == ["TAX_UNDETERMINED"]
    assert pricing.totals.total_minor is None
    assert pricing.taxes == []


def test_the_rate_is_that_of_the_order_date(database: Database) -> None:
    facts = facts_of(database, "acc_008")
    item = facts.items["SW-P8-120"]
    then, _ = decide(facts, item, "DE", date(2020, 12, 31))
    later, _ = decide(facts, item, "DE", date(2021, 1, 1))
    assert then is not None
    assert later is not None
    assert (then.rate, later.rate) == (Decimal(16), Decimal(19))


def test_a_known_change_of_the_rate_is_said() -> None:
    coming = TaxRate("DE-S-20", "DE", "S", Decimal(20), Window(date(2026, 12, 1)), "made up")
    (found,) = rate_changes([coming], [("DE", "digital")], DAY, 30)
    assert found.code == "TAX_RATE_CHANGES"
    assert rate_changes([coming], [("DE", "standard")], date(2026, 12, 1), 30) == []
    assert rate_changes([coming], [("DE", "reduced"), ("FR", "standard")], DAY, 30) == []


def test_an_exemption_counts_only_verified_in_force_and_here(database: Database) -> None:
    facts = facts_of(database, "acc_013")
    (on_file,) = facts.customer.exemptions
    item = facts.items["SW-P8-120"]

    def outcome(certificate: Exemption, country: str = "DE") -> tuple[str, list[str]]:
        customer = replace(facts.customer, exemptions=(certificate,))
        decision, findings = decide(replace(facts, customer=customer), item, country, DAY)
        assert decision is not None
        return decision.category, [found.code for found in findings]

    assert outcome(on_file) == ("S", ["EXEMPTION_UNVERIFIED"])
    verified = replace(on_file, status="verified")
    assert outcome(verified) == ("E", [])
    over = replace(verified, window=Window(date(2025, 1, 1), date(2026, 1, 1)))
    assert outcome(over) == ("S", ["EXEMPTION_EXPIRED"])
    assert outcome(replace(verified, jurisdictions=("AT",))) == ("S", ["EXEMPTION_ELSEWHERE"])


def test_freight_follows_the_goods_and_services_go_their_own_way(database: Database) -> None:
    order = asking(
        line("l1", "SW-P8-120", 1),
        line("l2", "SVC-INST-D", 3),
        account_id="acc_001",
        ship_to_address_id="adr_003",
    )
    request = PriceRequest.model_validate(order)
    pricing = price(facts_of(database, "acc_001", lines=order["lines"]), request)
    assert [(t.category, t.taxable_minor) for t in pricing.taxes] == [
        ("AE", 294000),
        ("K", 38900 + pricing.freight.net_minor),
    ]
    assert pricing.freight.tax_category == "K"
    assert all(t.note for t in pricing.taxes)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ship_method": "PICKUP"}, "TAX_PICKUP_ABROAD"),
        ({"lines": [line("l1", "SVC-INST-D")]}, None),
    ],
)
def test_a_doubtful_place_of_supply_goes_to_a_person(
    database: Database, changes: dict[str, Any], code: str | None
) -> None:
    order = asking(account_id="acc_001", ship_to_address_id="adr_003", **changes)
    request = PriceRequest.model_validate(order)
    with acting(everyone()), database.session() as session:
        pricing = price(collect(session, request).pricing, request)
    assert [found.code for found in pricing.findings] == ([code] if code else [])
