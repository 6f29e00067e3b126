"""One agent: a model and its tools, until there is a valid answer or a limit is reached.

What the loop holds to, whichever model plays:

- a tool runs only when the model stopped in order to call it; a turn that was cut off is not used;
- the calls of one turn are answered together and in order; neighbours that only read run side by
  side, a write runs alone;
- what tools return reaches the model as tool results, never as instructions or as the task;
- the answer is the contract's type, and `verify` has compared it with what the tools really said.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from orchestrator.errors import AgentFailed, BudgetExceeded
from orchestrator.llm.base import Json, Model, Spent, unusable
from orchestrator.toolset import Call, ScopedToolset
from orchestrator.workflow import Limits, schema_of

Output = TypeVar("Output", bound=BaseModel)
Verify = Callable[[Any, Sequence[Call]], list[str]]
OnEvent = Callable[..., None]
"""Called as `on_event(kind, **data)`: `turn`, `tool_call`, `denied`, `repair`; data is JSON."""

IDENTICAL_CALLS = 3
"""The same call with the same arguments for this many times is going in circles."""


@dataclass(frozen=True)
class AgentResult(Generic[Output]):
    """What an agent hands over, and what it took; `usage` counts tokens, as JSON."""

    output: Output
    calls: tuple[Call, ...]
    usage: dict[str, int]
    turns: int

    @property
    def findings(self) -> list[Mapping[str, Any]]:
        return [finding for call in self.calls for finding in call.findings]


@dataclass
class Agent(Generic[Output]):
    """A model that works with its tools; the transcript is plain JSON.

    Nothing from outside belongs into `system` (the job story) or `task` (the facts, as text).
    `verify` says what is wrong with a valid answer, given the calls that were made.
    """

    name: str
    system: str
    task: str
    output: type[Output]
    toolset: ScopedToolset
    model: Model
    limits: Limits = field(default_factory=Limits)
    verify: Verify = lambda _output, _calls: []
    on_event: OnEvent = lambda _kind, **_data: None
    messages: list[Json] = field(default_factory=list, init=False)
    spent: Spent = field(default_factory=Spent, init=False)
    turns: int = field(default=0, init=False)
    asked: Counter[str] = field(default_factory=Counter, init=False)
    repaired: set[str] = field(default_factory=set, init=False)

    async def run(self) -> AgentResult[Output]:
        """Play until there is a valid answer; the tools are open already.

        Raises:
            AgentFailed: the answer stayed wrong after one repair of each kind, or the same call
                was made over and over.
            BudgetExceeded: a limit was reached.
            ModelError: the model or its endpoint gave nothing usable.
            EnvironmentProblem: a server is gone.
        """
        self.messages.append(_user(_text(self.task)))
        try:
            async with asyncio.timeout(self.limits.seconds) as deadline:
                return await self._play()
        except TimeoutError:
            if not deadline.expired():
                raise
            raise self._over("seconds", self.limits.seconds) from None

    async def _play(self) -> AgentResult[Output]:
        while True:
            stop, content = await self._ask()
            if stop == "tool_use":
                self.messages.append(_user(*await self._use(content)))
            elif (answer := self._judge(content)) is not None:
                return AgentResult(answer, self.toolset.calls, asdict(self.spent), self.turns)

    def _over(self, which: str, limit: float) -> BudgetExceeded:
        return BudgetExceeded(
            f"{self.name} reached its limit of {limit:g} {which.replace('_', ' ')}",
            fix="raise the limit, or ask for less at once",
        )

    async def _ask(self) -> tuple[str, list[Json]]:
        """Return why the model stopped and what it said, once that is fit to be used."""
        if self.turns >= self.limits.turns:
            raise self._over("turns", self.limits.turns)
        if self.spent.total >= self.limits.tokens:
            raise self._over("tokens", self.limits.tokens)
        reply = await self.model.complete(
            system=self.system,
            messages=self.messages,
            tools=self.toolset.tools,
            output=schema_of(self.output),
        )
        self.turns += 1
        self.spent = self.spent.plus(reply.usage)
        stop, content = reply.stop_reason, [dict(block.to_dict()) for block in reply.content]
        calls = sum(block["type"] == "tool_use" for block in content)
        self.on_event("turn", turn=self.turns, stop=stop, calls=calls, tokens=self.spent.total)
        if stop not in ("end_turn", "tool_use") or (stop == "tool_use" and not calls):
            raise unusable(self.name, reply)
        if said := [block for block in content if _may_be_echoed(block, stop)]:
            self.messages.append({"role": "assistant", "content": said})
        return stop, content

    async def _use(self, content: list[Json]) -> list[Json]:
        """Run the calls of one turn and return their results, in order."""
        asked = [block for block in content if block["type"] == "tool_use"]
        for block in asked:
            call = json.dumps([block["name"], block["input"]], sort_keys=True)
            self.asked[call] += 1
            if self.asked[call] >= IDENTICAL_CALLS:
                raise AgentFailed(
                    f"{self.name} asked {IDENTICAL_CALLS} times for the same {block['name']}"
                    f"{self._refusal(block['name'])}"
                )
        if self.asked.total() > self.limits.tool_calls:
            raise self._over("tool_calls", self.limits.tool_calls)
        results: list[Json] = []
        for reads, blocks in groupby(asked, lambda block: self.toolset.reads_only(block["name"])):
            if reads:
                results += await asyncio.gather(*map(self._call, blocks))
            else:
                results += [await self._call(block) for block in blocks]
        return results

    async def _call(self, block: Json) -> Json:
        call = await self.toolset.call(block["name"], block["input"])
        self.on_event(
            "denied" if call.outcome == "denied" else "tool_call",
            tool=call.name,
            arguments=block["input"],
            outcome=call.outcome,
            seconds=round(call.seconds, 4),
            findings=[finding.get("code") for finding in call.findings],
            error=call.text if call.is_error else None,
        )
        result = {"type": "tool_result", "tool_use_id": block["id"], "content": call.text}
        return {**result, "is_error": True} if call.is_error else result

    def _refusal(self, name: str) -> str:
        """Return a tool's last refusal, to be added to the message of a failure."""
        last = next((call for call in reversed(self.toolset.calls) if call.name == name), None)
        return f": {last.text[:300]}" if last is not None and last.is_error else ""

    def _judge(self, content: list[Json]) -> Output | None:
        """Return the answer, or None after asking for a better one."""
        words = [block["text"] for block in content if block["type"] == "text"]
        try:
            answer = self.output.model_validate_json(_json_in(words[-1] if words else ""))
        except ValidationError as problem:
            errors = problem.errors(include_url=False, include_input=False, include_context=False)
            wrong = [".".join(map(str, (*e["loc"], e["msg"]))) for e in errors]
            self._repair("invalid", wrong)
            return None
        if wrong := self.verify(answer, self.toolset.calls):
            self._repair("unverified", wrong)
            return None
        return answer

    def _repair(self, kind: str, problems: list[str]) -> None:
        """Tell the model what is wrong, once for each kind of mistake; then the agent failed."""
        listed = [problem[:300] for problem in problems[:20]]
        if kind in self.repaired:
            raise AgentFailed(f"{self.name} gave no usable answer: {'; '.join(listed)}")
        self.repaired.add(kind)
        self.on_event("repair", reason=kind, problems=listed)
        words = "\n- ".join(["Your answer cannot be used:", *listed])
        again = "Call tools if you must, then give the whole answer again, as one JSON object."
        self.messages.append(_user(_text(f"{words}\n{again}")))


def _text(words: str) -> Json:
    return {"type": "text", "text": words}


def _user(*content: Json) -> Json:
    return {"role": "user", "content": list(content)}


def _may_be_echoed(block: Json, stop: str | None) -> bool:
    """Say whether the API takes a block back: no blank text, no call that gets no result."""
    if block["type"] == "text":
        return bool(block["text"].strip())
    return block["type"] != "tool_use" or stop == "tool_use"


def _json_in(words: str) -> str:
    """Return the JSON object in a text; small models like to put a fence around it."""
    return words[words.find("{") : words.rfind("}") + 1] or words
