import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.durable.events import CHATTY, ONCE, TYPES, EventLog
from orchestrator.durable.store import Store


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EventLog]:
    store = Store(f"sqlite:///{tmp_path}/runs.db")
    yield EventLog(store)
    store.close()


@pytest.fixture
def commits(log: EventLog, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count the transactions that really stored something."""
    counted: list[int] = []
    flush = log.store.flush

    def counting() -> None:
        if log.store._held:
            counted.append(len(log.store._held))
        flush()

    monkeypatch.setattr(log.store, "flush", counting)
    return counted


def test_the_kinds_are_one_list() -> None:
    assert CHATTY | ONCE < TYPES
    assert not CHATTY & ONCE


def test_an_event_says_who_what_and_in_which_order(log: EventLog) -> None:
    log.append("run_a", "run_started", goal="Quote them")
    log.append("run_a", "agent_finished", agent="match_2", output={"lines": []}, calls=3)
    first, second = log.store.events("run_a")
    assert (first["v"], first["seq"], first["type"]) == (1, 1, "run_started")
    assert (second["seq"], second["agent"]) == (2, "match_2")
    assert second["data"] == {"output": {"lines": []}, "calls": 3}


@pytest.mark.parametrize(
    ("kind", "data", "said"),
    [
        ("agent_exploded", {}, "no event is called"),
        ("turn", {"x": object()}, "not JSON"),
        ("turn", {"x": float("nan")}, "JSON"),
    ],
)
def test_unknown_kinds_and_what_is_not_json_are_refused(
    log: EventLog, kind: str, data: dict[str, object], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        log.append("run_a", kind, **data)


def test_what_a_replayed_body_says_again_is_stored_once(log: EventLog) -> None:
    for _life in range(2):
        for round_ in (1, 2):
            log.append("run_a", "rework", round=round_, findings=[])
        log.append("run_a", "waiting", quote_id="q_1", approvals=[])
        log.append("run_a", "run_finished", outcome="issued")
    kinds = [event["type"] for event in log.store.events("run_a")]
    assert kinds == ["rework", "rework", "waiting", "run_finished"]


async def test_small_talk_is_stored_together_and_the_rest_at_once(
    log: EventLog, commits: list[int]
) -> None:
    for _ in range(20):
        log.append("run_a", "tool_call", agent="match", tool="get_product")
    assert commits == []
    log.append("run_a", "agent_finished", agent="match")
    assert commits == [21]


async def test_small_talk_does_not_wait_long(log: EventLog, commits: list[int]) -> None:
    log.append("run_a", "turn", agent="match")
    async with asyncio.timeout(5):
        while not commits:
            await asyncio.sleep(0.01)
    log.append("run_a", "turn", agent="match")
    async with asyncio.timeout(5):
        while len(commits) < 2:
            await asyncio.sleep(0.01)
    assert commits == [1, 1]


async def test_agents_side_by_side_share_one_order(log: EventLog) -> None:
    async def agent(name: str) -> None:
        for _ in range(10):
            log.append("run_a", "turn", agent=name)
            await asyncio.sleep(0)

    await asyncio.gather(agent("profile"), agent("match"))
    events = log.store.events("run_a")
    assert [event["seq"] for event in events] == list(range(1, 21))
    assert {event["agent"] for event in events} == {"profile", "match"}


async def test_a_run_can_be_followed_to_its_end(log: EventLog) -> None:
    log.append("run_a", "run_started", goal="Quote them")

    async def go_on() -> None:
        for kind in ("agent_started", "agent_finished", "run_finished"):
            log.append("run_a", kind)
            await asyncio.sleep(0)

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(go_on())
        seen = [event["type"] async for event in log.follow("run_a", after=1, poll=0.005)]
    assert seen == ["agent_started", "agent_finished", "run_finished"]
