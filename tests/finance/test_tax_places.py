"""Where a supply is taxed: registrations, the One Stop Shop, coverage, conflicts."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from finance_support import acting, asking, everyone, line

from servers.finance.facts.copies import fact
from servers.finance.facts.customers import TaxId
from servers.finance.facts.prices import Item
from servers.finance.facts.pricing import PricingFacts
from servers.finance.facts.taxes import RateAnswer, Registration, TaxRate, TaxRule
from servers.finance.facts.windows import Window
from servers.finance.findings import percent
from servers.finance.load import TABLES
from servers.finance.pricing import price
from servers.finance.schemas import PriceRequest
from servers.finance.store import taxes as rows
from servers.finance.store.collect import collect
from servers.finance.tables.customers import CustomerAddress
from servers.finance.tables.taxes import TaxRateRow, ZoneCountry
from servers.finance.tax.decisions import decide
from servers.finance.tax.places import TableProvider
from servers.toolkit.database import Database
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.findings import Severity
from servers.toolkit.importing import import_file
from servers.toolkit.seeding import seed_folder
from servers.toolkit.table_files import read_rows, whole

DAY = date(2026, 11, 23)


def demo(name: str) -> list[Any]:
    """Return the rows of a table of the demo."""
    table, path = TABLES[name], seed_folder("finance") / f"{name}.csv"
    found = []
    for _, row in read_rows(path)[1]:
        cells = {n: whole(row[n], kind) for n, kind in table.parts.items() if n in row}
        found.append(table.model(**table.plain(table.adapter.validate_python({**row, **cells}))))
    return found


RATES = tuple(rows.tax_rate(row) for row in demo("tax_rates"))
RULES = tuple(fact(TaxRule, row) for row in demo("tax_rules"))
PLACES = {row.jurisdiction: rows.jurisdiction(row) for row in demo("tax_jurisdictions")}
GOODS = Item("X", "x", "", "x", "goods", 1, None, "EUR", "standard")
SERVICE = replace(GOODS, kind="service", tax_class="service")
EU = frozenset(row.country for row in demo("zones") if row.zone == "EU")


@pytest.fixture
def facts(database: Database) -> PricingFacts:
    """A German seller and a German business, with every rate of the demo."""
    request = PriceRequest.model_validate(asking())
    with acting(everyone()), database.session() as session:
        found = collect(session, request).pricing
    return replace(found, tax_rates=RATES, tax_rules=RULES, jurisdictions=PLACES)


def buyer(facts: PricingFacts, kind: str, country: str, *ids: TaxId) -> PricingFacts:
    customer = replace(facts.customer, kind=kind, country=country, tax_ids=ids, exemptions=())
    return replace(facts, customer=customer)


def vat(country: str, *, verified: bool = True) -> TaxId:
    return TaxId("eu_vat", country, f"{country}123", "2026-01-01" if verified else None)


def registration(place: str, scheme: Any = "vat", *, establishment: bool = False) -> Registration:
    window = Window(date(2026, 1, 1), None)
    return Registration(place, scheme, establishment, window)


def outcome(
    facts: PricingFacts, item: Item, country: str, day: date = DAY, region: str = ""
) -> tuple[str, str, str, list[str]]:
    decision, findings = decide(facts, item, country, day, region)
    codes = [found.code for found in findings]
    if decision is None:
        return "", "", "", codes
    return decision.category, percent(decision.rate), decision.jurisdiction, codes


@pytest.mark.parametrize("code", sorted(PLACES))
def test_every_place_has_its_law_source_and_date(code: str) -> None:
    place = PLACES[code]
    assert place.name
    assert "as of 20" in place.source
    assert place.rounding in ("document", "line")
    assert place.coverage != "by_region" or place.note


@pytest.mark.parametrize("one", RATES, ids=lambda r: r.rate_id)
def test_every_rate_has_source_date_and_window(one: TaxRate) -> None:
    assert "as of 20" in one.source
    assert one.window.first is not None
    assert one.window.last is None or one.window.first <= one.window.last
    place = f"{one.country}-{one.region}" if one.region else one.country
    assert place in PLACES


def test_more_than_thirty_countries_have_one_standard_rate_today() -> None:
    provider = TableProvider(RATES, PLACES)
    whole = [c for c, place in PLACES.items() if len(c) == 2 and place.coverage == "covered"]
    assert len(whole) >= 40
    assert set(whole) > EU
    for country in whole:
        answer = provider.find(country, "", "standard", DAY)
        assert len(answer.rates) == 1, country


@pytest.mark.parametrize(
    ("country", "day", "rate"),
    [
        ("EE", "2025-06-30", "22"),
        ("EE", "2025-07-01", "24"),
        ("SK", "2024-12-31", "20"),
        ("SK", "2025-01-01", "23"),
        ("RO", "2025-07-31", "19"),
        ("RO", "2025-08-01", "21"),
        ("FI", "2024-08-31", "24"),
        ("FI", "2024-09-01", "25.5"),
        ("LU", "2023-06-01", "16"),
        ("CH", "2026-11-23", "8.1"),
        ("SG", "2024-01-01", "9"),
    ],
)
def test_rates_change_on_their_days(country: str, day: str, rate: str) -> None:
    answer = TableProvider(RATES, PLACES).find(country, "", "digital", date.fromisoformat(day))
    assert [r.percent for r in answer.rates] == [Decimal(rate)]


@pytest.mark.parametrize(
    ("kind", "seat", "ids", "item", "to", "expected"),
    [
        ("business", "DE", (), GOODS, "DE", ("S", "19", "DE", [])),
        ("business", "FR", (vat("FR"),), GOODS, "FR", ("K", "0", "FR", [])),
        ("business", "FR", (vat("FR"),), SERVICE, "FR", ("AE", "0", "FR", [])),
        ("business", "FR", (vat("FR"),), SERVICE, "DE", ("AE", "0", "FR", [])),  # by the seat
        ("business", "FR", (vat("FR"),), GOODS, "DE", ("S", "19", "DE", [])),
        (
            *("business", "FR", (vat("FR", verified=False),), GOODS, "FR"),
            ("S", "19", "DE", ["TAX_ID_UNVERIFIED"]),
        ),
        ("business", "DE", (vat("DE"),), GOODS, "AT", ("S", "19", "DE", ["TAX_INVOICE_ADDRESS"])),
        ("business", "DE", (vat("DE"), vat("AT")), GOODS, "AT", ("K", "0", "AT", [])),
        ("business", "US", (), GOODS, "US", ("G", "0", "DE", [])),
        ("consumer", "US", (), GOODS, "US", ("G", "0", "DE", [])),
        ("business", "US", (), SERVICE, "US", ("O", "0", "US", [])),
        ("consumer", "US", (), SERVICE, "US", ("", "", "", ["TAX_UNDETERMINED"])),
        ("consumer", "FR", (), GOODS, "FR", ("", "", "", ["TAX_UNDETERMINED"])),
        ("consumer", "FR", (), GOODS, "DE", ("S", "19", "DE", [])),
    ],
)
def test_the_place_of_supply(
    facts: PricingFacts,
    kind: str,
    seat: str,
    ids: tuple[TaxId, ...],
    item: Item,
    to: str,
    expected: tuple[str, str, str, list[str]],
) -> None:
    assert outcome(buyer(facts, kind, seat, *ids), item, to) == expected


@pytest.mark.parametrize(
    ("category", "code"),
    [("K", "VATEX-EU-IC"), ("AE", "VATEX-EU-AE"), ("G", "VATEX-EU-G"), ("O", "VATEX-EU-O")],
)
def test_untaxed_categories_have_their_reason(
    facts: PricingFacts, category: str, code: str
) -> None:
    cases = {
        "K": (buyer(facts, "business", "FR", vat("FR")), GOODS, "FR"),
        "AE": (buyer(facts, "business", "FR", vat("FR")), SERVICE, "FR"),
        "G": (buyer(facts, "business", "NO"), GOODS, "NO"),
        "O": (buyer(facts, "business", "NO"), SERVICE, "NO"),
    }
    decision, _ = decide(*cases[category], DAY)
    assert decision is not None
    assert (decision.category, decision.reason_code) == (category, code)
    assert decision.note
    assert decision.confidence == "determined"


def test_zero_and_reduced_classes_are_their_own_rates(facts: PricingFacts) -> None:
    british = replace(buyer(facts, "business", "GB"), home_country="GB")
    zero, reduced = replace(GOODS, tax_class="zero"), replace(GOODS, tax_class="reduced")
    assert outcome(british, zero, "GB") == ("Z", "0", "GB", [])
    assert outcome(british, reduced, "GB") == ("S", "5", "GB", [])
    assert outcome(facts, reduced, "DE") == ("S", "7", "DE", [])
    french = replace(facts, home_country="FR")
    assert outcome(french, reduced, "FR")[3] == ["TAX_UNDETERMINED"], "France has several"


def test_a_consumer_abroad_is_taxed_there_only_under_a_registration(facts: PricingFacts) -> None:
    french = buyer(facts, "consumer", "FR")
    _, (found,) = decide(french, GOODS, "FR", DAY)
    assert "oss" in found.fix
    oss = replace(french, registrations=(registration("DE", "oss"),))
    assert outcome(oss, GOODS, "FR") == ("S", "20", "FR", [])
    assert outcome(oss, SERVICE, "FR")[3] == ["TAX_UNDETERMINED"]
    before = date(2025, 12, 31)
    assert outcome(oss, GOODS, "FR", before)[3] == ["TAX_UNDETERMINED"], "not yet registered"
    local = replace(french, registrations=(registration("FR"),))
    assert outcome(local, GOODS, "FR") == ("S", "20", "FR", [])


def test_a_registration_at_the_destination_means_its_tax(facts: PricingFacts) -> None:
    french = buyer(facts, "business", "FR", vat("FR"))
    plain = replace(french, registrations=(registration("FR"),))
    assert outcome(plain, GOODS, "FR") == ("S", "20", "FR", [])
    assert outcome(plain, SERVICE, "FR") == ("AE", "0", "FR", []), "no establishment there"
    settled = replace(french, registrations=(registration("FR", establishment=True),))
    assert outcome(settled, SERVICE, "FR") == ("S", "20", "FR", [])


@pytest.mark.parametrize(
    ("place", "region", "expected"),
    [
        ("US", "OR", ("O", "0", "US-OR", [])),
        ("US", "TX", ("", "", "", ["TAX_UNDETERMINED"])),
        ("US", "", ("", "", "", ["TAX_UNDETERMINED"])),
        ("CA", "AB", ("S", "5", "CA-AB", [])),
        ("CA", "ON", ("", "", "", ["TAX_UNDETERMINED"])),
    ],
)
def test_north_america_is_covered_only_where_nothing_is_guessed(
    facts: PricingFacts, place: str, region: str, expected: tuple[str, str, str, list[str]]
) -> None:
    there = replace(buyer(facts, "business", place), registrations=(registration(place),))
    assert outcome(there, GOODS, place, region=region) == expected
    decision, findings = decide(there, GOODS, place, DAY, region)
    if decision is None:
        (found,) = findings
        assert found.severity is Severity.NEEDS_HUMAN
        assert "provider" in found.fix
        named = f"{place}-{region}" if region else f"a region of {place}"
        assert f"supply rates of {named}," in found.fix
        assert any("as of" in piece for piece in found.evidence)
    else:
        assert "by tax table" in decision.source
        assert "as of" in decision.source


def test_another_provider_of_rates_is_any_object_of_its_shape(facts: PricingFacts) -> None:
    class Rooftops:
        name = "rooftops"

        def find(self, country: str, region: str, tax_class: str, day: date) -> RateAnswer:
            row = TaxRate("R", country, "S", Decimal("8.25"), Window(), "its own table", region)
            return RateAnswer((row,), f"{country}-{region}", f"every street, {tax_class}, {day}")

    there = replace(
        buyer(facts, "business", "US"),
        registrations=(registration("US-TX", "sales_tax"),),
        tax_provider=Rooftops(),
    )
    decision, findings = decide(there, GOODS, "US", DAY, "TX")
    assert findings == []
    assert decision is not None
    assert (decision.rate, decision.jurisdiction) == (Decimal("8.25"), "US-TX")
    assert "by rooftops: every street" in decision.source


def test_stacked_rates_of_a_province_are_added(facts: PricingFacts) -> None:
    more = TaxRate(
        *("QC-QST", "CA", "S", Decimal("9.975"), Window(), "made up for the test"),
        region="QC",
        name="QST",
        sequence=2,
    )
    quebec = replace(PLACES["CA-AB"], jurisdiction="CA-QC", name="Quebec")
    there = replace(
        buyer(facts, "business", "CA"),
        registrations=(registration("CA"),),
        tax_rates=(*RATES, more),
        jurisdictions={**PLACES, "CA-QC": quebec},
    )
    decision, _ = decide(there, GOODS, "CA", DAY, "QC")
    assert decision is not None
    assert decision.rate == Decimal("14.975")
    assert [(tax.name, tax.amount) for tax in decision.taxes] == [
        ("GST", Decimal(5)),
        ("QST", Decimal("9.975")),
    ]


def test_a_region_outside_the_tax_territory_is_not_guessed(facts: PricingFacts) -> None:
    spanish = buyer(facts, "business", "ES", vat("ES"))
    assert outcome(spanish, GOODS, "ES", region="M") == ("K", "0", "ES", [])
    assert outcome(spanish, GOODS, "ES", region="GC")[3] == ["TAX_UNDETERMINED"]


def test_a_region_stands_above_its_country(facts: PricingFacts) -> None:
    there = replace(buyer(facts, "consumer", "PT"), registrations=(registration("PT"),))
    assert outcome(there, GOODS, "PT") == ("S", "23", "PT", [])
    assert outcome(there, GOODS, "PT", region="30") == ("S", "22", "PT-30", [])


@pytest.mark.parametrize(
    ("code", "rates", "zones"),
    [
        ("54700", ["ALL"], True),
        ("54701", ["ALL", "CITY"], True),
        ("54703-1234", ["ALL", "CITY"], True),
        ("54704", ["ALL"], True),
        ("", ["ALL"], False),
    ],
)
def test_rates_of_postal_codes_and_zones_of_regions_are_those_of_the_address(
    database: Database, code: str, rates: list[str], zones: bool
) -> None:
    law = {"country": "DE", "region": "XX", "category": "S", "source": "ours", "tax_class": "x"}
    days = {"valid_from": date(2026, 1, 1), "as_of": date(2026, 1, 1)}
    with database.session() as session:
        for name, percent_, codes in (("ALL", 5, ""), ("CITY", 6, "54701-54703")):
            row = law | days | {"rate_id": name, "percent": Decimal(percent_)}
            session.add(TaxRateRow(**row, postal_codes=codes))
        for zone, regions in (("FREIGHT-A", ("XX",)), ("FREIGHT-B", ("YY",))):
            session.add(ZoneCountry(zone=zone, country="DE", regions=regions))
        request = PriceRequest.model_validate(asking())
        address = session.get_one(CustomerAddress, request.ship_to_address_id)
        address.region, address.postal_code = "DE-XX" if zones else "", code
        session.commit()
    with acting(everyone()), database.session() as session:
        found = collect(session, request).pricing
    assert sorted(one.rate_id for one in found.tax_rates if one.source[:4] == "ours") == rates
    assert ("FREIGHT-A" in found.zones, "FREIGHT-B" in found.zones) == (zones, False)
    place = replace(PLACES["PT-30"], jurisdiction="DE-XX")
    answer = TableProvider(found.tax_rates, {"DE-XX": place}).find("DE", "XX", "x", DAY)
    assert [one.rate_id for one in answer.rates] == [rates[-1]]


def test_two_rates_or_rules_of_equal_rank_are_a_conflict(facts: PricingFacts) -> None:
    twin = replace(RATES[0], rate_id="DE-TWIN", country="DE", category="S", tax_class="standard")
    twin = replace(twin, window=Window(date(2026, 1, 1)))
    decision, (found,) = decide(replace(facts, tax_rates=(*RATES, twin)), GOODS, "DE", DAY)
    assert decision is None
    assert (found.code, found.severity) == ("RULE_CONFLICT", Severity.ERROR)
    assert "DE-TWIN" in found.message
    other = replace(next(r for r in RULES if r.rule_id == "TAX-HOME-S"), rule_id="TAX-HOME-2")
    decision, (found,) = decide(replace(facts, tax_rules=(*RULES, other)), GOODS, "DE", DAY)
    assert decision is None
    assert found.code == "RULE_CONFLICT"
    assert "TAX-HOME-2 and TAX-HOME-S" in found.message


TWIN = "FR-TWIN,FR,,S,standard,20.6,2026-06-01,,,1,made up,2026-01-01\n"
NOT_ZERO = "FR-X,FR,,K,standard,5,2026-06-01,,,1,made up,2026-01-01\n"


@pytest.mark.parametrize(
    ("name", "row", "said"),
    [
        ("tax_rates", TWIN, r"RULE_CONFLICT.*FR-S-20-2014 and FR-TWIN"),
        ("tax_rates", NOT_ZERO, "category K has no percentage"),
        ("tax_rules", "ANY,,business,,,S,,\n", r"RULE_CONFLICT.*TAX-HOME-S and ANY"),
    ],
)
def test_a_conflict_is_refused_when_the_data_comes_in(
    database: Database, tmp_path: Path, name: str, row: str, said: str
) -> None:
    path = tmp_path / f"{name}.csv"
    text = (seed_folder("finance") / path.name).read_text(encoding="utf-8")
    path.write_text(text, encoding="utf-8")
    import_file(database, TABLES[name], path)
    path.write_text(text + row, encoding="utf-8")
    with pytest.raises(InvalidInputError, match=said):
        import_file(database, TABLES[name], path)


def test_lines_that_say_the_tax_of_two_places_go_to_a_person(database: Database) -> None:
    order = asking(
        *(line("l1", "SW-P8-120", 1), line("l2", "SVC-INST-D", 1)),
        account_id="acc_001",
        ship_to_address_id="adr_003",
    )
    request = PriceRequest.model_validate(order)
    with acting(everyone()), database.session() as session:
        found = collect(session, request).pricing
    mine = replace(
        found,
        tax_rates=RATES,
        customer=replace(found.customer, country="FR"),
        registrations=(registration("IE"), registration("FR", establishment=True)),
    )
    priced = price(mine, request)
    assert "TAX_TWO_PLACES" in [one.code for one in priced.findings]
    assert {block.jurisdiction for block in priced.taxes} == {"IE", "FR"}
