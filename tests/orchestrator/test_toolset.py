"""What an agent sees of the servers, what it can send them, and what it is told."""

import asyncio
import json
import pickle
from contextlib import asynccontextmanager, nullcontext
from types import SimpleNamespace

import pytest
import toy
from fastmcp import Client, FastMCP

from orchestrator.errors import BudgetExceeded, EnvironmentProblem, ScopeError, WrongAnswer
from orchestrator.runner import Runner
from orchestrator.toolset import MAX_RESULT_CHARS, ScopedToolset
from orchestrator.workflows.quote import EFFECTS, WORKFLOW

LINES = [{"sku": "SW-P8-120", "quantity": 10}]


async def test_shows_only_the_allowed_tools_sorted_in_the_api_shape(scope):
    async with scope("say", "get_account") as toolset:
        tools = toolset.tools
    assert [tool["name"] for tool in tools] == ["get_account", "say"]
    assert set(tools[0]) == {"name", "description", "input_schema"}
    assert tools[0]["description"] == "Get an account."
    assert tools[0]["input_schema"]["required"] == ["account_id"]


async def test_a_tool_that_is_not_there_is_a_loud_error_naming_the_choices(scope):
    with pytest.raises(ScopeError, match="no tool 'get_acount' is there") as caught:
        async with scope("get_acount"):
            pass
    assert "get_account" in caught.value.fix


async def test_a_call_returns_data_and_the_same_as_json_text(scope):
    async with scope("get_account") as toolset:
        call = await toolset.call("get_account", {"account_id": "acc_001"})
    assert call.result == {"account_id": "acc_001", "name": "Alder & Finch"}
    assert json.loads(call.text) == call.result
    assert (call.outcome, call.is_error) == ("ok", False)
    assert call.seconds > 0
    assert toolset.calls == (call,)


@pytest.mark.parametrize("name", ["add_note", "decide_approval", "", "x" * 500])
async def test_a_tool_outside_the_grant_is_refused_before_sending(scope, office, name):
    async with scope("get_account") as toolset:
        call = await toolset.call(name, {"body": "hello"})
    assert office.seen == []
    assert call.outcome == "denied"
    assert call.text.startswith("ERROR: NO_SUCH_TOOL: ")
    assert "Try: one of get_account." in call.text
    assert len(call.text) < 150
    assert toolset.calls == (call,)


async def test_one_allowed_value_is_hidden_from_the_model_and_filled_in(scope, office):
    bind = {"account_id": ["acc_001"], "lines": [LINES]}
    async with scope("check", "get_account", bind=bind) as toolset:
        shown = {tool["name"]: tool["input_schema"] for tool in toolset.tools}
        call = await toolset.call("check", {})
        await toolset.call("get_account", {"account_id": "acc_001"})  # saying it is no offence
    assert shown["check"]["properties"] == {}
    assert shown["check"]["required"] == shown["get_account"]["required"] == []
    assert office.seen[0] == ("check", {"lines": LINES, "account_id": "acc_001"})
    assert call.arguments == {"lines": LINES, "account_id": "acc_001"}
    assert office.names == ["check", "get_account"]


async def test_another_value_for_a_hidden_argument_is_refused_not_replaced(scope, office):
    async with scope("get_account", bind={"account_id": ["acc_001"]}) as toolset:
        call = await toolset.call("get_account", {"account_id": "acc_002"})
    assert office.seen == []
    assert call.outcome == "denied"
    assert call.text == "ERROR: FIXED: account_id is set by your task. Try: leave it out."
    assert call.arguments == {"account_id": "acc_002"}


async def test_none_is_a_value_an_argument_can_be_bound_to(scope, office):
    async with scope("say", bind={"words": [None]}) as toolset:
        call = await toolset.call("say", {"words": "hello"})
    assert call.outcome == "denied"


async def test_several_allowed_values_are_a_choice(scope, office):
    async with scope("get_account", bind={"account_id": ["acc_001", "acc_002"]}) as toolset:
        schema = toolset.tools[0]["input_schema"]
        good = await toolset.call("get_account", {"account_id": "acc_002"})
        bad = await toolset.call("get_account", {"account_id": "acc_003"})
        none = await toolset.call("get_account", {})
    assert schema["properties"]["account_id"]["enum"] == ["acc_001", "acc_002"]
    assert schema["required"] == ["account_id"]
    assert [good.outcome, bad.outcome, none.outcome] == ["ok", "denied", "denied"]
    assert bad.text.endswith('Try: "acc_001", "acc_002".')
    assert office.names == ["get_account"]


@pytest.mark.parametrize("values", ["acc_001", [], None, 7])
def test_a_binding_must_be_a_list_of_values(office, values):
    with pytest.raises(ScopeError, match="account_id is bound to no list"):
        ScopedToolset(Client(office.app), ["get_account"], bind={"account_id": values})


