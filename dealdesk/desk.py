"""The composition root: settings in, a working deal desk out, as the command and tests make it."""

from __future__ import annotations

import logging
from base64 import b64decode
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

from fastmcp import Client
from mcp.shared.exceptions import MCPError
from mcp.types import BlobResourceContents

from dealdesk.keys import signing_key
from dealdesk.models import open_models, played_by
from dealdesk.people import decide_approvals
from dealdesk.questions import GOAL_MAX, apply_answers, explain
from dealdesk.quote_files import facts_of, write_views
from dealdesk.settings import Settings
from orchestrator.durable.engine import Engine, State
from orchestrator.durable.events import EventLog
from orchestrator.durable.steps import as_json, inside, may_pass
from orchestrator.durable.store import Store, open_store
from orchestrator.errors import (
    CredentialsError,
    DealdeskError,
    EnvironmentProblem,
    ToolRefused,
    UsageError,
)
from orchestrator.llm.base import Model
from orchestrator.play import play
from orchestrator.runner import Runner, check_runners, load_runners, same_player
from orchestrator.servers import Servers, read_elsewhere
from orchestrator.toolset import answer_of, ask
from orchestrator.workflow import NOBODY
from orchestrator.workflows import WORKFLOWS, load
from servers.registry import NAMES
from servers.toolkit.grants import DECIDING_TOOLS, Grant, SigningKey, new_grant_id
from servers.toolkit.person_tokens import IN_THE_DEMO, named_in

SECONDS = 300
"""How long a grant of a person lives, for one call."""
PARTS = {
    "explain_quote": ("steps", "next_from", "from_step"),
    "guide_price": ("lines", "next_line", "from_line"),
    "diff_quotes": ("lines", "next_from", "from_change"),
}
"""What comes in parts, the field that says where the next starts, the argument that takes it."""
ASKED = ("goal", "opportunity_id", "revise", "workflow", "given")
"""What a run is begun with, beside who asked and when: all of it is in its first event."""
log = logging.getLogger(__name__)


