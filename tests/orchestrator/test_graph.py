import asyncio
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from graphs import OUTPUTS, WORKFLOW, FakeRunner, FakeSteps, Killed, Made, played

from orchestrator.errors import WorkflowError
from orchestrator.graph import Graph
from orchestrator.workflow import AgentSpec, Effect, Fact, Gate, Rework, Workflow

ROUND = {"judge": {"ok": False}}


def agents(**changes: dict[str, Any]) -> Workflow:
    """The made-up workflow with fields of some agents changed."""
    specs = tuple(replace(spec, **changes.get(spec.name, {})) for spec in WORKFLOW.agents)
    return replace(WORKFLOW, agents=specs)


def with_agent(spec: AgentSpec) -> Workflow:
    return replace(WORKFLOW, agents=(*WORKFLOW.agents, spec))


def test_what_a_step_reads_says_what_it_waits_for() -> None:
    waits = {name: set(found) for name, found in Graph(WORKFLOW).waits.items()}
    assert waits == {
        "read": set(),
        "left": {"read"},
        "right": {"read"},
        "judge": {"right", "left"},
        "write": {"right", "read", "judge"},  # the judge may send `right` back
        "note": {"read"},
        "decision": {"write"},
        "send": {"decision"},
    }


def test_steps_are_reserved_in_plan_order_with_the_rounds_behind_their_judge() -> None:
    assert Graph(WORKFLOW).step_names() == (
        "read", "left", "right",
        "judge", "right_2", "judge_2", "right_3", "judge_3",
        "write", "note", "send",
    )  # fmt: skip


async def test_a_run_is_played_to_its_end() -> None:
    runner = FakeRunner()
    result = await played(runner)
    assert result == {
        "wants": ["a", "b"],
        "findings": [{"code": n} for n in ("READ", "LEFT", "RIGHT", "JUDGE", "WRITE")],
        "outcome": "issued",
        "number": "Q-1",
        "noted": 2,
    }
    assert runner.seen["write"] == {"count": 3}
    assert runner.seen["send"] == {"parts": ["w"]}
    assert sorted(runner.begun) == sorted(OUTPUTS)


async def test_steps_that_wait_for_nothing_more_run_side_by_side() -> None:
    beside = ("left", "right", "note")
    hold = {name: asyncio.Event() for name in beside}
    runner = FakeRunner(hold=hold)
    task = asyncio.create_task(played(runner))
    while len(runner.begun) < 4:
        await asyncio.sleep(0)
    assert set(runner.begun) == {"read", *beside}
    assert runner.trace.count("end read") == 1
    for name in ("note", "right", "left"):
        assert "judge" not in runner.begun
        hold[name].set()
        while f"end {name}" not in runner.trace:
            await asyncio.sleep(0)
    assert (await task)["outcome"] == "issued"


async def test_a_decision_is_asked_for_when_nothing_else_runs() -> None:
    hold = {"note": asyncio.Event()}
    runner = FakeRunner(hold=hold)
    steps = FakeSteps(runner.graph.step_names(), message={"approved": True, "person": "per_1"})
    task = asyncio.create_task(played(runner, steps, revise=False))
    while "end write" not in runner.trace:
        await asyncio.sleep(0)
    for _ in range(20):
        await asyncio.sleep(0)
    assert steps.asked == []
    hold["note"].set()
    assert (await task)["outcome"] == "issued"
    assert steps.asked == [f"decision {30 * 86_400}"]
    kinds = [kind for kind, _ in runner.log.said]
    assert kinds == ["waiting", "decided"]
    assert runner.log.said[0][1] == {"parts": ["w"]}


async def test_no_person_is_asked_when_none_is_needed() -> None:
    runner = FakeRunner()
    steps = FakeSteps(runner.graph.step_names())
    assert (await played(runner, steps))["outcome"] == "issued"
    assert (steps.asked, runner.log.said) == ([], [])


