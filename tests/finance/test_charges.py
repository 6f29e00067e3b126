"""Fees, coins and the total in another currency: what stands around the lines."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from finance_support import acting, asking, by, call, drafted, everyone, line
from hypothesis import given
from hypothesis import strategies as st

from servers.finance.charges import free_above, price_freight
from servers.finance.documents import Pricing
from servers.finance.facts.blocks import TotalsBlock
from servers.finance.facts.charges import Fee, FreightRate, PostalZone, Rate
from servers.finance.facts.pricing import PricingFacts
from servers.finance.facts.windows import Window
from servers.finance.pricing import price
from servers.finance.schemas import PriceRequest
from servers.finance.store.collect import collect
from servers.finance.tables.charges import PostalZoneRow
from servers.finance.tables.customers import CustomerAddress
from servers.finance.totals import cash_rounded
from servers.toolkit.app import Server
from servers.toolkit.database import Database
from servers.toolkit.money import round_to

Price = Callable[..., Pricing]
FIXED = Fee(
    "FEE-FIXED", "Order handling", "fixed", {"EUR": Decimal("7.5")}, "service", Window()
)  # fmt: skip
HAZMAT = Fee(
    *("FEE-H", "Dangerous goods", "hazmat", {"EUR": Decimal("35.00")}, "carriage", Window()),
    flags=frozenset({"hazmat"}),
)


@pytest.fixture
def priced(database: Database) -> Price:
    def run(*lines: dict[str, Any], facts: dict[str, Any] | None = None, **more: Any) -> Pricing:
        request = PriceRequest.model_validate(asking(*lines, **more))
        with acting(everyone()), database.session() as session:
            found: PricingFacts = collect(session, request).pricing
        return price(replace(found, **(facts or {})), request)

    return run


def codes(pricing: Pricing) -> list[str]:
    return [found.code for found in pricing.findings]


def adds_up(pricing: Pricing) -> bool:
    totals = pricing.totals
    parts = (totals.lines_minor or 0) + (totals.freight_minor or 0) + totals.charges_minor
    return (
        totals.charges_minor == sum(charge.net_minor for charge in pricing.charges)
        and totals.net_minor == parts == sum(group.taxable_minor for group in pricing.taxes)
        and totals.tax_minor == sum(group.tax_minor for group in pricing.taxes)
        and totals.total_minor == parts + totals.tax_minor
    )


def test_a_small_order_has_a_charge_that_is_taxed_as_its_carriage_is(priced: Price) -> None:
    pricing = priced(line("l1", "CBL-C6-02", 7))
    (charge,) = pricing.charges
    assert charge.model_dump() == {
        "charge_id": "FEE-SMALL-ORDER",
        "label": "Small-order charge",
        "net_minor": 1200,
        "tax_category": "S",
        "tax_rate": "19",
    }
    assert pricing.totals.charges_minor == 1200
    assert adds_up(pricing)
    (said,) = [step for step in pricing.trace if step.step == "fee"]
    assert said.note == "merchandise 48.30 is below 50.00 EUR"


def test_the_limit_itself_is_no_small_order_and_digital_goods_never_are(priced: Price) -> None:
    assert priced(line("l1", "CBL-C6-02", 8)).charges == []
    assert priced(line("l1", "SUB-DM-STD", 1), ship_method="DIGITAL").charges == []


@pytest.mark.parametrize("discount_bp", [0, 2000, 10_000])
def test_a_discount_never_brings_a_fee_with_it(priced: Price, discount_bp: int) -> None:
    pricing = priced(line("l1", "CBL-C6-02", 8), discount_bp=discount_bp)
    assert pricing.charges == []
    assert adds_up(pricing)


def test_an_optional_line_makes_no_order_larger(priced: Price) -> None:
    pricing = priced(line("l1", "CBL-C6-02", 1), line("l2", "SRV-R1-64", 1, optional=True))
    assert [charge.charge_id for charge in pricing.charges] == ["FEE-SMALL-ORDER"]


def test_a_fee_of_a_class_of_its_own_is_taxed_by_it(priced: Price) -> None:
    order = {"account_id": "acc_001", "ship_to_address_id": "adr_003"}
    pricing = priced(line("l1", "SW-P8-120", 2), facts={"fees": (FIXED,)}, **order)
    assert pricing.freight.tax_category == "K"
    assert [(c.tax_category, c.net_minor) for c in pricing.charges] == [("AE", 750)]
    assert [(t.category, t.taxable_minor) for t in pricing.taxes if t.category == "AE"] == [
        ("AE", 750)
    ]
    assert adds_up(pricing)


def test_dangerous_goods_are_charged_where_a_line_carries_them(priced: Price) -> None:
    with_them = priced(line("l1", "BAT-L480", 1), facts={"fees": (HAZMAT,)})
    assert [charge.net_minor for charge in with_them.charges] == [3500]
    assert [step.note for step in with_them.trace if step.step == "fee"] == ["for BAT-L480"]
    assert priced(line("l1", "SW-P8-120", 1), facts={"fees": (HAZMAT,)}).charges == []


@pytest.mark.parametrize(
    "limits",
    [
        {"window": Window(date(2026, 11, 24), None)},
        {"window": Window(None, date(2026, 11, 22))},
        {"countries": frozenset({"AT"})},
        {"ship_methods": frozenset({"SEA-STD"})},
        {"item_kinds": frozenset({"service"})},
    ],
    ids=str,
)
def test_a_fee_that_is_not_due_is_not_charged(priced: Price, limits: dict[str, Any]) -> None:
    assert priced(facts={"fees": (FIXED,)}).charges != []
    assert priced(facts={"fees": (replace(FIXED, **limits),)}).charges == []


def test_a_fee_without_an_amount_in_the_currency_leaves_no_total(priced: Price) -> None:
    order = {"account_id": "acc_011", "ship_to_address_id": "adr_033"}
    pricing = priced(line("l1", "SW-P8-120", 1), facts={"fees": (FIXED,)}, **order)
    assert "FEE_CURRENCY" in codes(pricing)
    assert pricing.totals.total_minor is None


@given(st.integers(0, 10**6), st.sampled_from(["0.05", "0.10", "1.00", "0.01"]))
def test_coins_are_the_nearest_and_the_totals_stay(minor: int, coin: str) -> None:
    totals = TotalsBlock(
        lines_minor=minor, freight_minor=0, net_minor=minor, tax_minor=0, total_minor=minor
    )
    rounded = cash_rounded(totals, {"CHF": Decimal(coin)}, "CHF")
    assert rounded.payable_minor is not None
    assert rounded.payable_minor == minor + rounded.rounding_minor
    assert Decimal(rounded.payable_minor) / 100 % Decimal(coin) == 0
    assert abs(rounded.rounding_minor) * 2 <= Decimal(coin) * 100
    assert rounded.total_minor == minor
    assert cash_rounded(totals, {"SEK": Decimal(1)}, "CHF") == totals


def test_half_a_coin_is_rounded_away_from_zero() -> None:
    coin = Decimal("0.05")
    assert round_to(Decimal("1.025"), coin) == Decimal("1.05")
    assert round_to(Decimal("-1.025"), coin) == Decimal("-1.05")
    assert round_to(Decimal("1.02"), coin) == Decimal("1.00")


def test_a_swiss_quote_says_what_is_paid_in_coins_beside_its_total(priced: Price) -> None:
    order = {"account_id": "acc_011", "ship_to_address_id": "adr_033"}
    totals = priced(line("l1", "SW-P8-120", 1), **order).totals
    assert totals.total_minor is not None
    assert totals.payable_minor == totals.total_minor + totals.rounding_minor
    assert totals.payable_minor % 5 == 0
    assert priced(line("l1", "SW-P8-120", 1)).totals.payable_minor is None


def test_the_total_is_shown_in_another_currency_with_rate_day_and_source(priced: Price) -> None:
    pricing = priced(line("l1", "SW-P8-120", 1), display_currency="USD")
    assert pricing.presentation is not None
    assert pricing.totals.total_minor == 48136
    assert pricing.presentation.model_dump(mode="json") == {
        "currency": "USD",
        "rate": "1.1",
        "rate_date": "2026-11-22",
        "source": "planning rate of the house, for margins and for reading",
        "total_minor": 52950,
    }
    plain = priced(line("l1", "SW-P8-120", 1))
    assert (plain.presentation, plain.totals) == (None, pricing.totals)
    assert priced(display_currency="EUR").presentation is None


def test_a_cross_rate_has_the_older_of_two_days(priced: Price) -> None:
    rates = (
        Rate("USD", Decimal("1.10"), date(2026, 11, 20), "one"),
        Rate("JPY", Decimal("165.5"), date(2026, 11, 21), "other"),
    )
    order = {"account_id": "acc_010", "ship_to_address_id": "adr_029", "ship_method": "AIR-STD"}
    pricing = priced(facts={"rates": rates}, display_currency="JPY", **order)
    shown = pricing.presentation
    assert shown is not None
    assert (shown.rate, str(shown.rate_date), shown.source) == (
        *("150.4545454545", "2026-11-20"),
        "one; other",
    )
    assert pricing.totals.total_minor is not None
    yen = Decimal(pricing.totals.total_minor) / 100 * Decimal("150.4545454545")
    assert shown.total_minor == int(yen.quantize(Decimal(1), "ROUND_HALF_UP"))


@pytest.mark.parametrize(
    ("wanted", "day", "code"),
    [("JPY", "2026-11-23", "FX_UNKNOWN"), ("USD", "2026-12-07", "FX_STALE")],
)
def test_a_rate_that_is_missing_or_old_gives_no_figure(
    priced: Price, wanted: str, day: str, code: str
) -> None:
    pricing = priced(display_currency=wanted, order_date=day)
    assert (pricing.presentation, codes(pricing)) == (None, [code])
    assert pricing.approvals == []


def test_without_a_policy_no_rate_is_fresh(priced: Price, database: Database) -> None:
    request = PriceRequest.model_validate(asking(display_currency="USD"))
    with acting(everyone()), database.session() as session:
        facts = collect(session, request).pricing
    assert facts.policy is not None
    silent = replace(facts, policy=replace(facts.policy, rate_days=None))
    assert codes(price(silent, request)) == ["FX_UNKNOWN"]


async def test_a_person_has_a_quote_show_its_total_in_another_currency(app: Server) -> None:
    made = await drafted(app)
    tools = frozenset({"revise_quote", "get_quote"})
    changed = {"quote_id": made["quote_id"], "digest": made["digest"], "display_currency": "USD"}
    await call(app, by("per_lena", tools=tools), "revise_quote", changed)
    listed = await call(app, everyone(), "list_quotes", {"status": "draft"})
    (draft,) = listed["items"]
    found = await call(
        app, everyone(), "get_quote", {"quote_id": draft["quote_id"], "view": "customer"}
    )
    assert found["presentation"]["currency"] == "USD"
    assert found["totals"]["total_minor"] == made["total_minor"]


def test_price_quote_shows_another_currency_when_asked(priced: Price) -> None:
    shown = priced(display_currency="GBP").public().presentation
    assert shown is not None
    assert (shown.currency, shown.rate) == ("GBP", "0.87")


ZONES = {
    "EU": frozenset({"NL", "BE"}),  # of tax: no zone of freight
    "FREIGHT-BENELUX": frozenset({"NL", "BE", "LU"}),
    "FREIGHT-NEAR": frozenset({"NL", "DE"}),
}
GRAMS: list[tuple[str, int | None, int]] = [("l1", 1500, 3)]
UNWEIGHED: list[tuple[str, int | None, int]] = [("l1", None, 3)]


def rate(zone: str, base: str = "10", per_kg: str = "1", **changes: Any) -> FreightRate:
    amounts = (Decimal(base), Decimal(per_kg))
    plain = FreightRate(f"F-{zone}", "VAN", "Van", zone, "EUR", *amounts, physical=True)
    return replace(plain, **changes)


@pytest.mark.parametrize(
    ("country", "zones", "gross"),
    [
        ("NL", ("WORLD", "BENELUX", "NEAR"), "NEAR"),
        ("NL", ("WORLD", "BENELUX"), "BENELUX"),
        ("LU", ("NEAR", "WORLD"), "WORLD"),
        ("LU", ("NEAR",), None),
        ("NL", ("EU",), None),
    ],
)
def test_of_the_zones_with_a_rate_the_one_with_the_fewest_countries_holds(
    country: str, zones: tuple[str, ...], gross: str | None
) -> None:
    found = price_freight("VAN", country, GRAMS, [rate(z) for z in zones], ZONES, "EUR")
    assert [one.code for one in found.findings] == ([] if gross else ["NO_FREIGHT_RATE"])
    assert [one.rule_id for one in found.trace] == ([f"F-{gross}"] if gross else [])


ROTTERDAM = PostalZone("PORT", "NL", "3000", "3899")


@pytest.mark.parametrize(
    ("country", "postal_code", "held"),
    [
        ("NL", "2999 ZZ", False),
        ("NL", "3000 AA", True),
        ("NL", "3899zz", True),
        ("NL", "3900 AA", False),
        ("NL", "", None),
        ("NL", "38", None),
        ("BE", "3000", False),
    ],
)
def test_a_zone_of_postal_codes_holds_from_its_first_to_its_last(
    country: str, postal_code: str, held: bool | None
) -> None:
    assert ROTTERDAM.holds(country, postal_code) is held


def test_a_part_of_a_country_goes_before_the_country() -> None:
    rates = [rate("NEAR"), rate("PORT", base="4")]
    found = price_freight("VAN", "NL", GRAMS, rates, ZONES, "EUR", ["PORT"])
    assert found.gross == Decimal("9.00")


@pytest.mark.parametrize(("goods", "net"), [("399.99", "15"), ("400", "0"), ("400.01", "0")])
def test_freight_is_free_from_its_amount_on(goods: str, net: str) -> None:
    rates = [rate("WORLD", free_from=Decimal(400))]
    freight = price_freight("VAN", "FR", GRAMS, rates, ZONES, "EUR")
    free_above(freight, Decimal(goods), "EUR")
    assert freight.net == freight.gross == Decimal(net)
    assert len(freight.trace) == (1 if net == "15" else 2)


def test_a_flat_rate_needs_no_weight_and_one_by_the_kilogram_does() -> None:
    flat = price_freight("VAN", "NL", UNWEIGHED, [rate("WORLD", per_kg="0")], ZONES, "EUR")
    assert (flat.gross, flat.findings) == (Decimal("10.00"), [])
    assert flat.trace[0].note == "10 whatever it weighs, zone WORLD"
    by_weight = price_freight("VAN", "NL", UNWEIGHED, [rate("WORLD")], ZONES, "EUR")
    assert (by_weight.gross, [one.code for one in by_weight.findings]) == (None, ["WEIGHT_UNKNOWN"])


@pytest.mark.parametrize(
    ("grams", "gross"), [(1999, "5.00"), (2000, "5.00"), (2001, "8.00"), (3001, None)]
)
def test_a_rate_holds_up_to_its_weight_and_beyond_the_last_there_is_none(
    grams: int, gross: str | None
) -> None:
    near = [rate("NEAR", b, "0", up_to_g=Decimal(g)) for b, g in (("8", 3000), ("5", 2000))]
    rates = [*near, rate("WORLD", "1", "0")]
    found = price_freight("VAN", "NL", [("l1", grams, 1)], rates, ZONES, "EUR")
    assert found.gross == (gross and Decimal(gross))
    assert [one.code for one in found.findings] == ([] if gross else ["NO_FREIGHT_RATE"])
    unknown = price_freight("VAN", "NL", UNWEIGHED, rates, ZONES, "EUR")
    assert [one.code for one in unknown.findings] == ["WEIGHT_UNKNOWN"]


@pytest.mark.parametrize(
    ("method", "rows", "rates", "code"),
    [
        ("PICKUP", UNWEIGHED, [], None),
        ("DIGITAL", [], [], None),
        ("DIGITAL", GRAMS, [], "FREIGHT_METHOD"),
        ("DIGITAL", UNWEIGHED, [], "FREIGHT_METHOD"),
        ("VAN", [], [], "NO_FREIGHT_RATE"),
        ("PICKUP", GRAMS, [rate("WORLD", method="PICKUP", currency="GBP")], "NO_FREIGHT_RATE"),
        ("PICKUP", GRAMS, [rate("NEAR", method="PICKUP")], "NO_FREIGHT_RATE"),
    ],
)
def test_collecting_and_what_is_digital_are_free_where_the_house_states_no_rate(
    method: str, rows: Any, rates: list[FreightRate], code: str | None
) -> None:
    found = price_freight(method, "LU", rows, rates, ZONES, "EUR")
    assert [one.code for one in found.findings] == ([code] if code else [])
    assert found.gross == (None if code else Decimal("0.00"))


async def test_where_freight_goes_by_postal_code_an_address_without_one_waits(
    app: Server, database: Database
) -> None:
    with database.write() as session:
        session.add(PostalZoneRow(zone="HOME", country="DE", first="00", last="99"))
    assert "POSTAL_CODE_MISSING" not in await said(app)
    with database.write() as session:
        address = session.get(CustomerAddress, asking()["ship_to_address_id"])
        assert address is not None
        address.postal_code = ""
    assert "POSTAL_CODE_MISSING" in await said(app)


async def said(app: Server) -> set[str]:
    made = await call(app, everyone(), "price_quote", asking())
    return {one["code"] for one in made["findings"]}