async def test_a_binding_no_tool_takes_is_a_loud_error(scope):
    with pytest.raises(ScopeError, match="bound argument accont_id"):
        async with scope("get_account", bind={"accont_id": ["acc_001"]}):
            pass


@pytest.mark.parametrize("arguments", [None, "account_id=1", ["acc_001"]])
async def test_arguments_that_are_no_object_are_refused(scope, office, arguments):
    async with scope("get_account") as toolset:
        call = await toolset.call("get_account", arguments)
    assert call.text.startswith("ERROR: INVALID_INPUT: ")
    assert office.seen == []


async def test_what_a_tool_judged_reaches_the_model(scope):
    async with scope("complain", "get_account") as toolset:
        complaint = await toolset.call("complain", {})
    assert complaint.text == "ERROR: NOT_FOUND: no such row. Try: another id."
    assert (complaint.outcome, complaint.result) == ("error", None)


@pytest.mark.parametrize(
    ("tool", "said"),
    [
        ("crash", "the office server failed during crash"),
        ("stall", "the office server failed during stall"),
        ("jam", "the office database stayed locked"),
    ],
)
async def test_trouble_of_a_server_stops_the_agent_and_is_never_told_the_model(office, tool, said):
    clients, timeout = {"office": Client(office.app)}, 0.05 if tool == "stall" else 30
    async with ScopedToolset(clients, {f"office.{tool}"}, timeout=timeout) as toolset:
        with pytest.raises(EnvironmentProblem) as caught:
            await toolset.call(tool, {})
        assert toolset.calls == ()
    assert caught.value.message == said


async def test_text_only_results_are_given_as_they_are_within_a_limit(scope):
    async with scope("say") as toolset:
        words = await toolset.call("say", {"words": "hello"})
        silence = await toolset.call("say", {"words": ""})
        flood = await toolset.call("say", {"words": "x" * (MAX_RESULT_CHARS + 1)})
    assert (words.text, words.result) == ("hello", None)
    assert silence.text.startswith("ERROR: NO_RESULT: ")
    assert flood.text == "ERROR: TOO_LONG: the result has 100001 characters. Try: a smaller page."


async def test_a_server_that_breaks_its_own_schema_stops_the_run(scope):
    async with scope("lie") as toolset:
        with pytest.raises(EnvironmentProblem, match="failed during lie"):
            await toolset.call("lie", {})


async def test_findings_are_collected_from_results(scope):
    async with scope("check", "say") as toolset:
        call = await toolset.call("check", {"lines": []})
        words = await toolset.call("say", {"words": "{}"})
    assert call.findings == [{"code": "PSU_MISSING", "severity": "error"}]
    assert words.findings == []


async def test_calls_are_kept_in_the_order_they_were_asked_for(scope, office):
    async with scope("meet", "say") as toolset:
        await asyncio.gather(
            toolset.call("meet", {"who": "a"}),
            toolset.call("nobody", {}),
            toolset.call("meet", {"who": "b"}),
        )
    assert [call.arguments.get("who") for call in toolset.calls] == ["a", None, "b"]


async def test_a_write_carries_a_key_that_counts_effects_not_attempts(scope, office):
    async with scope("add_note", idempotency_prefix="run_1:assemble") as toolset:
        for body in ("bad", "one", "two"):
            await toolset.call("add_note", {"body": body})
    async with scope("add_note", idempotency_prefix="run_1:assemble") as toolset:
        again = await toolset.call("add_note", {"body": "worded anew"})
    first, second = "run_1:assemble:add_note:0", "run_1:assemble:add_note:1"
    assert office.keys == [first, first, second, first]
    assert again.result == {"body": "one", "replayed": True}


async def test_writes_asked_for_at_once_have_keys_of_their_own(scope, office):
    async with scope("add_note", idempotency_prefix="run_1:x") as toolset:
        await asyncio.gather(*(toolset.call("add_note", {"body": b}) for b in "ab"))
        assert not toolset.reads_only("add_note")
    assert office.keys == ["run_1:x:add_note:0", "run_1:x:add_note:1"]


async def test_without_a_prefix_no_key_is_sent(scope, office):
    async with scope("add_note") as toolset:
        await toolset.call("add_note", {"body": "one"})
    assert office.keys == [None]


def test_a_prefix_the_servers_would_ignore_is_refused(office):
    with pytest.raises(ScopeError, match="at most 120"):
        ScopedToolset(Client(office.app), [], idempotency_prefix="x" * 121)


