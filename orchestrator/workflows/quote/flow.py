"""How a quote run goes, step by step: the only place that knows the order.

Each `steps.run` is checkpointed under its reserved number, so a run that is killed anywhere goes
on where it was. The body itself holds no clock, no chance and no I/O.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from orchestrator.errors import ToolRefused
from orchestrator.runner import Runner, distinct
from orchestrator.workflow import Outputs, steps_of
from orchestrator.workflows.quote import WORKFLOW

DECISION_SECONDS = 30 * 86_400
EFFECTS = ("find_open_quote", "record_needs", "record_draft", "issue", "record_issue")
STEPS = steps_of(WORKFLOW, EFFECTS)
_QUESTION_OF = {"no_quantity": "missing_quantity", "unit": "unclear_unit"}
OPEN_STATUSES = ("draft", "waiting", "approved", "issued")


class Steps(Protocol):
    """What the engine gives a body: checkpointed steps, and one durable wait."""

    async def run(self, name: str, work: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        """Run a step, or return what its checkpoint holds."""

    async def receive(self, topic: str, timeout: float) -> Any:
        """Wait, for days if need be, for a message; None when none came."""


class Stop(Exception):  # noqa: N818 - it is an end, not an error
    """The run ends here, with an outcome."""

    def __init__(self, outcome: str, **facts: Any) -> None:
        """Keep the outcome and its facts."""
        super().__init__(outcome)
        self.result = {"outcome": outcome, **facts}


async def quote_flow(runner: Runner, steps: Steps, run: Mapping[str, Any]) -> dict[str, Any]:
    """Play the whole workflow and return the result: an `outcome` and its facts."""
    flow = _Flow(runner, steps, run)
    try:
        return await flow.play()
    except Stop as stop:
        return {**flow.so_far(), **stop.result}


class _Flow:
    """One run on its way: the outputs and findings so far."""

    def __init__(self, runner: Runner, steps: Steps, run: Mapping[str, Any]) -> None:
        self.runner, self.steps, self.run = runner, steps, run
        self.outputs: dict[str, Mapping[str, Any]] = {"run": run}
        self.findings: dict[str, list[dict[str, Any]]] = {}

    def so_far(self) -> dict[str, Any]:
        plan = self.outputs.get("plan", {})
        return {
            "account_id": plan.get("account_id"),
            "opportunity_id": plan.get("opportunity_id"),
            "findings": distinct([one for found in self.findings.values() for one in found]),
            "lines": list(self.outputs.get("match", {}).get("lines", ())),
        }

    async def play(self) -> dict[str, Any]:
        await self._plan()
        await self._qualify()
        await asyncio.gather(self._agent("profile"), self._agent("match"))
        self._need_everything()
        await self._agent("check")
        await self._rework()
        await self._agent("price")
        if self.outputs["price"]["total_minor"] is None:
            raise Stop("blocked", reason="finance cannot price it")
        for name in ("terms", "assemble"):
            await self._agent(name)
        draft = await self.steps.run("record_draft", self._record, "record_draft", "draft")
        if not draft["auto_issue"]:
            await self._decision(draft)
        return await self._issue(draft)

    async def _agent(self, name: str, round_: int = 1) -> None:
        step = name if round_ == 1 else f"{name}_{round_}"
        seeded = (self.run.get("given") or {}).get(step)
        known: Outputs = {**self.outputs, "facts": self.runner.workflow.facts(self.outputs)}
        done = seeded or await self.steps.run(
            step, self.runner.agent, dict(self.run), name, step, dict(known)
        )
        if "stopped" in done:
            raise Stop(done["stopped"], message=done["message"], agent=step)
        self.outputs[name] = done["output"]
        self.findings[name] = done["findings"]

    async def _plan(self) -> None:
        await self._agent("plan")
        plan = self.outputs["plan"]
        if plan["questions"]:
            raise Stop("needs_input", questions=plan["questions"])
        found = await self.steps.run("find_open_quote", self._open_quote)
        if found["holder"]:
            raise Stop("existing", run_id=found["holder"], quote_id=None)
        self.outputs["run"] = {**self.run, "revises": None}
        if found["quote_id"] and not self.run.get("revise"):
            raise Stop("existing", quote_id=found["quote_id"], number=found["number"])
        if found["quote_id"]:
            self.outputs["run"] = {**self.run, "revises": found["quote_id"]}

    async def _open_quote(self) -> dict[str, Any]:
        plan = self.outputs["plan"]
        holder = self.runner.log.store.claim(
            self.run["id"], plan["account_id"], plan["opportunity_id"]
        )
        page = await self.runner.call(
            self.run,
            "find_open_quote",
            "finance",
            "list_quotes",
            {"opportunity_id": plan["opportunity_id"]},
        )
        open_ = [row for row in page["items"] if row["status"] in OPEN_STATUSES]
        newest: Mapping[str, Any] = max(open_, key=lambda row: int(row["revision"]), default={})
        return {
            "holder": holder,
            "quote_id": newest.get("quote_id"),
            "number": newest.get("number"),
        }

    async def _qualify(self) -> None:
        await self._agent("qualify")
        said = self.outputs["qualify"]
        if said["decision"] == "no_quote":
            raise Stop("no_quote", reason=said["reason"], evidence=said["evidence"])
        if said["decision"] == "ask":
            raise Stop(
                "needs_input",
                reason=said["reason"],
                questions=said["questions"],
                evidence=said["evidence"],
            )
        await self.steps.run("record_needs", self._record_needs)

    async def _record_needs(self) -> int:
        plan, needs = self.outputs["plan"], self.outputs["qualify"]["needs"]
        for ordinal, need in enumerate(needs):
            await self.runner.call(
                self.run,
                "record_needs",
                "crm",
                "record_need",
                {
                    "opportunity_id": plan["opportunity_id"],
                    **need["span"],
                    "quantity": need["quantity"],
                    "unit": need["unit"],
                    "optional": need["optional"],
                },
                ordinal,
            )
        return len(needs)

    def _need_everything(self) -> None:
        questions = [*self.outputs["profile"]["questions"]] + [
            {
                "kind": _QUESTION_OF.get(left["reason"], "missing_product"),
                "subject": left["need_ref"],
                "candidates": left["candidates"],
            }
            for left in self.outputs["match"]["unmatched"]
        ]
        if questions:
            raise Stop("needs_input", reason=questions[0]["kind"], questions=questions)

    async def _rework(self) -> None:
        rework = self.runner.workflow.rework
        assert rework is not None  # noqa: S101 - the quote workflow has one
        for round_ in range(2, rework.rounds + 2):
            if not rework.needed(self.outputs[rework.judge]):
                break
            self.runner.log.append(
                self.run["id"], "rework", round=round_ - 1, findings=self.findings["check"]
            )
            self.outputs["previous"] = {
                "lines": self.outputs["match"]["lines"],
                "findings": self.findings["check"],
            }
            for name in rework.redo:
                await self._agent(name, round_)
                self._need_everything()
        check = self.outputs["check"]
        if any(f["severity"] == "blocked" for f in check["findings"]) or not check["ok"]:
            raise Stop("blocked", reason="blocked by the catalog's rules")
        if check["ship_method"] is None:
            raise Stop("blocked", reason="no way of shipping is allowed")

    async def _record(self, step: str, outcome: str) -> dict[str, Any]:
        quote = await self.runner.call(
            self.run,
            step,
            "finance",
            "get_quote",
            {"quote_id": self.outputs["assemble"]["quote_id"]},
        )
        await self.runner.call(
            self.run,
            step,
            "crm",
            "record_quote_outcome",
            {
                "opportunity_id": self.outputs["plan"]["opportunity_id"],
                "quote_id": quote["quote_id"],
                "number": quote.get("number"),
                "revision": quote["revision"],
                "outcome": outcome,
                "total_minor": quote["totals"]["total_minor"],
                "currency": quote["currency"],
            },
        )
        return quote

    async def _decision(self, draft: Mapping[str, Any]) -> None:
        log, run_id = self.runner.log, self.run["id"]
        log.append(run_id, "waiting", quote_id=draft["quote_id"], approvals=draft["approvals"])
        decision = await self.steps.receive("decision", DECISION_SECONDS)
        if decision is None:
            raise Stop("expired", quote_id=draft["quote_id"], message="nobody decided in 30 days")
        log.append(run_id, "decided", **decision)
        if not decision["approved"]:
            raise Stop("rejected", quote_id=draft["quote_id"], by=decision["person"])

    async def _issue(self, draft: Mapping[str, Any]) -> dict[str, Any]:
        issued = await self.steps.run("issue", self._issue_quote, dict(draft))
        if "refused" in issued:
            raise Stop("failed", quote_id=draft["quote_id"], message=issued["refused"])
        await self.steps.run("record_issue", self._record_issue)
        return {
            **self.so_far(),
            "outcome": "issued",
            "quote_id": draft["quote_id"],
            "number": issued["number"],
            "revision": issued["revision"],
            "total_minor": issued["total_minor"],
            "currency": issued["currency"],
        }

    async def _issue_quote(self, draft: Mapping[str, Any]) -> dict[str, Any]:
        arguments = {"quote_id": draft["quote_id"], "digest": draft["digest"]}
        try:
            return await self.runner.call(self.run, "issue", "finance", "issue_quote", arguments)
        except ToolRefused as refusal:
            return {"refused": str(refusal)}

    async def _record_issue(self) -> None:
        quote = await self._record("record_issue", "issued")
        await self.runner.call(
            self.run,
            "record_issue",
            "crm",
            "log_activity",
            {
                "opportunity_id": self.outputs["plan"]["opportunity_id"],
                "kind": "note",
                "body": f"Quote {quote['number']} issued by run {self.run['id']}.",
            },
        )
