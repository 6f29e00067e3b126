"""A made-up run for the engine's tests, and lives of it in processes of their own.

Every step leaves a line in a trace file when it begins and when it ends; `crash` names the point
at which the process kills itself, so that a test can count what was done twice.
"""

import asyncio
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dbos  # noqa: F401 - so that processes forked from here start at once

from orchestrator.durable.engine import Engine, Steps

STEPS = ("plan", "profile", "match", "check", "match_2", "check_2", "assemble", "issue")
CRASHES = ("plan", "profile", "match", "after check", "issue")


@dataclass
class Made:
    """A body of six steps, two of them side by side, and perhaps a wait."""

    trace: Path
    crash: str = ""

    def note(self, words: str) -> None:
        with self.trace.open("a") as file:
            file.write(words + "\n")

    def at(self, point: str) -> None:
        if point == self.crash:
            os.kill(os.getpid(), signal.SIGKILL)

    async def work(self, name: str, *given: Any, after: asyncio.Event | None = None) -> Any:
        self.note(f"begin {name}")
        if after is not None and self.crash == name:
            await after.wait()  # the step beside it has its checkpoint
        self.at(name)
        await asyncio.sleep(0)
        self.note(f"end {name}")
        return {"name": name, "given": list(given)}

    async def body(self, steps: Steps, run_id: str, args: dict[str, Any]) -> dict[str, Any]:
        done = {name: asyncio.Event() for name in ("profile", "match")}

        async def beside(name: str, other: str) -> Any:
            async def work(*given: Any) -> Any:
                return await self.work(name, *given, after=done[other])

            kept = await steps.run(name, work, plan["name"])
            done[name].set()
            return kept

        plan = await steps.run("plan", self.work, "plan", args["goal"])
        pair = await asyncio.gather(beside("profile", "match"), beside("match", "profile"))
        check = await steps.run("check", self.work, "check", [one["name"] for one in pair])
        self.at("after check")
        said = None
        if args.get("wait"):
            await steps.run("assemble", self.work, "assemble", check["name"])
            said = await steps.receive("decision", 86_400)
        issue = await steps.run("issue", self.work, "issue", said)
        return {"outcome": "issued", "run": run_id, "last": issue, "pair": pair}

    def lines(self) -> list[str]:
        return self.trace.read_text().splitlines() if self.trace.exists() else []


def engine(url: str, made: Made) -> Engine:
    return Engine(url, lambda _args: STEPS, made.body)


def submit(url: str, trace: Path, crash: str, args: dict[str, Any]) -> None:
    """Life of a process that submits `run_1` and plays it until it ends, waits or is killed."""

    async def live() -> None:
        own = engine(url, Made(trace, crash))
        await own.start()
        await own.submit("run_1", args)
        await own.wait("run_1", 30)
        if crash == "waiting":
            os.kill(os.getpid(), signal.SIGKILL)
        await own.stop()

    asyncio.run(live())


def decide(url: str, trace: Path, payload: dict[str, Any]) -> None:
    """Life of a process that only sends the decision."""

    async def live() -> None:
        own = engine(url, Made(trace))
        await own.send("run_1", "decision", payload)
        await own.stop()

    asyncio.run(live())


def hold(url: str, trace: Path) -> None:
    """Life of a worker that begins `run_1` and stays inside its first step."""

    async def stay(*_given: Any) -> None:
        Made(trace).note("begin plan")
        await asyncio.sleep(60)

    async def body(steps: Steps, _run_id: str, _args: dict[str, Any]) -> dict[str, Any]:
        await steps.run("plan", stay)
        return {"outcome": "never"}

    async def live() -> None:
        own = Engine(url, lambda _args: STEPS, body)
        await own.start()
        await own.submit("run_1", {"goal": "Quote them"})
        await asyncio.sleep(60)

    asyncio.run(live())
