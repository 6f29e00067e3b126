"""A new agent and a new workflow are played when they are written, and nothing else is touched."""

import json
import runpy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scripted import Brain, Request, ScriptedModel

from dealdesk.desk import Desk
from dealdesk.settings import load_settings
from orchestrator import runner
from orchestrator.errors import UsageError, WorkflowError
from orchestrator.workflow import Workflow
from orchestrator.workflows import WORKFLOWS, load

from .conftest import BERGWALD, DAY, Command, Folder

ROOT = Path(__file__).parents[2]
RECIPES = ROOT / "tests" / "recipes"


@pytest.fixture
def greet(monkeypatch: pytest.MonkeyPatch) -> str:
    """A second workflow: a folder of its own, and a row in the list."""
    monkeypatch.syspath_prepend(str(RECIPES / "workflow" / "orchestrator" / "workflows"))
    monkeypatch.setitem(WORKFLOWS, "greet", "greet")
    return "greet"


@pytest.fixture
def greeting() -> Brain:
    """The scripted model's moves, which are those of the recipe's offline plays."""
    plays = runpy.run_path(str(RECIPES / "workflow_offline" / "dealdesk" / "playbook" / "greet.py"))

    def brain(request: Request) -> Any:
        return plays[f"play_{json.loads(request.task)['agent']}"](request)

    return brain


async def test_a_second_workflow_is_a_folder_and_a_row(
    greet: str, greeting: Brain, seeded: Folder, copy: Callable[[Folder], Path]
) -> None:
    settings = load_settings(home=str(copy(seeded)), person="per_lena", order_date=DAY[1])
    async with Desk.open(settings, models=lambda _agent: ScriptedModel(greeting)) as desk:
        run_id = await desk.submit("Greet Alder & Finch", workflow=greet)
        result = await desk.wait(run_id)
        assert (result["outcome"], result["account_id"]) == ("done", "acc_001")
        assert result["message"].startswith("a business with ")
        played = [e["agent"] for e in desk.events(run_id) if e["type"] == "agent_finished"]
        assert played == ["find", "greet"]
        with pytest.raises(UsageError, match="no workflow 'nothing'") as caught:
            await desk.submit("Greet them", workflow="nothing")
        assert caught.value.fix == f"one of: {', '.join(WORKFLOWS)}"


def test_an_agent_without_a_play_is_refused_by_name(
    greet: str, command: Command, seeded: Folder, copy: Callable[[Folder], Path]
) -> None:
    goal = ("run", "Greet Alder & Finch", "--workflow", greet)
    command(*goal, home=copy(seeded)).fails(3, "no play for the agent find", "play_find")
    listed = command("tools", "--agent", "greet", "--json").json
    assert listed[0]["tools"] == ["crm.get_account"]


def with_other(kind: str) -> Workflow:
    """The quote workflow as the next release might have it."""
    flow = load("quote")
    if kind == "agent":
        spec = replace(flow.agent("match"), tools=flow.agent("match").tools[:-1])
        return replace(flow, agents=tuple(spec if a.name == "match" else a for a in flow.agents))
    effects = tuple(
        replace(e, keeps={**e.keeps, "status": "status"}) if e.name == "issue" else e
        for e in flow.effects
    )
    return replace(flow, effects=effects)


@pytest.mark.parametrize("other", ["agent", "effect"])
async def test_a_waiting_run_of_another_version_goes_on_if_what_is_left_is_unchanged(
    other: str, seeded: Folder, copy: Callable[[Folder], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = str(copy(seeded))
    mine = load_settings(home=home, model="playbook", person="per_lena", order_date=DAY[1])
    async with Desk.open(mine) as desk:
        run_id = await desk.submit(BERGWALD)
        waiting = await desk.wait(run_id)
        assert waiting["outcome"] == "waiting"
    monkeypatch.setattr(runner, "load_all", lambda: [with_other(other)])
    boss = load_settings(home=home, model="playbook", person="per_tomas", order_date=DAY[1])
    async with Desk.open(boss) as desk:
        row = desk.run_row(run_id)
        quote = await desk.awaiting_decision(row)
        assert await desk.decide(row, quote, approved=True, note="fine") == []
        result = await desk.wait(run_id)
        if other == "agent":
            assert result["outcome"] == "issued"
            return
        assert result["outcome"] == "plan_changed"
        assert result["message"] == "since this run began, the plan has changed in: issue"
        row = desk.run_row(run_id)
        assert (row["status"], row["quote_id"]) == ("done", waiting["quote_id"])
        assert result["quote_id"] == waiting["quote_id"]


def test_the_list_holds_what_it_names() -> None:
    for name in WORKFLOWS:
        assert load(name).name == name
    with pytest.raises(WorkflowError, match="no agent 'nobody' in quote"):
        load("quote").agent("nobody")
