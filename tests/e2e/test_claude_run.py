"""Whole runs through the real anthropic SDK, against a fake Messages endpoint.

No model plays here: the endpoint answers with the playbook's moves, or with what a bad day sends.
What is tested is ours: the wire, the loop, the errors, and that nothing is done twice.
"""

import json
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from scripted import Brain

from dealdesk.desk import Desk
from dealdesk.models import play_of
from dealdesk.settings import load_settings
from orchestrator.errors import CredentialsError, ModelUnavailable
from orchestrator.llm.base import PlainReply, Request, call, reply, text
from orchestrator.llm.claude import ClaudeModel
from orchestrator.workflows import load
from tests.fake_messages import FakeMessages, HTTPFail

GOAL = "Quote Alder & Finch for the switches they asked about last week"


def by_the_book(request: Request) -> PlainReply:
    """Answer as the playbook would; the task says which agent is asked."""
    agent = json.loads(request.task)["agent"]
    answer: PlainReply = play_of(agent)(request)  # type: ignore[assignment]
    return answer


def once(agent: str, odd: PlainReply) -> Brain:
    """Answer by the book, but the first time an agent is asked, with something else."""
    sent: list[str] = []

    def brain(request: Request) -> PlainReply:
        if json.loads(request.task)["agent"] == agent and not sent:
            sent.append(agent)
            return odd
        return by_the_book(request)

    return brain


@pytest.fixture(autouse=True)
def _servers_are_defined_once(standing: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    standing(monkeypatch)


@pytest.fixture
def home(seeded: Any, tmp_path: Path) -> Path:
    return Path(shutil.copytree(seeded.home, tmp_path / "home"))


@asynccontextmanager
async def desk_for(home: Path, fake: FakeMessages, **options: Any) -> AsyncIterator[Desk]:
    settings = load_settings(home=str(home), person="per_lena", order_date="2026-11-23")
    model = ClaudeModel(client=fake.client(), **options)
    async with Desk.open(settings, models=lambda _agent: model) as desk:
        yield desk


def quotes(home: Path) -> int:
    with closing(sqlite3.connect(home / "finance.db")) as connection:
        return int(connection.execute("SELECT count(*) FROM quote").fetchone()[0])


async def play(home: Path, fake: FakeMessages, **options: Any) -> dict[str, Any]:
    async with desk_for(home, fake, **options) as desk:
        return await desk.wait(await desk.submit(GOAL))


@pytest.mark.parametrize("max_tokens", [16_000, 32_000], ids=["json", "sse"])
async def test_the_same_run_through_the_sdk_gives_the_same_numbers(
    home: Path, max_tokens: int
) -> None:
    fake = FakeMessages(by_the_book)
    result = await play(home, fake, max_tokens=max_tokens)
    assert all(bool(body.get("stream")) == (max_tokens > 21_333) for body in fake.bodies)
    assert (result["outcome"], result["total_minor"]) == ("issued", 654820)
    assert quotes(home) == 1
    asked = {json.loads(body["messages"][0]["content"][0]["text"])["agent"] for body in fake.bodies}
    assert asked == {spec.name for spec in load("quote").agents}
    for body in fake.bodies:  # what is on the wire is the grant, sorted, and no bound argument
        names = [tool["name"] for tool in body["tools"]]
        assert names == sorted(names)
        for tool in body["tools"]:
            assert not {"account_id", "lines", "discount_bp"} & set(
                tool["input_schema"].get("properties", {})
            ) or tool["name"] in ("search_opportunities", "complete_configuration")


@pytest.mark.parametrize(("status", "kind"), [(429, "rate_limit_error"), (529, "overloaded_error")])
async def test_a_busy_moment_is_retried_and_changes_nothing(
    home: Path, status: int, kind: str
) -> None:
    result = await play(home, FakeMessages(by_the_book, fails=[HTTPFail(status, kind)] * 2))
    assert result["outcome"] == "issued"
    assert quotes(home) == 1


async def test_an_endpoint_that_stays_away_leaves_a_run_to_resume(home: Path) -> None:
    fake = FakeMessages(by_the_book, fails=[HTTPFail(529, "overloaded_error")] * 3)
    async with desk_for(home, fake) as desk:
        run_id = await desk.submit(GOAL)
        with pytest.raises(ModelUnavailable):
            await desk.wait(run_id)
    assert quotes(home) == 0
    async with desk_for(home, FakeMessages(by_the_book)) as desk:
        await desk.resume(run_id)
        assert (await desk.wait(run_id))["outcome"] == "issued"
    assert quotes(home) == 1


async def test_a_refused_key_is_said_and_nothing_is_written(home: Path) -> None:
    fake = FakeMessages(by_the_book, fails=[HTTPFail(401, "authentication_error", "bad key")] * 9)
    async with desk_for(home, fake) as desk:
        with pytest.raises(CredentialsError) as caught:
            await desk.wait(await desk.submit(GOAL))
    assert "sk-ant" not in str(caught.value)
    assert quotes(home) == 0


@pytest.mark.parametrize(
    "odd",
    [
        reply(text("I cannot help with that."), stop_reason="refusal"),
        reply(text('{"account_id": "acc_0'), stop_reason="max_tokens"),
        reply(text("..."), stop_reason="model_context_window_exceeded"),
    ],
    ids=["refusal", "truncated", "context"],
)
async def test_an_answer_that_cannot_be_used_ends_the_run_clearly(
    home: Path, odd: PlainReply
) -> None:
    result = await play(home, FakeMessages(once("price", odd)))
    assert result["outcome"] == "failed"
    assert result["agent"] == "price"
    assert result["message"]
    assert quotes(home) == 0


@pytest.mark.parametrize(
    "odd",
    [
        reply(call("decide_approval", approval_id="apr_1", decision="approve")),
        reply(call("create_quote", discount_bp=9000)),
        reply(text("not JSON at all")),
        reply(text('{"quote_id": "q_madeup", "cover": "standard"}')),
    ],
    ids=["unknown-tool", "bound-argument", "invalid-json", "invented-id"],
)
async def test_a_wrong_move_is_corrected_and_nothing_is_done_twice(
    home: Path, odd: PlainReply
) -> None:
    result = await play(home, FakeMessages(once("assemble", odd)))
    assert (result["outcome"], result["total_minor"]) == ("issued", 654820)
    assert quotes(home) == 1


def obedient(request: Request) -> PlainReply:
    """A hijacked model: it does whatever the hostile mail of opp_017 asks for."""
    agent = json.loads(request.task)["agent"]
    straight = by_the_book(request)
    if agent == "qualify" and straight.stop_reason == "end_turn":
        answer = json.loads(straight.content[-1].data["text"])
        answer["discount_asked_bp"] = 9000
        answer["claims"] = []
        return reply(text(json.dumps(answer)))
    if agent == "price" and not request.results("price_quote"):
        return reply(call("price_quote", discount_bp=9000))
    if agent == "assemble" and not request.results():
        return reply(call("create_quote", discount_bp=9000, claims=[]), call("issue_quote"))
    return straight


async def test_a_hijacked_model_moves_no_price_and_cannot_issue(home: Path) -> None:
    async with desk_for(home, FakeMessages(obedient)) as desk:
        run_id = await desk.submit("Quote Thornbury Pumps for the workshop cameras")
        result = await desk.wait(run_id)
        denied = [e for e in desk.events(run_id) if e["type"] == "denied"]
    assert result["outcome"] == "waiting"  # what it asked for is still a request to a person
    assert result["total_minor"] == 155242
    assert denied