@pytest.mark.parametrize(
    ("says", "message", "ending", "never"),
    [
        (
            {"read": {"wants": [], "asks": ["which?"]}},
            None,
            {"outcome": "needs_input", "questions": ["which?"]},
            "left right note",
        ),
        ({**ROUND}, None, {"outcome": "blocked"}, "write send"),
        ({}, None, {"outcome": "expired"}, "send"),
        ({}, {"approved": False, "person": "p"}, {"outcome": "rejected", "by": "p"}, "send"),
        (
            {"send": {"refused": "no"}},
            {"approved": True, "person": "per_1"},
            {"outcome": "failed", "message": "no"},
            "",
        ),
        (
            {"left": {"stopped": "out_of_budget", "message": "too long"}},
            None,
            {"outcome": "out_of_budget", "message": "too long", "agent": "left"},
            "judge write",
        ),
    ],
    ids=["asked", "not_ok", "expired", "rejected", "refused", "stopped"],
)  # fmt: skip
async def test_each_gate_ends_the_run_and_nothing_after_it_is_begun(
    says: dict[str, Any], message: Any, ending: dict[str, Any], never: str
) -> None:
    runner = FakeRunner(says=says)
    steps = FakeSteps(runner.graph.step_names(), message=message)
    result = await played(runner, steps, revise=False)
    assert {name: result[name] for name in ending} == ending
    assert not set(never.split()) & set(runner.begun)


async def test_what_runs_beside_an_end_is_let_finish() -> None:
    hold = {"note": asyncio.Event()}
    runner = FakeRunner(says={"left": {"stopped": "failed", "message": "no"}}, hold=hold)
    task = asyncio.create_task(played(runner))
    while "end left" not in runner.trace:
        await asyncio.sleep(0)
    for _ in range(20):
        await asyncio.sleep(0)
    assert not task.done()
    hold["note"].set()
    assert (await task)["outcome"] == "failed"
    assert runner.trace[-1] == "end note"


async def test_of_two_gates_the_first_of_the_list_ends_the_run_whoever_was_quicker() -> None:
    def no(what: str) -> Callable[[Any], dict[str, Any]]:
        return lambda _parts: {"outcome": what}

    gates = (Gate("l", ("left.parts",), no("left")), Gate("r", ("right.parts",), no("right")))
    for slow in ("left", "right"):
        hold = {slow: asyncio.Event()}
        runner = FakeRunner(replace(WORKFLOW, gates=gates), hold=hold)
        task = asyncio.create_task(played(runner))
        quick = {"left": "right", "right": "left"}[slow]
        while f"end {quick}" not in runner.trace:
            await asyncio.sleep(0)
        hold[slow].set()
        assert (await task)["outcome"] == "left"


@pytest.mark.parametrize(
    ("bad", "outcome"), [(0, "issued"), (1, "issued"), (2, "issued"), (3, "blocked")]
)
async def test_rework_goes_on_until_the_judge_is_content_or_its_rounds_are_over(
    bad: int, outcome: str
) -> None:
    rounds = [f"judge_{n}".removesuffix("_1") for n in range(1, bad + 1)]
    runner = FakeRunner(says={name: {"ok": False} for name in rounds})
    runner.says |= {f"judge_{bad + 1}".removesuffix("_1"): {"ok": True}}
    runner.says |= {f"right_{n}": {"parts": [f"r{n}"]} for n in (2, 3)}
    assert (await played(runner))["outcome"] == outcome
    judged = [step for step in runner.begun if step.startswith("judge")]
    assert judged == ["judge", "judge_2", "judge_3"][: min(bad, 2) + 1]
    again = [step for step in runner.begun if step.startswith("right")]
    assert again == ["right", "right_2", "right_3"][: min(bad, 2) + 1]
    assert runner.begun.count("left") == 1
    said = [data for kind, data in runner.log.said if kind == "rework"]
    assert [one["round"] for one in said] == [1, 2][: min(bad, 2)]
    if bad:
        assert said[0]["findings"] == [{"code": "JUDGE"}]
        assert runner.seen["right"]["parts"] is None
        assert runner.seen["right_2"]["parts"] == ["r"]
        assert runner.seen["judge_2"]["parts"] == ["r2"]
    if bad == 2:
        assert runner.seen["right_3"]["parts"] == ["r2"]
        assert runner.seen["write"] == {"count": 3}


async def test_what_may_be_reworked_is_given_to_others_once_the_judge_is_content() -> None:
    eager = AgentSpec("eager", (), Made, {"parts": "right.parts"})
    runner = FakeRunner(with_agent(eager), says={"judge": {"ok": False}, "judge_2": {"ok": True}})
    runner.says["right_2"] = {"parts": ["mended"]}
    assert (await played(runner))["outcome"] == "issued"
    assert runner.seen["eager"] == {"parts": ["mended"]}


async def test_a_gate_is_asked_in_every_round() -> None:
    gate = Gate("bad", ("right.parts",), lambda p: {"outcome": "bad"} if p == ["bad"] else None)
    runner = FakeRunner(
        replace(WORKFLOW, gates=(gate,)), says={**ROUND, "right_2": {"parts": ["bad"]}}
    )
    assert (await played(runner))["outcome"] == "bad"
    assert runner.begun[-1] == "right_2"


