"""Screening: no spelling loses a hit, every hit is a person's, and a review stays visible."""

import unicodedata
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from fastmcp.exceptions import ToolError
from finance_support import Clock, by, call, drafted, everyone
from hypothesis import assume, given
from hypothesis import strategies as st
from sqlmodel import select as select_rows

from servers.finance.facts.legal import Listed, Party, Review, ScreeningList
from servers.finance.facts.windows import Window
from servers.finance.law.screening import (
    CUSTOMER,
    SUFFIXES,
    hits,
    likeness,
    normalise,
    screen,
    verdict_of,
)
from servers.finance.store.legal import find_screening
from servers.finance.tables.customers import CustomerRow, RelatedParty, ScreeningReview
from servers.finance.tables.legal import ScreeningEntry
from servers.toolkit.app import Server
from servers.toolkit.database import Database
from servers.toolkit.findings import Finding

DAY = date(2026, 11, 23)
LISTED = ScreeningList(
    "demo",
    date(2026, 11, 1),
    Decimal(80),
    90,
    (
        Listed("S1", "Borealis Dynamics Trading FZE", "AE", ("Polar Metals Exchange",)),
        Listed("S2", "Größer & Söhne KG", ""),
        Listed("S3", "Łódź Ørsted Œuvres", "PL"),
    ),
)


def of(name: str, country: str = "", reviews: tuple[Review, ...] = ()) -> list[Finding]:
    return screen([Party(CUSTOMER, name, country)], LISTED, DAY, reviews)


@pytest.mark.parametrize(("step", "found"), [("-0.1", 1), ("0", 1), ("0.1", 0)])
def test_a_name_as_like_as_the_threshold_is_a_hit(step: str, found: int) -> None:
    like = likeness("Polar Metals Trading", "Polar Metals Exchange")
    listed = Listed("S1", "Polar Metals Exchange", "AE")
    against = replace(LISTED, entries=(listed,), threshold=like + Decimal(step))
    assert len(hits([Party(CUSTOMER, "Polar Metals Trading", "AE")], against)) == found


@pytest.mark.parametrize(
    ("name", "entries"),
    [
        ("Borealis Dynamics Trading FZE", ["S1"]),
        ("BOREALIS DYNAMIC TRADING Ltd.", ["S1"]),
        ("Trading Dynamics Borealis", ["S1"]),
        ("Polar Metal Exchange S.p.A.", ["S1"]),
        ("Бореалис Динамикс Трейдинг", ["S1"]),
        ("Grösser und Söhne", ["S2"]),
        ("GROESSER & SOEHNE GmbH & Co. KG", ["S2"]),
        ("Grosser Sohne", ["S2"]),
        ("Lodz Orsted Oeuvres Sp. z o.o.", ["S3"]),
        ("Alder & Finch Ltd", []),
        ("GmbH", []),
        ("", []),
    ],
)
def test_names_are_compared_and_every_hit_goes_to_a_person(name: str, entries: list[str]) -> None:
    found = of(name)
    assert [one.subject for one in found] == entries
    assert all(one.severity == "needs_human" for one in found)
    assert verdict_of(found) == ("needs_human" if entries else "clear")


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("S.A.", "sa"),
        ("Ferriera Adriatica S.r.l.", "ferriera adriatica"),
        ("Møller A/S", "moller"),
        ("Żabka Sp. z o.o.", "zabka"),
        ("Tienda S.A. de C.V.", "tienda"),
        ("Hrast d.o.o.", "hrast"),
        ("O'Neill Pty Ltd", "oneill"),
        ("Ｗｉｄｅ Inc", "wide"),
        ("ΑΘΗΝΑ Α.Ε.", "athina ae"),
    ],
)
def test_names_lose_case_accents_and_legal_form(name: str, plain: str) -> None:
    assert normalise(name) == plain


WORDS = st.lists(
    st.text(st.characters(categories=("Ll",), max_codepoint=0x17F), min_size=3, max_size=10),
    min_size=2,
    max_size=4,
)
SUFFIX = st.sampled_from(sorted(SUFFIXES))


