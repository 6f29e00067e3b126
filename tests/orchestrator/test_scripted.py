"""The scripted model, and what a rule-playing model can read from a request."""

import pytest
from scripted import ScriptedModel, call, reply, text

from orchestrator.errors import ModelError
from orchestrator.llm.base import Request


async def ask(model, messages):
    return await model.complete(system="s", messages=messages, tools=[], output={})


def user(*content):
    return {"role": "user", "content": list(content) or "task"}


def said(answer):
    return {"role": "assistant", "content": [dict(b.to_dict()) for b in answer.content]}


async def test_replies_are_played_by_the_turn_of_the_transcript():
    first, second = reply(call("look")), reply(text("done"))
    model = ScriptedModel([first, second])
    assert await ask(model, [user(), said(first), user()]) is second
    assert await ask(model, [user()]) is first  # a resumed run starts where its transcript ends


async def test_a_script_may_be_a_function_of_the_request():
    model = ScriptedModel(lambda request: reply(text(request.system)), name="mirror/1")
    answer = await ask(model, [user()])
    assert answer.content[0].to_dict() == {"type": "text", "text": "s"}
    assert model.name == "mirror/1"


async def test_an_exhausted_script_is_an_error():
    with pytest.raises(ModelError, match="has 1 replies and turn 2"):
        await ask(ScriptedModel([reply(call("look"))]), [user(), said(reply(call("look")))])


async def test_requests_are_kept_as_they_were():
    model, messages = ScriptedModel([reply(text("a")), reply(text("b"))]), [user()]
    await ask(model, messages)
    messages.append(said(reply(text("a"))))
    await ask(model, messages)
    assert [len(request.messages) for request in model.requests] == [1, 2]


def test_a_reply_stops_for_what_it_holds_and_numbers_its_calls():
    both = reply(text("hm"), call("a", x=1), call("b"))
    assert both.stop_reason == "tool_use"
    assert [b.to_dict().get("id") for b in both.content] == [None, "toolu_1", "toolu_2"]
    assert both.content[1].to_dict()["input"] == {"x": 1}
    assert reply(text("hm")).stop_reason == "end_turn"
    assert reply(stop_reason="refusal").content == ()


def test_results_are_paired_by_place_so_that_repeated_ids_do_no_harm():
    one, two = said(reply(call("a"), call("b"))), said(reply(call("a")))

    def told(*contents):
        return user(
            *({"type": "tool_result", "tool_use_id": "toolu_0", "content": c} for c in contents)
        )

    messages = (user(), one, told('{"n": 1}', "ERROR: X: no."), two, told("plain words"))
    request = Request("s", messages, ({"name": "a"},), {})
    assert request.results("a") == [{"n": 1}, "plain words"]
    assert request.results("b") == ["ERROR: X: no."]
    assert len(request.results()) == 3
    assert request.turn == 2
    assert request.task == "task"
    assert request.tool_names == {"a"}
