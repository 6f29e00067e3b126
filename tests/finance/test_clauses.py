"""The clause library: every text whole and hashed, every set complete and free of conflict."""

from collections import Counter
from dataclasses import replace
from datetime import date
from itertools import product
from typing import get_args

import pytest
from finance_support import call, drafted, everyone
from hypothesis import given
from hypothesis import strategies as st
from legal_support import House, codes, facts

from servers.finance.facts.windows import Window
from servers.finance.law.clauses import (
    HOLDS,
    Key,
    applies,
    check_mandatory,
    check_set,
    hash_of,
    in_force,
)
from servers.finance.load.legal import BRACES
from servers.toolkit.app import Server
from servers.toolkit.database import Database
from servers.toolkit.findings import Severity

FLAGS = ("goods", "service", "subscription", "personal_data", "export_control", "hazmat", "camera")
KINDS = ("business", "reseller", "government")
ZONES = ("HOME", "EU", "OUTSIDE")


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


def test_every_clause_is_whole_and_fixed_by_its_hash(house: House) -> None:
    assert len({clause.clause_id for clause in house.clauses}) >= 40
    for clause in house.clauses:
        assert clause.sha256 == hash_of(clause.text), clause.clause_id
        assert 80 <= len(clause.text) <= 600, clause.clause_id
        assert not BRACES.search(clause.text + clause.title), clause.clause_id
        assert clause.text.endswith("."), clause.clause_id
        assert max(len(s) for s in clause.text.split(". ")) <= 260, clause.clause_id
        assert clause.owner
        if clause.status == "approved":
            assert clause.approved_by, clause.clause_id
            assert clause.approved_on is not None
            assert clause.window.first is not None
            assert clause.approved_on <= clause.window.first
    texts = Counter(clause.text for clause in house.clauses)
    assert texts.most_common(1)[0][1] == 1, "no text is there twice"


def test_the_keys_of_conditions_are_the_keys_the_rules_know(house: House) -> None:
    assert set(HOLDS) == set(get_args(Key))
    assert {key for clause in house.clauses for key in clause.when} <= set(HOLDS)


@pytest.mark.parametrize(("kind", "zone"), list(product(KINDS, ZONES)))
def test_every_kind_and_zone_gets_a_complete_set_without_conflict(
    house: House, kind: str, zone: str
) -> None:
    """No two clauses of a topic ever fire together, whatever is sold."""
    for picked in product((False, True), repeat=len(FLAGS)):
        flags = frozenset(flag for flag, on in zip(FLAGS, picked, strict=True) if on)
        if not flags & {"goods", "service", "subscription"}:
            continue
        terms = house.select(
            customer_kind=kind,
            zone=zone,
            flags=flags,
            families=frozenset({"routers", "servers", "subscriptions"}),
            industry="water",
            currency="USD",
            total_minor=10**8,
        )
        assert terms.findings == (), (kind, zone, sorted(flags), codes(terms))
        assert max(Counter(c.topic for c in terms.clauses).values()) == 1
        assert len(terms.clauses) <= 60, "more than an agent may hand over"


@given(
    kind=st.sampled_from([*KINDS, "consumer", "club"]),
    zone=st.sampled_from([*ZONES, "MOON"]),
    flags=st.sets(st.sampled_from([*FLAGS, "hosted_outside", "by_agreement"])),
    country=st.sampled_from(["DE", "US", "CH", "AE"]),
)
def test_any_facts_give_a_complete_set_or_a_finding(
    kind: str, zone: str, flags: set[str], country: str
) -> None:
    house = LIBRARY["house"]
    terms = house.select(customer_kind=kind, zone=zone, flags=frozenset(flags), country=country)
    topics = {clause.topic for clause in terms.clauses}
    needed = {t for t, flag in house.policy.mandatory_topics.items() if not flag or flag in flags}
    said = {found.subject for found in terms.findings if found.code == "MISSING_CLAUSE"}
    assert needed - topics == said
    assert list(terms.reasons) == terms.clause_ids
    assert all(clause.status == "approved" for clause in terms.clauses)
    again = house.select(
        list(reversed(house.clauses)),
        customer_kind=kind,
        zone=zone,
        flags=frozenset(flags),
        country=country,
    )
    assert again == terms, "the order of the library does not matter"


LIBRARY: dict[str, House] = {}


@pytest.fixture(autouse=True, scope="module")
def library(filled: object) -> None:
    """Read the demo's library once, for tests that try many facts."""
    database = Database.open(str(filled), "finance")
    LIBRARY["house"] = House(database)
    database.close()


def test_only_the_newest_approved_version_in_force_is_selectable(house: House) -> None:
    old = house.clause("CL-CANCEL")
    new = replace(old, version=2, text="New.", window=Window(date(2026, 12, 1)))
    draft = replace(old, version=3, status="draft")
    library = [*house.clauses, new, draft]
    before = house.select(library)
    after = house.select(library, day=date(2026, 12, 1))
    assert [c.version for c in before.clauses if c.clause_id == "CL-CANCEL"] == [1]
    assert [c.version for c in after.clauses if c.clause_id == "CL-CANCEL"] == [2]
    retired = [replace(c, status="retired") if c is old else c for c in house.clauses]
    assert "CL-CANCEL" not in house.select(retired).clause_ids
    assert ("CL-WITHDRAWAL", "en") not in in_force(house.clauses, date(2026, 11, 23))


def test_a_clause_written_for_another_law_does_not_apply(house: House) -> None:
    terms = house.select(seller_country="FR")
    assert [f.subject for f in terms.findings] == ["governing_law"]
    assert house.select().reasons["CL-LAW-DE"] == "jurisdiction: DE; kinds: business; zones: HOME"


