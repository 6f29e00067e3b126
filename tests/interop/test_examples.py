"""Every example runs in an environment of its own, and its server refuses what it must.

No model runs here: a fake endpoint plays a script against the framework's real client code. The
script makes a granted call, one with another customer's id, one of a tool that was not granted,
and answers from the granted results. What is judged is the printed transcript and, as the proof
that nothing happened, the server's own audit and data.
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
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orchestrator.llm.base import PlainReply, Request, call, reply, text
from servers.crm.server import open_server as open_crm
from servers.finance.server import open_server as open_finance
from servers.toolkit.grants import SigningKey
from tests.e2e.wire import http_server, script
from tests.fake_messages import KEY as ANTHROPIC_KEY
from tests.fake_messages import FakeMessages, on_loopback
from tests.interop.fake_openai import KEY as OPENAI_KEY
from tests.interop.fake_openai import FakeOpenAI, Script

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
VENVS = Path(os.environ.get("DEALDESK_TEST_INTEROP", "")) / "venvs"
KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT")
BOOKKEEPING = {"audit", "grant_call_count", "revoked_grant"}
needs_environments = pytest.mark.skipif(
    "DEALDESK_TEST_INTEROP" not in os.environ,
    reason="scripts/interop makes the frameworks' environments; it was not run",
)


@dataclass(frozen=True)
class Example:
    """A folder of examples/, what its scripted model does there, and what must come of it.

    Attributes:
        script: The calls of the scripted model, and its answer from their results.
        answer: What the granted results must have made of it.
        bound: The one call with an id of another customer: the tool and the argument.
        outside: The tool that was not granted; the example's own last call.
    """

    name: str
    server: str
    http: bool
    model: str
    script: Script
    tools: set[str]
    answer: str
    bound: tuple[str, str, str]
    outside: str
    allowed: dict[str, int]


LOOP = Example(
    "anthropic_loop",
    "crm",
    http=False,
    model="anthropic",
    script=Script(
        (
            ("list_contacts", {"account_id": "acc_001"}),
            ("list_addresses", {"account_id": "acc_001"}),
            ("list_contacts", {"account_id": "acc_002"}),
            ("search_accounts", {"query": "Nordlicht"}),
        ),
        "{who} may sign; deliver to {where}.",
        {"who": r"name\W+([\w ]+)", "where": r"goods-in.*?(T12 \w+)"},
    ),
    tools={"list_addresses", "list_contacts"},
    answer="Niamh Alder may sign; deliver to T12 X0A3.",
    bound=("list_contacts", "account_id", "acc_002"),
    outside="search_accounts",
    allowed={"list_contacts": 1, "list_addresses": 1},
)
PYDANTIC = Example(
    "pydantic_ai",
    "crm",
    http=True,
    model="anthropic",
    script=Script(
        (
            ("get_opportunity", {"opportunity_id": "opp_001"}),
            ("quote_readiness", {"opportunity_id": "opp_001"}),
            ("get_opportunity", {"opportunity_id": "opp_002"}),
            ("update_stage", {"opportunity_id": "opp_001", "stage": "lost", "expected_version": 1}),
        ),
        "It belongs to {whom}; verdict: {verdict}.",
        {"whom": r"account_id\W+(\w+)", "verdict": r"verdict\W+(\w+)"},
    ),
    tools={"get_opportunity", "quote_readiness"},
    answer="It belongs to acc_001; verdict: quote.",
    bound=("get_opportunity", "opportunity_id", "opp_002"),
    outside="update_stage",
    allowed={"get_opportunity": 1, "quote_readiness": 1},
)
OPENAI = Example(
    "openai_agents",
    "finance",
    http=False,
    model="openai",
    script=Script(
        (
            (
                "check_credit",
                {"account_id": "acc_001", "amount_minor": 1_200_000, "currency": "EUR"},
            ),
            ("screen_party", {"account_id": "acc_001"}),
            ("check_credit", {"account_id": "acc_002", "amount_minor": 1, "currency": "EUR"}),
            ("get_quote", {"quote_id": "q_1"}),
        ),
        "Credit is {credit}; screening by {list}.",
        {"credit": r"verdict\W+(\w+)", "list": r"list_name\W+([\w ]+)"},
    ),
    tools={"check_credit", "screen_party"},
    answer="Credit is clear; screening by dealdesk demo screening list.",
    bound=("check_credit", "account_id", "acc_002"),
    outside="get_quote",
    allowed={"check_credit": 1, "screen_party": 1},
)
LANGGRAPH = Example(
    "langgraph",
    "crm",
    http=True,
    model="openai",
    script=Script(
        (
            ("get_account", {"account_id": "acc_001"}),
            ("quote_history", {"account_id": "acc_001"}),
            ("get_account", {"account_id": "acc_002"}),
            ("list_contacts", {"account_id": "acc_001"}),
        ),
        "It buys in {currency}; the latest quote was {outcome}.",
        {"currency": r"currency\W+(\w+)", "outcome": r"outcome\W+(\w+)"},
    ),
    tools={"get_account", "quote_history"},
    answer="It buys in EUR; the latest quote was rejected.",
    bound=("get_account", "account_id", "acc_002"),
    outside="list_contacts",
    allowed={"get_account": 1, "quote_history": 1},
)
ALL = (LOOP, PYDANTIC, OPENAI, LANGGRAPH)


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
        [sys.executable, "-m", "orchestrator", *shlex.split(command.replace("\\\n", ""))],
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


async def printed(example: Example, home: Path, token: str, url: str, folder: Path) -> str:
    """Run the example's program as its README says, and return what it printed."""
    work = Path(shutil.copytree(EXAMPLES / example.name, folder / example.name))
    env = kept_environment() | {"HOME": str(folder), "DEALDESK_GRANT": token}
    if not example.http:
        env["DEALDESK_HOME"] = str(home)
        env[f"DEALDESK_{example.server.upper()}"] = script(example.server)
    with serving(example, home) as base:
        if base:
            env["DEALDESK_URL"] = f"{base}/mcp"
        if example.model == "anthropic":
            env |= {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": ANTHROPIC_KEY}
        else:
            env |= {"OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": OPENAI_KEY}
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


@contextmanager
def serving(example: Example, home: Path) -> Iterator[str]:
    """Serve over HTTP for an example that connects; a stdio one starts its server itself."""
    with http_server(example.server, home) if example.http else nullcontext("") as base:
        yield base


def audited(home: Path, example: Example, grant: str) -> list[tuple[str, str, str]]:
    """Every call under a grant: the tool, what came of it, and why."""
    with closing(sqlite3.connect(home / f"{example.server}.db")) as database:
        return database.execute(
            "SELECT component, outcome, reason FROM audit "
            "WHERE grant_id = ? AND method = 'tools/call' ORDER BY seq",
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


@needs_environments
@pytest.mark.timeout(300)
@pytest.mark.parametrize("example", ALL, ids=lambda example: example.name)
async def test_an_agent_of_another_stack_gets_its_grant_and_nothing_else(
    example: Example,
    home: Path,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    held, before = minted(example, home), facts(home, example)
    fake: Any = (
        FakeMessages(messages_brain(example.script))
        if example.model == "anthropic"
        else FakeOpenAI(example.script)
    )
    async with on_loopback(fake) as url:
        said = await printed(example, home, held.token, url, tmp_path)

    tool, argument, value = example.bound
    lines = said.splitlines()
    assert f"tools: {', '.join(sorted(example.tools))}" in lines, said
    assert [line for line in lines if line.startswith(f"answer: {example.answer}")], said
    refusal = f"NOT_FOUND: no {argument} '{value}'. Try: use the {argument} of your task."
    assert any(line.startswith("<- ") and refusal in line for line in lines), said
    assert f"not granted: {example.outside}: Unknown tool: '{example.outside}'" in lines, said

    rows = audited(home, example, held.claims["jti"])
    ran = [component for component, outcome, _ in rows if outcome != "denied"]
    denied = [(component, reason) for component, outcome, reason in rows if outcome == "denied"]
    assert {name: ran.count(name) for name in ran} == example.allowed
    assert (tool, f"bound argument {argument}") in denied
    assert (example.outside, "not granted") in denied
    assert set(held.claims["tools"]) == example.tools
    assert facts(home, example) == before

    executed = sum(name not in example.tools for name in ran)
    assert executed == 0
    record_property(
        "figure",
        f"example {example.name}: {len(example.tools)} tools granted and listed, "
        f"{len(ran)} calls ran, {len(denied)} refused by the server, "
        f"{executed} ungranted executions (scripted model)",
    )