async def test_one_toolset_spans_several_servers(office):
    other = type(office)("annex")
    clients = {"office": Client(office.app), "annex": Client(other.app)}
    async with ScopedToolset(clients, {"office.get_account", "annex.say"}) as toolset:
        await toolset.call("say", {"words": "hello"})
        await toolset.call("get_account", {"account_id": "acc_001"})
        assert [tool["name"] for tool in toolset.tools] == ["get_account", "say"]
    assert office.names == ["get_account"]


@pytest.mark.parametrize(
    ("allowed", "words"),
    [
        (["office.say", "annex.say"], "two servers have an allowed tool 'say'"),
        (["shed.say"], "no tool 'shed.say' is there"),
        (["say"], "no tool 'say' is there"),
        (["office.sing"], "no tool 'office.sing' is there"),
    ],
)
async def test_names_over_several_servers_must_be_clear(office, allowed, words):
    clients = {"office": Client(office.app), "annex": Client(type(office)("annex").app)}
    with pytest.raises(ScopeError, match=words):
        async with ScopedToolset(clients, allowed):
            pass


async def test_a_server_that_is_not_there_is_named():
    with pytest.raises(EnvironmentProblem, match="crm server cannot be reached"):
        async with ScopedToolset({"crm": Client("http://127.0.0.1:9/mcp")}, ["crm.say"]):
            pass


async def test_a_closed_toolset_calls_nothing(scope, office):
    async with scope("get_account") as toolset:
        pass
    call = await toolset.call("get_account", {"account_id": "acc_001"})
    assert call.outcome == "denied"
    assert office.seen == []


async def test_behind_the_gate_both_sides_agree(tmp_path):
    app = toy.toy_app(toy.toy_database(tmp_path / "toy.db"))
    grant = toy.grant(tools=frozenset({"get_note", "add_note"}), bind={"account_id": ("acc_1",)})
    bind = {"account_id": ["acc_1"]}
    for _ in range(2):
        async with ScopedToolset(
            Client(app.view(grant)), grant.tools, bind=bind, idempotency_prefix="run_1:note"
        ) as toolset:
            read = await toolset.call("get_note", {})
            written = await toolset.call("add_note", {"body": "hello"})
    assert read.result is not None
    assert read.result["body"] == "pumps"
    assert written.result is not None
    assert written.result["replayed"] is True
    with pytest.raises(ScopeError, match="list_notes"):  # not granted reads as not there
        async with ScopedToolset(Client(app.view(grant)), ["list_notes"]):
            pass


def test_errors_survive_pickling():
    error = pickle.loads(pickle.dumps(BudgetExceeded("no more", fix="less")))  # noqa: S301
    assert (error.message, error.fix) == ("no more", "less")


NAMES_A_DEAL = [
    one.name
    for one in EFFECTS
    if one.tool != "runs.claim" and {"quote_id", "opportunity_id"} & {*one.arguments}
]
OTHERS = {"quote_id": "q_other", "opportunity_id": "opp_2", "digest": "d", "number": "Q-2026-9"}


async def test_an_answer_about_another_bound_row_stops_the_agent():
    """A draft that finance made for another deal is not handed on as this one's."""
    liar = FastMCP("finance")

    @liar.tool
    def create_quote(opportunity_id: str) -> dict[str, str]:
        return {"quote_id": "q_1", "opportunity_id": f"{opportunity_id}"[:-1] + "2"}

    for deal in ("opp_1", "opp_2"):
        toolset = ScopedToolset(Client(liar), {"create_quote"}, bind={"opportunity_id": [deal]})
        async with toolset:
            if deal == "opp_2":
                assert not (await toolset.call("create_quote", {})).is_error
                continue
            with pytest.raises(WrongAnswer, match="opportunity_id opp_1, and answered about opp_2"):
                await toolset.call("create_quote", {})


@pytest.mark.parametrize("name", NAMES_A_DEAL)
@pytest.mark.parametrize("honest", [True, False])
async def test_an_effects_answer_about_another_quote_or_deal_fails_the_run(name, honest):
    effect = next(one for one in EFFECTS if one.name == name)
    asked = {one: f"{one}_1" for one in effect.arguments}

    async def call_tool_mcp(_tool, _arguments, **_more):
        said = asked if honest else {**asked, **OTHERS}
        return SimpleNamespace(is_error=False, structured_content=said, content=[])

    client = SimpleNamespace(call_tool_mcp=call_tool_mcp)
    servers = SimpleNamespace(hold=lambda *_args, **_more: _held(client))
    runner = Runner(WORKFLOW, None, servers, None, None, None)
    with nullcontext() if honest else pytest.raises(WrongAnswer):
        await runner._call({"id": "run_1"}, effect, asked, 0)


@asynccontextmanager
async def _held(client):
    yield client