def test_facts_that_are_not_known_meet_no_condition(house: House) -> None:
    rail = house.clause("CL-RAIL")
    assert applies(rail, facts(industry="")) == ""
    assert applies(rail, facts(industry="rail")) == "industries: rail"
    abroad = replace(rail, when={"not_countries": ("US",), "not_flags": ("hazmat",)})
    assert applies(abroad, facts()) == "not_countries: DE; not_flags: no hazmat"
    assert applies(abroad, facts(country="US")) == ""
    assert applies(abroad, facts(flags=frozenset({"hazmat"}))) == ""


def test_two_laws_can_never_be_approved_and_other_conflicts_go_to_legal(house: House) -> None:
    law = [house.clause("CL-LAW-DE"), house.clause("CL-LAW-CH")]
    found = check_set([*house.select().clauses, law[1]], facts(), house.policy)
    assert [(f.code, f.severity) for f in found] == [
        ("CLAUSE_CONFLICT", Severity.ERROR),
        ("CLAUSE_CONFLICT", Severity.NEEDS_HUMAN),
    ]
    other = replace(house.clause("CL-INTEGRITY"), conflicts_with=("CL-CANCEL",))
    given_ = [other if c.clause_id == "CL-INTEGRITY" else c for c in house.select().clauses]
    (one,) = check_set(given_, facts(), house.policy)
    assert one.evidence == ["CL-CANCEL", "CL-INTEGRITY"]


def test_a_mandatory_clause_left_out_without_another_is_missing(house: House) -> None:
    about = facts(flags=frozenset({"goods", "hazmat"}))
    selected = house.select(flags=about.flags).clauses
    fewer = [c for c in selected if c.clause_id != "CL-HAZMAT-CARRIAGE"]
    (found,) = check_mandatory(selected, fewer, about, house.policy)
    assert (found.code, found.subject) == ("MISSING_CLAUSE", "hazmat_transport")
    assert check_mandatory(selected, selected, about, house.policy) == []


def test_another_language_is_taken_when_all_of_it_is_approved(house: House) -> None:
    german = [
        replace(c, language="xx", text=f"xx {c.text}", sha256=hash_of(f"xx {c.text}"))
        for c in house.select().clauses
    ]
    whole = house.select([*house.clauses, *german], language="xx")
    assert {clause.language for clause in whole.clauses} == {"xx"}
    assert whole.clause_ids == house.select().clause_ids
    assert whole.findings == ()
    part = house.select([*house.clauses, *german[1:]], language="xx")
    assert {clause.language for clause in part.clauses} == {"en"}
    assert [(f.code, f.severity) for f in part.findings] == [("CLAUSE_LANGUAGE", "info")]
    assert part.findings[0].evidence == [german[0].clause_id]
    unapproved = [replace(c, status="draft") for c in german]
    assert codes(house.select([*house.clauses, *unapproved], language="xx")) == ["CLAUSE_LANGUAGE"]


def test_personal_data_hosted_outside_goes_to_legal(house: House) -> None:
    flags = frozenset({"subscription", "personal_data", "hosted_outside"})
    terms = house.select(flags=flags)
    assert codes(terms) == ["CLAUSE_TRANSFER"]
    assert {"CL-DPA", "CL-DATA-HOSTING"} <= set(terms.clause_ids)


async def test_a_proposed_clause_asks_legal_with_its_reason(app: Server) -> None:
    plain = await drafted(app)
    shown = await call(app, everyone(), "get_quote", {"quote_id": plain["quote_id"]})
    ids = [clause["clause_id"] for clause in shown["clauses"]]
    swapped = ["CL-WARRANTY-36" if one == "CL-WARRANTY" else one for one in ids]
    draft = await drafted(
        app,
        opportunity_id="opp_901",
        clause_ids=[one for one in swapped if one != "CL-RETURNS"],
        deviations=[{"clause_id": "CL-WARRANTY-36", "reason": "customer_request"}],
    )
    needs = {need["rule_id"]: need for need in draft["approvals_needed"]}
    assert set(needs) == {"clause:CL-WARRANTY-36", "clause:CL-RETURNS"}
    assert {need["role"] for need in needs.values()} == {"legal"}
    assert "customer request" in needs["clause:CL-WARRANTY-36"]["reason"]
    assert draft["total_minor"] == plain["total_minor"]
    document = await call(app, everyone(), "get_quote", {"quote_id": draft["quote_id"]})
    assert [row["area"] for row in document["risks"]] == ["deviation", "deviation"]
    (clause,) = [c for c in document["clauses"] if c["clause_id"] == "CL-WARRANTY-36"]
    assert clause["sha256"] == hash_of(clause["text"])


@pytest.mark.parametrize("flags", [{"goods"}, {"goods", "service"}])
def test_a_german_business_that_buys_goods_has_them_all_in_german(
    house: House, flags: set[str]
) -> None:
    """Services have no approved German text yet, so with one of them all of it is in English."""
    families = frozenset({"servers", "switches"})
    terms = house.select(
        language="de", flags=frozenset(flags), families=families, total_minor=10**8
    )
    wanted = "de" if flags == {"goods"} else "en"
    assert {clause.language for clause in terms.clauses} == {wanted}
    assert codes(terms) == ([] if wanted == "de" else ["CLAUSE_LANGUAGE"])
    prepaid = house.select(language="de", chosen="PREPAY")
    assert {clause.language for clause in prepaid.clauses} == {"de"}
