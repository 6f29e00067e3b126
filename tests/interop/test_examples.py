"""Every example runs in an environment of its own, and its server refuses what it must.

No model runs here: a fake endpoint plays a script against the framework's real client code. The
script makes granted calls, one with another customer's id and one of a tool that was not granted,
and answers from the granted results. What is judged is the printed transcript and, as the proof
that nothing happened, the server's audit, its data and a count of what ran inside it.
"""

import asyncio
import base64
import json
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from e2e import counted
from e2e.wire import http_server
from fake_messages import KEY as ANTHROPIC_KEY
from fake_messages import FakeMessages, on_loopback

from orchestrator.llm.base import PlainReply, Request, call, reply, text
from servers.crm.server import open_server as open_crm
from servers.finance.server import open_server as open_finance
from servers.toolkit.grants import SigningKey

from .fake_openai import KEY as OPENAI_KEY
from .fake_openai import FakeOpenAI, Script
from .played import ALL, Example
from .rows import needs, row
from .wiretap import Proxy, heard, tapped

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
VENVS = Path(os.environ.get("DEALDESK_TEST_INTEROP", "")) / "venvs"
KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT")
BOOKKEEPING = {"audit", "grant_call_count", "revoked_grant"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the demo company, and the key that signs grants."""
    folder = tmp_path_factory.mktemp("home")
    for name, open_server in (("crm", open_crm), ("finance", open_finance)):
        server, _ = open_server(str(folder / f"{name}.db"))
        server.database.close()
    SigningKey.load(folder / "keys")
    return folder


@dataclass(frozen=True)
class Held:
    """A token, and what stands in it."""

    token: str

    @property
    def claims(self) -> dict[str, Any]:
        body = self.token.split(".")[1]
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=="))
        return claims


def minted(example: Example, home: Path) -> Held:
    """Mint the grant by the command that the example's README shows."""
    readme = (EXAMPLES / example.name / "README.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"\$\(dealdesk (grant mint [^)]*)\)", readme)
    done = subprocess.run(
        [sys.executable, "-m", "dealdesk", *shlex.split(command.replace("\\\n", ""))],
        env=kept_environment() | {"DEALDESK_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Held(done.stdout.strip())


def kept_environment() -> dict[str, str]:
    return {name: os.environ[name] for name in KEPT if name in os.environ}


def messages_brain(play: Script) -> Callable[[Request], PlainReply]:
    """Play a script over the Messages API."""

    def brain(request: Request) -> PlainReply:
        results = [
            block["content"] if isinstance(block["content"], str) else block["content"][0]["text"]
            for message in request.messages
            if isinstance(message["content"], list)
            for block in message["content"]
            if block["type"] == "tool_result"
        ]
        turn = play.turn(results)
        return reply(text(turn)) if isinstance(turn, str) else reply(call(turn[0], **turn[1]))

    return brain


@dataclass
class Trace:
    """What one run of an example left behind."""

    said: str = ""
    calls: list[str] = field(default_factory=list)
    versions: set[str] = field(default_factory=set)


async def run(example: Example, env: dict[str, str], work: Path) -> str:
    """Run the example's program as its README says, and return what it printed."""
    process = await asyncio.create_subprocess_exec(
        str(VENVS / example.name / "bin" / "python"),
        "agent.py",
        cwd=work,
        env=env,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), timeout=200)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, err.decode()[-3000:] + out.decode()
    return out.decode()


@asynccontextmanager
async def reachable(
    example: Example, home: Path, folder: Path, trace: Trace
) -> AsyncIterator[dict[str, str]]:
    """Give the variables by which the example reaches its server, and listen in."""
    command = counted.command(folder / "runs.jsonl", example.server)
    if example.http:
        with http_server(example.server, home, command=command) as base:
            proxy = Proxy(base)
            async with on_loopback(proxy) as url:  # type: ignore[arg-type]
                yield {"DEALDESK_URL": f"{url}/mcp"}
            trace.calls, trace.versions = proxy.calls, proxy.versions
    else:
        start = tapped(command, folder / "server", folder / "tap")
        yield {f"DEALDESK_{example.server.upper()}": start, "DEALDESK_HOME": str(home)}
        trace.calls, trace.versions = heard(folder / "tap")


async def traced(
    example: Example, home: Path, token: str, model: dict[str, str], folder: Path
) -> Trace:
    """Run a copy of the example with nothing of this process's environment but the basics."""
    work, trace = Path(shutil.copytree(EXAMPLES / example.name, folder / "example")), Trace()
    env = kept_environment() | {"HOME": str(folder), "DEALDESK_GRANT": token} | model
    async with reachable(example, home, folder, trace) as server:
        trace.said = await run(example, env | server, work)
    return trace


def version_of(example: Example) -> str:
    """Return the version of its framework, which an example pins first."""
    text = (EXAMPLES / example.name / "requirements.txt").read_text(encoding="utf-8")
    pinned = re.search(r"==([\w.]+)", text)
    assert pinned is not None
    return pinned[1]


def denials(home: Path, example: Example, grant: str) -> list[tuple[str, str]]:
    """Every call under a grant that was denied: the tool, and why."""
    with closing(sqlite3.connect(home / f"{example.server}.db")) as database:
        return database.execute(
            "SELECT component, reason FROM audit WHERE grant_id = ? AND outcome = 'denied' "
            "AND method = 'tools/call' ORDER BY seq",
            (grant,),
        ).fetchall()


def facts(home: Path, example: Example) -> list[str]:
    """Everything the server's database says, apart from its own bookkeeping of calls."""
    with closing(sqlite3.connect(home / f"{example.server}.db")) as database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        names = sorted(name for (name,) in tables if name not in BOOKKEEPING)
        return [
            f"{name} {row}"
            for name in names
            for row in database.execute(f"SELECT * FROM {name!r}")  # noqa: S608 - our own tables
        ]


def offered(fake: FakeOpenAI | FakeMessages) -> list[set[str]]:
    """Return the names of the tools that each request to the model offered."""
    if isinstance(fake, FakeOpenAI):
        return fake.offered
    return [{tool["name"] for tool in body["tools"]} for body in fake.bodies]


def environment_of(example: Example) -> Any:
    there = needs(f"example {example.name}", f"venvs/{example.name}/bin/python")
    return pytest.param(example, marks=there, id=example.name)


def test_every_example_is_tried_and_short_enough_to_read() -> None:
    folders = sorted(file.parent.name for file in EXAMPLES.glob("*/requirements.txt"))
    assert folders == sorted(example.name for example in ALL)
    for name in folders:
        assert len((EXAMPLES / name / "agent.py").read_text("utf-8").splitlines()) <= 80
        assert 10 <= len((EXAMPLES / name / "README.md").read_text("utf-8").splitlines()) <= 30
        assert f"[{name}]({name})" in (EXAMPLES / "README.md").read_text("utf-8")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("example", [environment_of(example) for example in ALL])
async def test_an_agent_of_another_stack_gets_its_grant_and_nothing_else(
    example: Example,
    home: Path,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    held, before = minted(example, home), facts(home, example)
    fake: Any
    if example.model == "anthropic":
        fake, key = FakeMessages(messages_brain(example.script)), ANTHROPIC_KEY
        names = ("ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY")
    else:
        fake, key = FakeOpenAI(example.script), OPENAI_KEY
        names = ("OPENAI_BASE_URL", "OPENAI_API_KEY")
    async with on_loopback(fake) as url:
        base = url if example.model == "anthropic" else f"{url}/v1"
        model = dict(zip(names, (base, key), strict=True))
        trace = await traced(example, home, held.token, model, tmp_path)

    # what a person sees
    said, (tool, argument, value) = trace.said, example.bound
    lines, shown = said.splitlines(), {example.prefix + name for name in example.tools}
    assert f"tools: {', '.join(sorted(shown))}" in lines, said
    assert f"answer: {example.answer}" in lines, said
    refusal = f"NOT_FOUND: no {argument} '{value}'. Try: use the {argument} of your task."
    assert any(line.startswith("<- ") and refusal in line for line in lines), said
    assert f"not granted: {example.outside}: Unknown tool: '{example.outside}'" in lines, said
    # what the model was offered
    assert offered(fake) == [shown] * (len(example.script.calls) + 1)
    # what reached the server, what it refused, and what ran
    assert set(held.claims["tools"]) == example.tools
    ran = [one.name for one in counted.read(tmp_path / "runs.jsonl")]
    denied = denials(home, example, held.claims["jti"])
    assert tuple(ran) == example.ran
    assert (tool, f"bound argument {argument}") in denied
    assert (example.outside, "not granted") in denied
    assert sorted(trace.calls) == sorted(ran + [name for name, _ in denied])
    assert facts(home, example) == before

    executed = sum(name not in example.tools for name in ran)
    assert executed == 0
    (era,) = trace.versions
    transport = "http" if example.http else "stdio"
    numbers = {"listed": len(shown), "called": len(ran), "refused": len(denied)}
    row(example.client, version_of(example), transport, era, example.server, **numbers)
    record_property(
        "figure",
        f"example {example.name} ({transport}, {era}): {len(shown)} tools granted and listed, "
        f"{len(ran)} calls ran, {len(denied)} refused by the server, "
        f"{executed} ungranted executions (scripted model)",
    )
