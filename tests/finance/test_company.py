"""Who the house is: a company file, checked; entities with numbers and a day of their own."""

import base64
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastmcp.exceptions import ToolError
from finance_support import Clock, call, drafted, everyone
from sqlmodel import select

from servers.finance.company import read_company
from servers.finance.facts.blocks import SellerBlock
from servers.finance.facts.copies import block
from servers.finance.facts.policy import Entity
from servers.finance.findings import finding
from servers.finance.law.clauses import STARTER
from servers.finance.load.company import seller_row, usual_zone
from servers.finance.logo import MAX_BYTES, checked_uri, data_uri
from servers.finance.render.sheet import _imprint
from servers.finance.render.words import signed
from servers.finance.seller import choose
from servers.finance.server import create_server, set_up
from servers.finance.tables.charges import FreightRateRow
from servers.finance.tables.customers import CustomerAddress, CustomerRow
from servers.finance.tables.house import Seller, Setting
from servers.finance.tables.legal import ClauseRow
from servers.finance.tables.taxes import TaxRegistrationRow, ZoneCountry
from servers.toolkit.app import Server
from servers.toolkit.database import Database
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.findings import Finding

EXAMPLE = Path(__file__).parents[2] / "examples" / "company" / "company.yaml"
AGENT = everyone()
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>'


def company(tmp_path: Path, change: Callable[[dict[str, Any]], None] = lambda _: None) -> Path:
    """The example with a change, and its logo."""
    said = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    change(said)
    path = tmp_path / "company.yaml"
    path.write_text(yaml.safe_dump(said), encoding="utf-8")
    (tmp_path / "logo.svg").write_bytes(SVG)
    return path