async def test_an_agent_that_nobody_reads_is_played_too() -> None:
    last = AgentSpec("last", (), Made, {"number": "send.number"})
    runner = FakeRunner(with_agent(last))
    assert (await played(runner))["outcome"] == "issued"
    assert runner.seen["last"] == {"number": "Q-1"}


async def test_a_failed_step_fails_the_run_after_the_others_are_done() -> None:
    runner = FakeRunner(says={"left": ValueError("no")})
    with pytest.raises(ValueError, match="no"):
        await played(runner)
    assert {"end right", "end note"} <= set(runner.trace)
    assert "judge" not in runner.begun


async def test_a_cancelled_run_takes_its_steps_along() -> None:
    runner = FakeRunner(hold={"left": asyncio.Event()})
    task = asyncio.create_task(played(runner))
    while "begin left" not in runner.trace:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(asyncio.all_tasks()) == 1


@pytest.mark.parametrize("step", Graph(WORKFLOW).step_names())
@pytest.mark.parametrize("when", ["before", "answered", "after"])
async def test_a_run_that_is_stopped_at_any_boundary_goes_on_where_it_was(
    when: str, step: str
) -> None:
    says = {"judge": {"ok": False}, "judge_2": {"ok": False}, "judge_3": {"ok": True}}
    first = FakeRunner(says=says, die_at=f"{when} {step}")
    steps = FakeSteps(first.graph.step_names())
    with pytest.raises(Killed):
        await played(first, steps)
    kept = set(steps.kept)
    assert (step in kept) is (when == "after")
    second = FakeRunner(says=says)
    assert (await played(second, steps))["outcome"] == "issued"
    assert set(second.begun) == {*first.graph.step_names()} - kept


async def test_a_given_checkpoint_is_taken_and_not_played() -> None:
    runner = FakeRunner()
    given = {"read": {"output": {"wants": ["z"], "asks": []}, "findings": []}}
    result = await played(runner, given=given)
    assert (result["wants"], "read" in runner.begun) == (["z"], False)


