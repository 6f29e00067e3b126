"""The CRM is told once of each quote that expired, by whoever looks next."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dealdesk.expiries import note, tell_expired, to_ask
from orchestrator.durable.store import Store
from orchestrator.errors import EnvironmentProblem, UsageError

NOW = datetime(2026, 11, 23, 9, 14, 59, tzinfo=UTC)
QUOTES = [
    {
        "quote_id": f"q_{number}",
        "revision": 1,
        "number": f"Q-{number}",
        "currency": "EUR",
        "opportunity_id": f"opp_{number}" if number < 3 else "",
        "total_minor": number,
    }
    for number in (1, 2, 3)
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path}/runs.db")
    yield opened
    opened.close()


def desk(store: Store, told: list[Any], refused: dict[str, Exception] | None = None) -> Any:
    """A desk whose finance lists three quotes, and whose CRM refuses some."""

    async def whole(server: str, tool: str, asked: dict[str, Any]) -> dict[str, Any]:
        told.append((server, tool, asked))
        return {"items": [{**quote, "account_id": "acc_1"} for quote in QUOTES]}

    async def look(server: str, tool: str, asked: dict[str, Any]) -> dict[str, Any]:
        told.append((server, tool, asked))
        if problem := (refused or {}).get(asked["quote_id"]):
            raise problem
        return {}

    return SimpleNamespace(store=store, whole=whole, look=look)


async def test_each_is_told_once(store: Store) -> None:
    told: list[Any] = []
    for _ in range(2):
        await tell_expired(desk(store, told), NOW)
    assert told[0] == ("finance", "list_quotes", {"status": "expired", "limit": 100})
    deals, account = QUOTES[:2], {**QUOTES[2], "account_id": "acc_1"}
    del account["opportunity_id"]
    assert told[1:] == [
        *(("crm", "record_quote_outcome", {**quote, "outcome": "expired"}) for quote in deals),
        ("crm", "record_account_quote", {**account, "outcome": "expired"}),
    ]


async def test_what_the_crm_refuses_holds_up_no_other(store: Store) -> None:
    told: list[Any] = []
    await tell_expired(desk(store, told, {"q_1": UsageError("it is accepted")}), NOW)
    assert len(told) == 4
    assert to_ask(store, NOW) is None


async def test_what_cannot_be_told_is_told_the_next_time(store: Store) -> None:
    told: list[Any] = []
    await tell_expired(desk(store, told, {"q_2": EnvironmentProblem("the CRM is away")}), NOW)
    await tell_expired(desk(store, told), NOW)
    asked = [one[2].get("quote_id", "list") for one in told]
    assert asked == ["list", "q_1", "q_2", "list", "q_1", "q_2", "q_3"]


@pytest.mark.parametrize(("later", "due"), [(-1, False), (0, True), (1, True)])
def test_nothing_is_asked_within_a_quarter_of_an_hour(store: Store, later: int, due: bool) -> None:
    """Noted at 9:14:59, it is due from 9:15 on: no day ends anywhere before."""
    note(store, NOW)
    asked = to_ask(store, NOW.replace(minute=15, second=0) + timedelta(seconds=later))
    assert (asked is not None) is due
    if asked is not None:
        assert asked["expired_since"] == "2026-11-23T08:45:00+00:00", "with a quarter to spare"
