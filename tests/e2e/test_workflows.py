"""A new agent and a new workflow are played when they are written, and nothing else is touched."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dealdesk.desk import Desk
from dealdesk.settings import load_settings
from orchestrator import loading
from orchestrator.errors import UsageError, WorkflowError
from orchestrator.llm.scripted import Request, ScriptedModel, call, reply, text
from orchestrator.workflow import Workflow
from orchestrator.workflows import WORKFLOWS, load

from .conftest import ALDER, BERGWALD, DAY, Command, Folder, clean_environment

ROOT = Path(__file__).parents[2]
SPEC = """
        AgentSpec(
            name="margin",
            tools=("catalog.get_product",),
            output=Margin,
            gives={"sku": "facts.lines", "total_minor": "price.total_minor"},
            verify=verify.verify_margin,
        ),
    )

    EFFECTS = ("""
CONTRACT = """

class Margin(Contract):
    looked: bool = False
"""
VERIFY = '''

def verify_margin(output: Any, _calls: Calls, outputs: Outputs) -> list[str]:
    """The price must be there."""
    return [] if output.looked and outputs["price"] else ["look first"]
'''
PLAY = '''

def play_margin(request: Request) -> Reply:
    """Look at one price."""
    assert inputs_of(request)["total_minor"]
    if not request.results("get_product"):
        return reply(call("get_product", sku="SW-P8-120"))
    return answer({"looked": True})
'''


def edited(path: Path, old: str, new: str) -> None:
    source = path.read_text(encoding="utf-8")
    assert source.count(old) == 1, old
    path.write_text(source.replace(old, new), encoding="utf-8")


@pytest.mark.timeout(120)
def test_an_agent_that_is_written_is_played_shown_and_listed(
    seeded: Folder, copy: Callable[[Folder], Path], tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    for floor in ("orchestrator", "dealdesk"):
        shutil.copytree(ROOT / floor, tree / floor)
    quote = tree / "orchestrator" / "workflows" / "quote"
    spec = "\n".join(line.removeprefix("    ") for line in SPEC.splitlines()[1:])
    edited(quote / "__init__.py", ")\n\nEFFECTS = (", spec)
    edited(quote / "__init__.py", "    Check,\n", "    Check,\n    Margin,\n")
    for path, more in (
        (quote / "contracts.py", CONTRACT),
        (quote / "verify.py", VERIFY),
        (tree / "dealdesk" / "playbook" / "quote.py", PLAY),
    ):
        path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")
    story = quote / "instructions" / "margin.md"
    story.write_text("# margin: look at a price\n", encoding="utf-8")
    home = copy(seeded)

    def dealdesk(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "dealdesk", *words],
            env=clean_environment(home) | {"PYTHONPATH": str(tree), "DEALDESK_PERSON": "per_lena"},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    done = dealdesk("run", ALDER, *DAY)
    assert done.returncode == 0, done.stderr
    assert "✓ margin" in done.stderr
    assert "Quote issued" in done.stdout
    listed = json.loads(dealdesk("tools", "--agent", "margin", "--json").stdout)
    assert listed[0]["tools"] == ["catalog.get_product"]
    story.unlink()
    refused = dealdesk("run", ALDER, *DAY)
    assert (refused.returncode, refused.stdout) == (3, "")
    assert "margin has no job story" in refused.stderr


TINY = """
from pydantic import BaseModel

from orchestrator.workflow import AgentSpec, Effect, Gate, Workflow


class Found(BaseModel):
    account_id: str | None = None


class Greeting(BaseModel):
    kind: str


def nobody(account_id):
    return None if account_id else {"outcome": "needs_input", "questions": []}


def done(kind, total):
    return {"outcome": "done", "message": f"a {kind} with {total} interactions"}


WORKFLOW = Workflow(
    name="greet",
    package=__name__,
    agents=(
        AgentSpec("find", ("crm.resolve_account",), Found, {"goal": "run.goal"},
                  reads_untrusted=True),
        AgentSpec("greet", ("crm.get_account",), Greeting,
                  bind={"account_id": "find.account_id"}, reads_untrusted=True),
    ),
    effects=(
        Effect("count", "crm.list_interactions", {"account_id": "find.account_id"},
               keeps={"total": "total"}),
    ),
    gates=(Gate("nobody", ("find.account_id",), nobody),),
    finish=Gate("done", ("greet.kind", "count.total"), done),
    report={"account_id": "find.account_id"},
)
"""


@pytest.fixture
def greet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A second workflow: a folder of its own, and a row in the list."""
    folder = tmp_path / "packages" / "greet_workflow"
    (folder / "instructions").mkdir(parents=True)
    (folder / "__init__.py").write_text(TINY, encoding="utf-8")
    for name in ("find", "greet"):
        (folder / "instructions" / f"{name}.md").write_text(f"# {name}: do it\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder.parent))
    monkeypatch.setitem(WORKFLOWS, "greet", "greet_workflow")
    monkeypatch.delitem(sys.modules, "greet_workflow", raising=False)
    return "greet"


def greeting(request: Request) -> Any:
    agent = json.loads(request.task)["agent"]
    if agent == "find":
        found = request.results("resolve_account")
        if not found:
            return reply(call("resolve_account", text="Alder & Finch"))
        return reply(text(json.dumps({"account_id": found[0]["candidates"][0]["account_id"]})))
    read = request.results("get_account")
    if not read:
        return reply(call("get_account"))
    return reply(text(json.dumps({"kind": read[0]["kind"]})))


async def test_a_second_workflow_is_a_folder_and_a_row(
    greet: str, seeded: Folder, copy: Callable[[Folder], Path]
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
        assert caught.value.fix == "one of: quote, greet"


def test_an_agent_without_a_play_is_refused_by_name(
    greet: str, command: Command, seeded: Folder, copy: Callable[[Folder], Path]
) -> None:
    home = copy(seeded)
    command("run", ALDER, *DAY, home=home).fails(3, "no play for the agent find", "play_find")
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
    other: str,
    seeded: Folder,
    copy: Callable[[Folder], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = str(copy(seeded))
    mine = load_settings(home=home, model="playbook", person="per_lena", order_date=DAY[1])
    async with Desk.open(mine) as desk:
        run_id = await desk.submit(BERGWALD)
        waiting = await desk.wait(run_id)
        assert waiting["outcome"] == "waiting"
    monkeypatch.setattr(loading, "load_all", lambda: [with_other(other)])
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