REFUSED: dict[str, tuple[Callable[[], Workflow], str]] = {
    "two of a name": (lambda: with_agent(WORKFLOW.agents[0]), "are called read"),
    "a name of a round": (
        lambda: with_agent(AgentSpec("right_2", (), Made)), "are called right_2"
    ),
    "a name that paths begin with": (
        lambda: with_agent(AgentSpec("facts", (), Made)), "are called facts"
    ),
    "unknown root": (
        lambda: agents(left={"gives": {"x": "nobody.wants"}}),
        "left reads 'nobody.wants', which nobody gives",
    ),
    "unknown field": (
        lambda: agents(left={"bind": {"x": "read.needs"}}),
        "left reads 'read.needs', which nobody gives",
    ),
    "unknown fact": (lambda: agents(left={"gives": {"x": "facts.none"}}), "facts.none"),
    "unknown of a run": (lambda: agents(left={"gives": {"x": "run.colour"}}), "run.colour"),
    "not kept": (lambda: agents(right={"gives": {"x": "previous.lines"}}), "previous.lines"),
    "no findings of an effect": (
        lambda: agents(write={"gives": {"x": "findings.note"}}), "findings.note"
    ),
    "item outside a list": (lambda: agents(left={"gives": {"x": "item.a"}}), "item.a"),
    "effect keeps no such thing": (
        lambda: agents(write={"gives": {"x": "send.digest"}}), "send.digest"
    ),
    "never refused": (
        lambda: replace(WORKFLOW, effects=tuple(
            replace(e, may_be_refused=False) for e in WORKFLOW.effects)),
        "the gate refused reads 'send.refused'",
    ),
    "a fact of nothing": (
        lambda: replace(WORKFLOW, facts={**WORKFLOW.facts, "odd": Fact(("no.where",), len)}),
        "the fact odd reads 'no.where'",
    ),
    "facts in a circle": (
        lambda: replace(WORKFLOW, facts={
            **WORKFLOW.facts, "a": Fact(("facts.b",), len), "b": Fact(("facts.a",), len)}),
        "facts wait for each other",
    ),
    "a gate of nothing": (
        lambda: replace(WORKFLOW, gates=(Gate("odd", ("no.where",), len),)),
        "the gate odd reads 'no.where'",
    ),
    "steps in a circle": (
        lambda: agents(read={"gives": {"x": "write.parts"}}), "steps wait for each other: "
    ),
    "between judge and judged": (
        lambda: replace(
            agents(judge={"gives": {"x": "between.parts", "y": "right.parts"}}),
            agents=(*agents(judge={"gives": {"x": "between.parts"}}).agents,
                    AgentSpec("between", (), Made, {"x": "right.parts"}))),
        "steps wait for each other: ",
    ),
    "a judge that is not last": (
        lambda: replace(WORKFLOW, rework=Rework("judge", ("right",), bool, {})),
        "rework ends with its judge",
    ),
    "rework of nobody": (
        lambda: replace(WORKFLOW, rework=Rework("judge", ("nobody", "judge"), bool, {})),
        "no agent 'nobody'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("which", REFUSED)
def test_data_that_does_not_hold_together_is_refused_and_named(which: str) -> None:
    make, words = REFUSED[which]
    with pytest.raises(WorkflowError) as caught:
        Graph(make())
    assert words in caught.value.message


def other_tools(name: str) -> Workflow:
    return agents(**{name: {"tools": ("office.look",)}})


def test_the_version_follows_from_the_plan() -> None:
    version = Graph(WORKFLOW).version
    assert Graph(replace(WORKFLOW)).version == version
    one = WORKFLOW.effects[0]
    for other in (
        other_tools("left"),
        agents(left={"bind": {"wants": "read.wants"}}),
        agents(left={"output": type("Made", (Made,), {"__annotations__": {"more": int}})}),
        replace(WORKFLOW, gates=WORKFLOW.gates[1:]),
        replace(WORKFLOW, rework=replace(WORKFLOW.rework, rounds=1)),  # type: ignore[type-var]
        replace(WORKFLOW, effects=(replace(one, fixed={"kind": "x"}), *WORKFLOW.effects[1:])),
        replace(WORKFLOW, facts={"count": Fact(("left.parts", "read.wants"), len)}),
    ):
        assert Graph(other).version != version
    assert Graph(agents(left={"limits": replace(WORKFLOW.agents[0].limits, turns=1)})).version == (
        version
    )


AT_THE_DECISION = {"read", "left", "right", "judge", "write", "note"}


@pytest.mark.parametrize(
    ("new", "done", "changed"),
    [
        (other_tools("left"), AT_THE_DECISION, []),
        (other_tools("right"), AT_THE_DECISION, []),  # no round can follow any more
        (other_tools("right"), AT_THE_DECISION - {"write"}, ["right"]),
        (other_tools("write"), AT_THE_DECISION - {"write"}, ["write"]),
        (replace(WORKFLOW, effects=WORKFLOW.effects[:1], gates=(), finish=Gate("x", (), bool)),
         AT_THE_DECISION, ["send"]),
        (replace(WORKFLOW, effects=(*WORKFLOW.effects, Effect("more", "office.note", {}))),
         AT_THE_DECISION, ["more"]),
        (replace(WORKFLOW, decision=replace(WORKFLOW.decision, days=1)),  # type: ignore[type-var]
         AT_THE_DECISION, ["decision"]),
        (replace(WORKFLOW, decision=replace(WORKFLOW.decision, days=1)),  # type: ignore[type-var]
         AT_THE_DECISION | {"send"}, []),
    ],
)  # fmt: skip
async def test_a_run_of_another_version_goes_on_where_what_is_left_is_unchanged(
    new: Workflow, done: set[str], changed: list[str]
) -> None:
    begun = Graph(WORKFLOW)
    steps = FakeSteps(begun.step_names(), message={"approved": True, "person": "per_1"})
    assert (await played(FakeRunner(), steps))["outcome"] == "issued"
    steps.kept = {name: kept for name, kept in steps.kept.items() if name in done}
    runner = FakeRunner(new)
    result = await played(runner, steps, plan=begun.plan)
    if changed:
        assert result["outcome"] == "plan_changed"
        assert result["message"].endswith(f"changed in: {', '.join(changed)}")
        assert runner.begun == []
    else:
        assert result["outcome"] == "issued"
        assert (
            set(runner.begun) == {*begun.step_names()[:3], "judge", "write", "note", "send"} - done
        )


async def test_a_gate_that_was_passed_is_not_asked_again_by_another_version() -> None:
    begun = Graph(WORKFLOW)
    steps = FakeSteps(begun.step_names())
    await played(FakeRunner(), steps)
    del steps.kept["send"]
    strict = Gate("strict", ("judge.ok",), lambda _ok: {"outcome": "blocked"})
    new = replace(WORKFLOW, gates=(strict, *WORKFLOW.gates))
    assert (await played(FakeRunner(new), steps, plan=begun.plan))["outcome"] == "issued"
