"""Every query of the repository is narrowed by the grant; this calls them under narrow grants."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from servers.crm.schemas import Outcome, Stage
from servers.crm.store import (
    accounts,
    completions,
    needs,
    opportunities,
    quotes,
    search,
    sheets,
    stories,
)
from servers.toolkit.database import Database
from servers.toolkit.errors import ForbiddenError, NotFoundError

OFFERED = {"number": None, "total_minor": 1, "currency": "EUR"}
OTHERS_ACCOUNT: dict[str, Callable[[Session], object]] = {
    "get_account": lambda s: accounts.get_account(s, "acc_102"),
    "list_contacts": lambda s: accounts.list_contacts(s, "acc_102", 20, None),
    "list_addresses": lambda s: accounts.list_addresses(s, "acc_102", 20, None),
    "list_documents": lambda s: stories.list_documents(s, "acc_102", 20, None),
    "list_interactions": lambda s: stories.list_interactions(s, "acc_102", 20, None),
    "quote_history": lambda s: quotes.quote_history(s, "acc_102", 20, None),
    "account_readiness": lambda s: quotes.account_readiness(s, "acc_102"),
    "record_account_quote": lambda s: quotes.record_account_quote(
        s, "acc_102", {"quote_id": "q_1", "revision": 1}, Outcome.DRAFT, OFFERED
    ),
    "account_sheet": lambda s: sheets.account_sheet(s, "acc_102"),
    "search_opportunities": lambda s: opportunities.search_opportunities(
        s, "", "acc_102", open_only=False, limit=20, cursor=None
    ),
}
OTHERS_DEAL: dict[str, Callable[[Session], object]] = {
    "get_opportunity": lambda s: opportunities.get_opportunity(s, "opp_103"),
    "list_activities": lambda s: stories.list_activities(s, "opp_103", 20, None),
    "read_message": lambda s: stories.read_message(s, "opp_103", "act_103_1"),
    "read_document": lambda s: stories.read_document(s, "opp_103", "doc_103_1", 0),
    "search_text": lambda s: stories.search_text(s, "opp_103", "CANARY", 20, None),
    "list_needs": lambda s: needs.list_needs(s, "opp_103", 20, None),
    "quote_readiness": lambda s: quotes.quote_readiness(s, "opp_103"),
    "story": lambda s: sheets.story(s, "opp_103"),
    "record_need": lambda s: needs.record_need(
        s, "opp_103", "act_103_1", 0, 5, quantity=Decimal(1), unit=None, optional=False
    ),
    "confirm_need": lambda s: needs.confirm_need(s, "opp_103", "need_1", 1),
    "log_activity": lambda s: stories.log_activity(s, "opp_103", "note", "words"),
    "update_stage": lambda s: opportunities.update_stage(s, "opp_103", Stage.PROPOSAL, 1),
    "record_quote_outcome": lambda s: quotes.record_quote_outcome(
        s, "opp_103", {"quote_id": "q_1", "revision": 1}, Outcome.DRAFT, OFFERED
    ),
}
BINDINGS = [
    {"account_id": ("acc_101",)},
    {"opportunity_id": ("opp_101",)},
    {"account_id": ("acc_101",), "opportunity_id": ("opp_101",)},
    {"account_id": ()},
]


@pytest.mark.parametrize("bind", BINDINGS, ids=str)
@pytest.mark.parametrize("query", [*OTHERS_ACCOUNT.values(), *OTHERS_DEAL.values()])
def test_another_customers_row_is_no_row(
    database: Database, grant: Any, bind: dict[str, Any], query: Callable[[Session], object]
) -> None:
    grant(bind=bind)
    with database.write() as session, pytest.raises(NotFoundError, match=r"no (account|opport)"):
        query(session)


@pytest.mark.parametrize("query", [*OTHERS_ACCOUNT.values(), *OTHERS_DEAL.values()])
def test_without_a_grant_there_is_nothing(
    database: Database, query: Callable[[Session], object]
) -> None:
    with database.session() as session, pytest.raises(ForbiddenError):
        query(session)


@pytest.mark.parametrize("bind", BINDINGS[:3], ids=str)
def test_lists_and_searches_hold_granted_rows_only(
    database: Database, grant: Any, bind: dict[str, Any]
) -> None:
    grant(bind=bind)
    with database.session() as session:
        assert accounts.resolve_account(session, "Larkspur Pharma").resolved is None
        assert accounts.resolve_account(session, "Jörg Weiß").candidates == []
        found = accounts.search_accounts(session, "Larkspur", None, 20, None)
        assert [row.account_id for row in found.items] == ["acc_101"]
        deals = opportunities.search_opportunities(
            session, "", None, open_only=False, limit=20, cursor=None
        )
        expected = ["opp_101"] if "opportunity_id" in bind else ["opp_101", "opp_102"]
        assert sorted(row.opportunity_id for row in deals.items) == expected
        spoken = opportunities.search_opportunities(
            session, "switches CANARY", None, open_only=False, limit=20, cursor=None
        )
        assert [row.opportunity_id for row in spoken.items] == ["opp_101"]
        assert completions.accounts(session, "acc", {}) == ["acc_101"]
        assert completions.opportunities(session, "opp", {}) == expected


def test_a_grant_for_one_deal_sees_nothing_of_the_accounts_other_deals(
    database: Database, grant: Any
) -> None:
    grant(bind={"opportunity_id": ("opp_101",)})
    with database.session() as session:
        assert accounts.get_account(session, "acc_101").open_opportunities == 1
        assert quotes.quote_history(session, "acc_101", 20, None).total == 0
        told = stories.list_interactions(session, "acc_101", 100, None)
        assert {row.opportunity_id for row in told.items} == {"opp_101"}
        assert told.total == sum(told.by_kind.values()) == 4
        papers = stories.list_documents(session, "acc_101", 100, None)
        assert {row.opportunity_id for row in papers.items} == {"opp_101"}
        with pytest.raises(NotFoundError):
            stories.read_message(session, "opp_101", "act_102_1")
        with pytest.raises(NotFoundError):
            stories.read_document(session, "opp_101", "doc_103_1", 0)


def test_a_span_cannot_point_into_another_deal(database: Database, grant: Any) -> None:
    grant()
    with database.write() as session, pytest.raises(NotFoundError, match="no activity_id"):
        needs.record_need(
            session, "opp_101", "act_103_1", 0, 5, quantity=Decimal(1), unit=None, optional=False
        )


HOSTILE = [
    '"', "'", "*", "a* OR b", "NEAR(a b)", "title:secret", "AND", "OR OR", "NOT", "(", "^a", "a-b",
    "-- x", "%", "_", "\\", "ß" * 200, "😀", "; DROP TABLE account", "' || 1 --", "a:b:c",
]  # fmt: skip


@pytest.mark.parametrize("typed", HOSTILE)
def test_what_is_typed_is_never_a_query_language(reading: Session, typed: str) -> None:
    stories.search_text(reading, "opp_101", typed, 20, None)
    accounts.search_accounts(reading, typed, None, 20, None)
    accounts.resolve_account(reading, typed)
    completions.accounts(reading, typed, {})
    completions.opportunities(reading, typed, {})
    opportunities.search_opportunities(reading, typed, None, open_only=False, limit=20, cursor=None)


def test_texts_are_found_by_stem_accent_and_part(reading: Session) -> None:
    def found(query: str) -> list[str]:
        return [h.source_id for h in stories.search_text(reading, "opp_101", query, 20, None).items]

    assert "act_101_1" in found("switch")
    assert found("große") == ["act_101_3"] == found("Größe")
    assert found("delivery door") == ["doc_101_1"]
    assert "doc_101_1" in found("delivery zeppelin")  # no text holds both words
    assert found("zeppelin") == []
    assert found("...") == []


def test_a_snippet_says_where_it_stands(reading: Session) -> None:
    hit = stories.search_text(reading, "opp_101", "spare supplies", 20, None).items[0]
    text = stories.read_message(reading, "opp_101", hit.source_id).text
    assert text[hit.start : hit.start + len(hit.snippet)] == hit.snippet
    assert "spare supplies" in hit.snippet


def test_a_snippet_of_a_long_text_starts_near_the_word() -> None:
    body = "filler words " * 500 + "the Größe of it"
    found, start = search.snippet(body, ["grosse", "große"])
    assert "Größe" in found
    assert body[start : start + len(found)] == found


def test_the_right_one_of_two_open_deals_is_found(reading: Session) -> None:
    found = opportunities.search_opportunities(
        reading,
        "the switches they asked about last week",
        "acc_101",
        open_only=True,
        limit=20,
        cursor=None,
    )
    assert [row.opportunity_id for row in found.items] == ["opp_101"]
    assert found.items[0].reasons == ["'switches' in the subject"]
    assert found.items[0].last_activity_at is not None
    named = opportunities.search_opportunities(
        reading, "Larkspur Tools, Orla", "acc_101", open_only=True, limit=20, cursor=None
    )
    assert [row.score for row in named.items] == [0, 0]
    everything = opportunities.search_opportunities(
        reading, "last week", "acc_101", open_only=True, limit=20, cursor=None
    )
    assert [row.opportunity_id for row in everything.items] == ["opp_101", "opp_102"]


def test_pages_follow_each_other(reading: Session) -> None:
    first = stories.list_activities(reading, "opp_101", 3, None)
    second = stories.list_activities(reading, "opp_101", 3, first.next_cursor)
    ids = [row.activity_id for row in (*first.items, *second.items)]
    assert ids == ["act_101_1", "act_101_2", "act_101_3", "act_101_4"]
    assert (first.total, second.total, second.next_cursor) == (4, 4, None)


def test_what_happened_cannot_be_changed(database: Database) -> None:
    for statement in (
        "UPDATE activity SET text = 'x'",
        "DELETE FROM activity",
        "UPDATE quote_step SET outcome = 'accepted'",
        "DELETE FROM quote_step",
    ):
        with pytest.raises(IntegrityError, match="append-only"), database.write() as session:
            session.connection().exec_driver_sql(statement)