def first(**changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda said: said["entities"][0].update(changes)


def test_the_example_is_read_with_its_logo() -> None:
    found = read_company(EXAMPLE)
    assert [one.entity_id for one in found.entities] == ["ent_kestrel_fr", "ent_kestrel_us"]
    assert found.home.entity_id == "ent_kestrel_fr"
    assert found.home.logo.startswith("data:image/svg+xml;base64,")
    assert {role for one in found.people for role in one.roles} == {
        *("sales", "sales_manager", "finance_director", "legal"),
    }


def test_json_and_one_entity_alone_are_read_too(tmp_path: Path) -> None:
    entity = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))["entities"][1]
    path = tmp_path / "company.json"
    path.write_text(json.dumps(entity), encoding="utf-8")
    assert read_company(path).home.entity_id == "ent_kestrel_us"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (first(country="France"), "entities.0.country"),
        (first(vat_id="FR00000000000"), "does not have the form of a VAT id"),
        (first(vat_id=""), "give a vat_id, or tax_ids"),
        (first(time_zone="Lyon"), "no IANA time zone"),
        (first(quote_number_format="Q-{n}"), r"Q-\{year\}-\{n:06d\}"),
        (first(quote_number_format="{year.__class__}{n:05d}"), "letters, digits, the year"),
        (first(quote_number_format="KUS-{year}-{n:05d}"), "is there twice"),
        (first(logo="../logo.svg"), "not beside the file"),
        (first(logo="none.svg"), "cannot read the logo none.svg"),
        (first(default=False), "exactly one entity has default"),
        (first(countries=["US"]), "country in countries US is there twice"),
        (first(surprise=1), "entities.0.surprise"),
        (lambda said: said["entities"][0]["bank"].update(iban="FR00"), "check digits are wrong"),
        (lambda said: said["entities"][1]["bank"].pop("account_number"), "give an iban"),
        (lambda said: said.update(entities=[]), "entities"),
        (lambda said: said["people"][0].update(person_id="ana"), "people.0.person_id"),
    ],
)
def test_a_mistake_is_named(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    with pytest.raises(InvalidInputError, match=said):
        read_company(company(tmp_path, change))


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("c.yaml", "entities: [", "c.yaml, line 1"),
        ("c.json", "{", "c.json, line 1"),
        ("c.yaml", "42", "c.yaml"),
        ("c.yaml", "x" * 1_000_001, "larger than a megabyte"),
    ],
)
def test_a_file_that_is_none_is_named(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInputError, match=said):
        read_company(tmp_path / name)
    with pytest.raises(InvalidInputError, match="cannot read"):
        read_company(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"GIF89a", "not well formed"),
        (b"<html/>", "is no SVG"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>', "has a <script>"),
        (b'<svg onload="x()"/>', "has onload="),
        (b'<svg><path fill="url(http://x)"/></svg>', "has fill="),
        (b'<svg><g xmlns:x="http://www.w3.org/1999/xlink" x:href="#a"/></svg>', "has href="),
        (b'<!DOCTYPE svg [<!ENTITY a "b">]><svg/>', "declares a document type"),
        (b"\x89PNG\r\n\x1a\n" + b"0" * MAX_BYTES, "at most 65536"),
    ],
)
def test_a_logo_only_draws(content: bytes, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        data_uri(content)


def test_a_logo_is_a_small_svg_or_png() -> None:
    assert base64.b64decode(data_uri(SVG).partition(",")[2]) == SVG
    assert data_uri(b"\x89PNG\r\n\x1a\n00").startswith("data:image/png;base64,")
    for wrong in ("https://x/logo.png", "data:image/png;base64,AAAA", "data:text/html;base64,AA"):
        with pytest.raises(InvalidInputError, match="logo cannot be used"):
            checked_uri(wrong)


def entity(name: str, *countries: str, default: bool = False) -> Entity:
    return Entity(name, frozenset(countries), default, None)  # type: ignore[arg-type]


def test_the_customers_country_chooses_the_entity() -> None:
    house = [entity("ent_us", "US", "CA"), entity("ent_fr", default=True)]
    for country, name in (("US", "ent_us"), ("CA", "ent_us"), ("DE", "ent_fr")):
        for order in (house, house[::-1]):
            found = choose(order, country)
            assert isinstance(found, Entity)
            assert found.entity_id == name


def test_no_entity_or_two_are_said_and_never_guessed() -> None:
    none = choose([entity("ent_us", "US")], "DE")
    assert isinstance(none, Finding)
    assert (none.code, none.evidence) == ("NO_SELLER", ["ent_us serves US"])
    two = choose([entity("ent_a", "US"), entity("ent_b", "US")], "US")
    assert isinstance(two, Finding)
    assert two.code == "RULE_CONFLICT"
    assert type(finding("X", two.severity, "x")) is Finding


async def issue(app: Server, opportunity_id: str, **changes: Any) -> dict[str, Any]:
    draft = await drafted(app, opportunity_id=opportunity_id, **changes)
    arguments = {"quote_id": draft["quote_id"], "digest": draft["digest"]}
    return await call(app, AGENT, "issue_quote", arguments)


async def test_each_entity_has_numbers_a_name_and_a_day_of_its_own(
    app: Server, database: Database, tmp_path: Path, clock: Clock
) -> None:
    """German customers are served from Lyon, all others by an entity far west of it."""

    def swap(said: dict[str, Any]) -> None:
        said["people"] = []
        said["entities"][0].update(countries=["DE"], default=False)
        said["entities"][1].update(countries=[], default=True, country="US")

    old = await issue(app, "opp_900")
    assert old["number"] == "Q-2026-000001"
    said, _ = set_up(database, company(tmp_path, swap))
    assert "ent_norvane_de makes no new offers" in said
    shown = await call(app, AGENT, "get_quote", {"quote_id": old["quote_id"]})
    assert shown["seller"]["legal_name"] == "Norvane Systems GmbH", "what is issued stays"
    draft = await drafted(app, opportunity_id="opp_901")
    shown = await call(app, AGENT, "get_quote", {"quote_id": draft["quote_id"]})
    seller = shown["seller"]
    assert (seller["entity_id"], seller["time_zone"]) == ("ent_kestrel_fr", "Europe/Paris")
    assert seller["logo"].startswith("data:image/svg+xml")
    listed = await call(app, AGENT, "list_quotes", {"opportunity_id": "opp_901"})
    assert listed["items"][0]["entity_id"] == "ent_kestrel_fr"
    with database.session() as session:
        (registered,) = session.exec(
            select(TaxRegistrationRow).where(TaxRegistrationRow.entity_id == "ent_kestrel_fr")
        )
    assert (registered.jurisdiction, registered.establishment) == ("FR", True)


async def test_an_old_quote_expires_by_the_day_of_its_own_entity(
    app: Server, database: Database, tmp_path: Path, clock: Clock
) -> None:
    quote = await issue(app, "opp_900")
    clock.moment = clock.moment.replace(month=12, day=23, hour=23, minute=30)  # the 24th in Berlin

    def west(said: dict[str, Any]) -> None:
        said["entities"][0].update(time_zone="Pacific/Honolulu")

    set_up(database, company(tmp_path, west))
    shown = await call(app, AGENT, "get_quote", {"quote_id": quote["quote_id"]})
    assert shown["status"] == "expired"


async def test_an_empty_database_starts_with_a_company_and_says_what_is_missing(
    tmp_path: Path,
) -> None:
    database = Database.open(tmp_path / "finance.db", "finance")
    said, zones = set_up(database, company(tmp_path))
    assert "the price book LIST in EUR is empty: import items and prices" in said
    assert zones == []
    again, _ = set_up(database, company(tmp_path))
    assert again == [words for words in said if words.startswith("ent_")]
    with database.write() as session:
        assert session.get(Setting, "taxes").value == {"home_country": "FR"}  # type: ignore[union-attr]
        session.add(
            CustomerRow(
                account_id="acc_own",
                legal_name="First Customer GmbH",
                country="DE",
                kind="business",
                channel="direct",
                currency="EUR",
                payment_terms_code="NET30",
            )
        )
        session.flush()
        session.add(
            CustomerAddress(
                address_id="adr_own",
                account_id="acc_own",
                kind="shipping",
                lines=["Weg 1"],
                city="Bonn",
                country="DE",
            )
        )
    app = create_server(database, now=Clock())
    asked = {
        "account_id": "acc_own",
        "lines": [{"line_id": "l1", "sku": "OWN-1", "quantity": 1}],
        "ship_to_address_id": "adr_own",
        "ship_method": "ROAD-STD",
        "order_date": "2026-11-23",
    }
    priced = await call(app, AGENT, "price_quote", asked)
    assert priced["totals"]["total_minor"] is None
    assert priced["findings"], "it says what is missing"
    assert all(one["fix"] for one in priced["findings"])
    with pytest.raises(ToolError, match="NOT_FOUND"):
        await call(app, AGENT, "price_quote", {**asked, "account_id": "acc_none"})
    app.ledger.audit.flush()
    database.close()


async def test_without_a_company_nothing_is_priced_and_it_says_what_to_do(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "finance.db", "finance")
    with database.write() as session:
        session.add(
            CustomerRow(
                account_id="acc_own",
                legal_name="First Customer GmbH",
                country="DE",
                kind="business",
                channel="direct",
                currency="EUR",
                payment_terms_code="NET30",
            )
        )
    app = create_server(database, now=Clock())
    asked = {
        "account_id": "acc_own",
        "lines": [{"line_id": "l1", "sku": "OWN-1", "quantity": 1}],
        "ship_to_address_id": "adr_own",
        "ship_method": "ROAD-STD",
        "order_date": "2026-11-23",
    }
    with pytest.raises(ToolError, match="dealdesk init --company FILE"):
        await call(app, AGENT, "price_quote", asked)
    app.ledger.audit.flush()
    database.close()


SHORT = """
legal_name = "Bäcker & Söhne GmbH"
country = "DE"
vat_id = "DE136695976"
email = "angebote@baecker.example"
delivery = { DE = "6.90", EU = "14.90", WORLD = "39" }
[address]
lines = ["Weg 1"]
city = "Bonn"
"""


def short(tmp_path: Path, text: str = SHORT) -> Path:
    path = tmp_path / "house.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_follows_from_the_rest_is_worked_out(tmp_path: Path) -> None:
    found = read_company(short(tmp_path))
    home = found.home
    assert (home.entity_id, home.quote_number_format) == (
        "ent_backer-sohne-gmbh",
        "BSG-{year}-{n:05d}",
    )
    assert (home.time_zone, home.place_of_business) == ("Europe/Berlin", "Bonn")
    assert (home.address.country, found.money) == ("DE", "EUR")
    assert (home.bank, home.signatory, home.default) == (None, None, True)


@pytest.mark.parametrize(
    ("country", "zone"),
    [("US", "America/New_York"), ("FR", "Europe/Paris"), ("CH", "Europe/Zurich")],
)
def test_a_country_has_a_usual_time_zone(country: str, zone: str) -> None:
    assert usual_zone(country) == zone


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("country =", "# country ="), "country"),
        (('"DE"', '"MN"'), "give the time_zone: MN has"),
        (("vat_id =", "# vat_id ="), "give a vat_id, or tax_ids"),
        (('DE = "6.90"', 'Germany = "6.90"'), "delivery"),
        (('"6.90"', '"-1"'), "delivery"),
        (('"6.90"', '"6.901"'), "delivery"),
        (("[address]", "[address"), "house.toml"),
    ],
)
def test_what_cannot_be_worked_out_is_asked_for(
    tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    with pytest.raises(InvalidInputError, match=said):
        read_company(short(tmp_path, SHORT.replace(*change)))


def test_a_seller_abroad_needs_no_tax_number(tmp_path: Path) -> None:
    text = SHORT.replace('"DE"', '"US"').replace("vat_id =", "# vat_id =")
    found = read_company(short(tmp_path, text))
    assert (found.home.vat_id, found.home.tax_ids, found.money) == ("", [], "USD")


def test_a_person_may_be_without_limits_in_a_form_that_has_no_null(tmp_path: Path) -> None:
    person = 'person_id = "per_a"\nname = "A"\nroles = []\nmax_discount_bp = "unlimited"'
    text = f'{SHORT}\n[[people]]\n{person}\nmax_total = "unlimited"\n'
    (found,) = read_company(short(tmp_path, text)).people
    assert (found.max_discount_bp, found.max_total) == (None, None)


def test_delivery_costs_are_rates_of_zones_and_change_with_the_file(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "finance.db", "finance")
    said, zones = set_up(database, short(tmp_path))
    assert zones == ["DE", "EU", "WORLD"]
    assert "delivery costs, whatever it weighs: DE 6.90 EUR, EU 14.90 EUR, WORLD 39 EUR" in said
    set_up(database, short(tmp_path, SHORT.replace('EU = "14.90", ', "").replace("6.90", "7.50")))
    with database.session() as session:
        rates = {row.zone: row.base for row in session.exec(select(FreightRateRow))}
        zone = select(ZoneCountry.country).where(ZoneCountry.zone == "FREIGHT-EU")
        assert len(session.exec(zone).all()) == 27
    assert rates == {"DE": Decimal("7.50"), "WORLD": Decimal(39)}
    database.close()


def test_our_terms_cover_what_our_policies_ask_for_in_both_languages(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "finance.db", "finance")
    set_up(database, short(tmp_path))
    with database.session() as session:
        topics = set(session.get_one(Setting, "policies").value["mandatory_topics"])
        rows = session.exec(select(ClauseRow)).all()
    for language in ("en", "de"):
        assert {row.topic for row in rows if row.language == language} == topics
    assert {row.approved_by for row in rows} == {STARTER}
    database.close()


def test_a_quote_without_a_bank_or_a_signatory_prints_none(tmp_path: Path) -> None:
    file = read_company(short(tmp_path)).home
    shown = block(SellerBlock, Seller(**seller_row(file)))
    assert [column[0] for column in _imprint(shown)] == [
        *("Bäcker & Söhne GmbH", "VAT DE136695976", "angebote@baecker.example"),
    ]
    assert signed(shown) == []