class Desk:
    """A deal desk that is ready for goals; `Desk.open` makes one."""

    def __init__(
        self,
        settings: Settings,
        servers: Servers,
        signing: SigningKey,
        store: Store,
        models: Callable[[str], Model],
    ) -> None:
        self.settings, self.servers, self.signing, self.store = settings, servers, signing, store
        self.token, self.proof = settings.token, named_in(settings.token)[1]
        self.log = EventLog(store)
        self.runners = load_runners(servers, signing, models, self.log)
        self.engine = Engine(settings.engine_url, lambda run: run["plan"]["steps"], self._body)
        self._model_name = models(self._runner().workflow.agents[0].name).name

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        settings: Settings,
        *,
        work: bool = True,
        sweep: bool = False,
        models: Callable[[str], Model] | None = None,
    ) -> AsyncIterator[Desk]:
        """Open everything, check the workflow against the live servers, and start the worker.

        Without `work` nothing is run, no model is needed, and only those servers are opened that
        are asked something. `sweep` also plays what is queued for this model, and what dead workers
        left of it. `models` plays the agents, instead of what the settings say.
        """
        signing = signing_key(settings)
        keys, urls = settings.home / "keys", {name: settings.server_url(name) for name in NAMES}
        servers = Servers(urls, signing.public, read_elsewhere(settings.servers), keys=keys)
        async with AsyncExitStack() as stack:
            if models is None:
                models = await stack.enter_async_context(open_models(settings, only_name=not work))
            store = stack.enter_context(open_store(settings.runs_url))
            desk = cls(settings, servers, signing, store, models)
            try:
                if work:
                    await desk.check()
                    await desk.engine.start(
                        sweep=sweep,
                        wanted=lambda run: store.model_of(run) in (NOBODY, desk._model_name),
                    )
                yield desk
            finally:
                await desk.engine.stop()
                servers.close()

    async def check(self) -> None:
        """Open every server, fill what is new, and check the workflows against the live tools."""
        await check_runners(self.runners, self.servers, self.signing)

    @property
    def played_by(self) -> str:
        """One line on who plays the agents; empty for Claude."""
        return played_by(self._model_name)

    @property
    def created(self) -> str | None:
        """One line on the demo data that was loaded, if it was just now."""
        if not self.servers.created:
            return None
        rows = sum(sum(tables.values()) for tables in self.servers.created.values())
        return f"The demo company was loaded into {self.settings.home} ({rows} rows)."

    async def submit(
        self,
        goal: str,
        *,
        opportunity_id: str | None = None,
        revise: bool = False,
        workflow: str | None = None,
        given: Mapping[str, Any] | None = None,
        continues: str | None = None,
    ) -> str:
        """Start a run for a goal and return its id.

        `revise` makes the next revision of an existing quote; `given` are checkpoints of steps that
        need not be run again, of the run that this one `continues`, or what a person typed.
        """
        runner = self._runner(workflow)
        runner.check_players()
        if not runner.workflow.agents and given is None:
            raise UsageError("nobody reads a goal for that", fix="`dealdesk quote new`")
        if not goal.strip() or len(goal) > GOAL_MAX:
            raise UsageError(
                f"a goal has between 1 and {GOAL_MAX} characters",
                fix="say in a sentence whom to quote, and for what",
            )
        day = self.settings.order_date or date.today()  # noqa: DTZ011 - the user's own day
        asked: dict[str, Any] = {"goal": goal, "opportunity_id": opportunity_id, "revise": revise}
        asked |= {"workflow": runner.workflow.name, "given": dict(given or {})}
        player = self._model_name if runner.workflow.agents else NOBODY
        run_id = self.store.create(
            asked=as_json({**asked, "model": player}),
            requested_by=self.settings.person or "local-user",
            order_date=day.isoformat(),
            continues=continues,
        )
        await self._start(run_id)
        return run_id

    async def _start(self, run_id: str) -> None:
        """Hand a run to the engine as it was asked for; a second time starts nothing."""
        row, asked = self.store.get(run_id), self._event(run_id, "run_started")
        if not asked.keys() >= set(ASKED):
            fix = f"`dealdesk runs cancel {run_id}`, and run the goal again"
            raise UsageError(f"{run_id} never started, and what it was to do is not known", fix=fix)
        run = {
            **{name: asked[name] for name in ASKED},
            "id": run_id,
            "order_date": row["order_date"],
            "requester": row["requested_by"],
            "plan": self._runner(asked["workflow"]).graph.plan,
            "generated_by": row["model"],
        }
        await self.engine.submit(run_id, run)

    async def wait(self, run_id: str) -> dict[str, Any]:
        """Return a run's result once it ends, or `waiting` once it waits for a decision.

        DealdeskError: the run failed for good, or is parked and can be resumed.
        """
        result = self._end(run_id)
        if result is None:
            try:
                told = await self.engine.wait(run_id)
            except DealdeskError as problem:
                if await self.engine.status(run_id) is State.FAILED:
                    self.store.finish(run_id, {"outcome": "failed", "message": problem.message})
                raise
            result = self._end(run_id) or told  # it may have ended before it was cancelled
        if result is None:
            quote_id = self._event(run_id, "waiting")["quote_id"]
            quote = await self.quote(quote_id)
            result = {**facts_of(quote), "outcome": "waiting"}
        if result["outcome"] == "existing":
            result["held_by"] = result.pop("run_id", None)
        asked = self._event(run_id, "run_started").get("opportunity_id")
        await explain(self.look, result.get("questions", ()), asked)
        return result

    def events(self, run_id: str, *, after: int = 0) -> list[dict[str, Any]]:
        return self.store.events(run_id, after=after)

    def run_row(self, run_id: str | None) -> dict[str, Any]:
        if run_id is not None:
            return self.store.get(run_id)
        for row in self.store.list():
            if row["status"] != "done":
                return row
        raise UsageError("no run is open", fix="`dealdesk runs list` shows them all")

    async def resume(self, run_id: str) -> None:
        """Take up a run that was interrupted or never begun; one that ended or waits stays so."""
        row = self.store.get(run_id)
        if row["status"] != "done":
            same_player(run_id, row["model"], self._model_name)
            if not await self.engine.knows(run_id):
                await self._start(run_id)
        await self.engine.resume(run_id)

    async def cancel(self, run_id: str) -> None:
        """Cancel a run that has not ended, and free its opportunity."""
        row = self.store.get(run_id)
        if row["status"] == "done":
            raise UsageError(f"{run_id} ended already (it is {row['outcome']})")
        if await self.engine.knows(run_id):
            await self.engine.cancel(run_id)
        self.store.finish(run_id, {"outcome": "cancelled"})
        if (outcome := self.store.get(run_id)["outcome"]) != "cancelled":  # it ended meanwhile
            raise UsageError(f"{run_id} ended already (it is {outcome})")

    async def awaiting_decision(self, row: Mapping[str, Any]) -> dict[str, Any]:
        if row["status"] != "waiting":
            raise UsageError(
                f"{row['run_id']} waits for no decision (it is {row['outcome'] or row['status']})",
                fix="`dealdesk runs list --status waiting`",
            )
        quote_id = self._event(row["run_id"], "waiting")["quote_id"]
        return await self.quote(quote_id)

    async def decide(
        self,
        row: Mapping[str, Any],
        quote: Mapping[str, Any],
        *,
        approved: bool,
        note: str,
        rules: Sequence[str] | None = None,
    ) -> list[str]:
        """Decide what this person may, and return the roles left; wake the run when none is."""
        left = await decide_approvals(self.look, quote, approved=approved, note=note, rules=rules)
        if not left:
            person = self.settings.person or ""
            decision = {"approved": approved, "person": person, "note": note}
            await self.engine.send(row["run_id"], "decision", decision)
            self.store.reopen(row["run_id"])
        return left

    async def answer(self, row: Mapping[str, Any], answers: Sequence[str]) -> str:
        """Start the run that goes on from the answers to a run's questions."""
        same_player(row["run_id"], row["model"], self._model_name)
        checkpoints = {
            event["agent"]: {name: event["data"][name] for name in ("output", "findings")}
            for event in self.store.events(row["run_id"])
            if event["type"] == "agent_finished"
        }
        given, opportunity_id = apply_answers(row, checkpoints, answers)
        return await self.submit(
            row["goal"], opportunity_id=opportunity_id, given=given, continues=row["run_id"]
        )

    async def look(self, server: str, tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Call one tool on behalf of whoever uses the command; a refusal is a UsageError."""
        try:
            async with self._alone(server, tools=frozenset({tool})) as client:
                try:
                    return answer_of(tool, await ask(client, server, tool, arguments))
                except EnvironmentProblem as problem:
                    if self.token and not await client.list_tools():
                        raise CredentialsError(
                            f"the token of {self.settings.person} is wrong or holds no longer",
                            fix="ask the owner of the desk for another",
                        ) from problem
                    raise
        except ToolRefused as refusal:
            raise UsageError(_in_words(refusal)) from refusal

    async def whole(self, server: str, tool: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Call a tool until its answer is whole; a large one comes in parts."""
        rows, after, start = PARTS.get(tool, ("items", "next_cursor", "cursor"))
        found = await self.look(server, tool, asked)
        while found[after] is not None:
            part = await self.look(server, tool, {**asked, start: found[after]})
            found = {**part, rows: found[rows] + part[rows]}
        return found

    async def read(self, quote_id: str, name: str) -> bytes:
        """Return a document of a quote that is no text, on behalf of whoever uses the command."""
        only = frozenset({f"finance://quotes/{{quote_id}}/{name}"})
        try:
            async with self._alone("finance", resources=only) as client:
                parts = await client.read_resource(f"finance://quotes/{quote_id}/{name}")
        except MCPError as problem:
            said, _, fix = _in_words(ToolRefused(str(problem))).partition(" Try: ")
            raise UsageError(said, fix=fix) from problem
        return b"".join(
            b64decode(part.blob) if isinstance(part, BlobResourceContents) else part.text.encode()
            for part in parts
        )

    async def prove(self, token: str = "") -> bool:
        """Act as the person named from now on, when finance takes a token (or the name) for it."""
        self.token, self.proof = token, named_in(token)[1] or IN_THE_DEMO
        async with self._alone("finance", tools=DECIDING_TOOLS) as client:
            if any(tool.name in DECIDING_TOOLS for tool in await client.list_tools()):
                return True
        self.token = self.proof = ""
        return False

    def _alone(self, server: str, **only: Any) -> AbstractAsyncContextManager[Client[Any]]:
        """Open a client for one component; only finance is shown the token of whoever asks."""
        if self.token and server == "finance":
            return self.servers.opened(server, self.token)
        named = self.settings.person or ""
        grant = Grant(
            id=new_grant_id(),
            audience=server,
            person=named if self.proof or server == "finance" else "",
            requester=named,
            proof=self.proof,
            **only,
        )
        return self.servers.hold(grant, self.signing, ttl=SECONDS)

    async def quote(self, quote_id: str) -> dict[str, Any]:
        return await self.look("finance", "get_quote", {"quote_id": quote_id, "whole": True})

    async def quote_id(self, named: str) -> str:
        """Return a quote's id, also of one that is named by its printed number."""
        if named.startswith("q_"):
            return named
        found = (await self.look("finance", "list_quotes", {"number": named[:40] or "-"}))["items"]
        if not found:
            raise UsageError(f"there is no quote {named!r}", fix="`dealdesk quote list` shows them")
        return str(found[0]["quote_id"])

    async def write_quote(
        self, result: Mapping[str, Any], folder: Path | None = None
    ) -> list[Path]:
        """Write the quote of a result that has one; an issued one also for the customer."""
        quote_id = result.get("quote_id")
        if not quote_id or result["outcome"] not in ("issued", "waiting"):
            return []
        views = ("customer", "internal") if result["outcome"] == "issued" else ("internal",)
        target = folder or self.settings.home / "quotes"
        return await write_views(self.look, str(quote_id), target, views)

    async def _body(self, steps: Any, run_id: str, args: Mapping[str, Any]) -> dict[str, Any]:
        if end := self._end(run_id):  # no checkpoint says so yet
            return end
        try:
            result = await play(self._runner(args["workflow"]), steps, args)
        except Exception as raised:
            problem = inside(raised)
            if isinstance(problem, Exception) and not may_pass(problem) and not steps.failure:
                self.store.finish(run_id, {"outcome": "failed", "message": str(problem)})
            log.warning("%s stopped: %s", run_id, type(problem).__name__)
            raise
        if result["outcome"] == "plan_changed":
            result["quote_id"] = self.store.get(run_id)["quote_id"]
        self.store.finish(run_id, result)
        log.info("%s: %s %s", run_id, result["outcome"], result.get("quote_id") or "")
        return result

    def _end(self, run_id: str) -> dict[str, Any] | None:
        """Return how a run ended, if it did; a failure is the engine's to tell, which knows all."""
        row = self.store.get(run_id)
        ended = row["status"] == "done" and row["outcome"] != "failed"
        return dict(row["result"]) if ended else None

    def _runner(self, workflow: str | None = None) -> Runner:
        return self.runners[load(workflow or next(iter(WORKFLOWS))).name]

    def _event(self, run_id: str, kind: str) -> dict[str, Any]:
        found = (e["data"] for e in reversed(self.store.events(run_id)) if e["type"] == kind)
        return next(found, {})


def _in_words(refusal: ToolRefused) -> str:
    """Return a server's refusal without the code in front, which is for programs."""
    code, colon, said = refusal.message.partition(": ")
    return said if colon and code.isupper() else refusal.message