@given(words=WORDS, order=st.randoms(use_true_random=False), suffix=SUFFIX, other=SUFFIX)
def test_case_accents_suffix_and_word_order_never_lose_a_hit(
    words: list[str], order: object, suffix: str, other: str
) -> None:
    assume(all(normalise(word) not in SUFFIXES and len(normalise(word)) > 2 for word in words))
    name = " ".join(words)
    plain = "".join(c for c in unicodedata.normalize("NFD", name) if not unicodedata.combining(c))
    shuffled = list(words)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    listed = f"{name} {suffix.upper()}"
    for written in (name.upper(), plain, " ".join(shuffled), f"{name.title()} {other}"):
        assert likeness(listed, written) == 100, (listed, written)


@given(name=st.text(max_size=60))
def test_any_text_is_like_itself_or_has_no_letters(name: str) -> None:
    assert likeness(name, name) == (100 if normalise(name) else 0)
    assert normalise(normalise(name)) == normalise(name) or not normalise(name)


def test_a_country_is_evidence_and_never_rules_a_hit_out() -> None:
    same, other, unknown = (of("Borealis Dynamics Trading", c) for c in ("AE", "DE", ""))
    assert len(same) == len(other) == len(unknown) == 1
    assert same[0].evidence[1] == "same country AE"
    assert other[0].evidence[1] == "other country: DE, which does not rule it out"
    assert unknown[0].evidence[1] == "countries cannot be compared"


def test_an_alias_is_named_when_it_is_what_matched() -> None:
    (found,) = of("Polar Metals Exchange")
    assert found.evidence[0] == "Polar Metals Exchange (AE)"


def test_everybody_who_goes_with_the_customer_is_screened() -> None:
    parties = [Party(CUSTOMER, "Alder"), Party("consignee", "Borealis Dynamics Trading")]
    (found,) = screen(parties, LISTED, DAY)
    assert found.message.startswith("The consignee's name is 100")


def test_an_old_list_is_said() -> None:
    late = date(2027, 3, 1)
    assert [one.code for one in screen([Party(CUSTOMER, "X")], LISTED, late)] == ["SCREENING_STALE"]
    assert [f.code for f in screen([Party(CUSTOMER, "X")], LISTED, date(2027, 1, 30))] == []


REVIEW = Review(
    "rev_1",
    "S1",
    "Borealis Dynamics Trading LLC",
    "Borealis Dynamics Trading FZE",
    "different_party",
    "per_jonas",
    Window(date(2026, 11, 1), date(2026, 12, 31)),
)


def test_a_reviewed_hit_is_shown_as_reviewed_and_not_erased() -> None:
    (found,) = of("Borealis Dynamics Trading LLC", reviews=(REVIEW,))
    assert (found.code, found.severity, found.subject) == ("SCREENING_REVIEWED", "info", "S1")
    assert "per_jonas on 2026-11-01, holds until 2026-12-31" in found.evidence[-1]
    assert verdict_of([found]) == "clear"


@pytest.mark.parametrize(
    "changes",
    [
        {"window": Window(date(2026, 1, 1), date(2026, 11, 22))},
        {"window": Window(date(2026, 11, 24), date(2027, 1, 1))},
        {"entry_id": "S2"},
        {"party_name": "Borealis Dynamics"},
        {"listed_name": "Some other name"},
    ],
)
def test_a_review_holds_for_its_names_and_days_only(changes: dict[str, object]) -> None:
    other = replace(REVIEW, **changes)  # type: ignore[arg-type]
    (found,) = of("Borealis Dynamics Trading LLC", reviews=(other,))
    assert found.code == "SCREENING_HIT"


def test_the_newest_review_holds_and_the_same_party_is_blocked() -> None:
    newer = replace(
        REVIEW,
        review_id="rev_2",
        decision="same_party",
        window=Window(date(2026, 11, 20), date(2026, 12, 31)),
    )
    (found,) = of("Borealis Dynamics Trading LLC", reviews=(newer, REVIEW))
    assert (found.code, verdict_of([found])) == ("SCREENING_BLOCKED", "blocked")


def test_no_demo_customer_is_on_the_demo_list(database: Database) -> None:
    with database.session() as session:
        listed = find_screening(session)
        names = [row.legal_name for row in session.exec(select_rows(CustomerRow))]
    assert hits([Party(CUSTOMER, name) for name in names], listed) == []


def _list_customer(database: Database, **more: str) -> None:
    with database.write() as session:
        session.add(ScreeningEntry(entry_id="T-1", name="Bergwald Holz", country="AT"))
        if more:
            session.add(RelatedParty(party_id="pty_1", account_id="acc_001", **more))


async def test_a_named_person_of_legal_reviews_a_hit(
    app: Server, database: Database, clock: Clock
) -> None:
    _list_customer(database)
    hit = await call(app, everyone(), "screen_party", {"account_id": "acc_008"})
    assert (hit["verdict"], hit["findings"][0]["code"]) == ("needs_human", "SCREENING_HIT")
    waiting = await drafted(app)
    assert [n["role"] for n in waiting["approvals_needed"]] == ["legal"]
    decision = {"account_id": "acc_008", "entry_id": "T-1", "decision": "different_party"}
    tools = everyone().tools | {"review_screening"}
    with pytest.raises(ToolError):
        await call(app, everyone(tools=tools), "review_screening", decision)
    legal = by("per_jonas", tools=tools)
    with pytest.raises(ToolError, match="FORBIDDEN"):
        await call(app, by("per_tomas", tools=tools), "review_screening", decision)
    with pytest.raises(ToolError, match="NOT_FOUND"):
        await call(app, legal, "review_screening", {**decision, "entry_id": "SCR-001"})
    made = await call(app, legal, "review_screening", decision, "key-1")
    again = await call(app, legal, "review_screening", decision, "key-1")
    assert (made["decided_by"], made["expires_on"]) == ("per_jonas", "2027-05-22")
    assert (again["review_ids"], again["replayed"]) == (made["review_ids"], True)
    seen = await call(app, everyone(), "screen_party", {"account_id": "acc_008"})
    assert (seen["verdict"], seen["findings"][0]["code"]) == ("clear", "SCREENING_REVIEWED")
    free = await drafted(app, opportunity_id="opp_901")
    assert free["auto_issue"] is True
    document = await call(app, everyone(), "get_quote", {"quote_id": free["quote_id"]})
    assert [(r["area"], r["severity"]) for r in document["risks"]] == [("screening", "info")]
    clock.forward(days=181)
    late = await call(app, everyone(), "screen_party", {"account_id": "acc_008"})
    assert late["findings"][0]["code"] == "SCREENING_HIT"


async def test_the_same_party_blocks_every_quote(app: Server, database: Database) -> None:
    _list_customer(database)
    with database.write() as session:
        session.add(
            ScreeningReview(
                review_id="rev_x",
                account_id="acc_008",
                entry_id="T-1",
                party_name="Bergwald Holz GmbH",
                listed_name="Bergwald Holz",
                decision="same_party",
                decided_by="per_jonas",
                decided_on=DAY,
                expires_on=DAY,
            )
        )
    seen = await call(app, everyone(), "screen_party", {"account_id": "acc_008"})
    assert seen["verdict"] == "blocked"
    with pytest.raises(ToolError, match="SCREENING_BLOCKED"):
        await drafted(app)


async def test_a_related_party_is_screened_with_its_customer(
    app: Server, database: Database
) -> None:
    _list_customer(database, role="owner", name="BERGWALD-HOLZ")
    seen = await call(app, everyone(), "screen_party", {"account_id": "acc_001"})
    assert seen["screened"] == ["customer", "owner"]
    assert seen["findings"][0]["message"].startswith("The owner's name is 100")


def test_a_house_that_screens_nobody_says_so_and_needs_no_person() -> None:
    nobody = replace(LISTED, off=True, entries=(), as_of=date(1970, 1, 1))
    (found,) = screen([Party(CUSTOMER, "Borealis Dynamics Trading FZE")], nobody, DAY)
    assert (found.code, found.severity) == ("SCREENING_OFF", "info")
    assert verdict_of([found]) == "clear"
    names = screen([Party(CUSTOMER, "Polar Metals Exchange")], replace(LISTED, off=True), DAY)
    assert [one.code for one in names] == ["SCREENING_HIT"], "names that are there are compared"
