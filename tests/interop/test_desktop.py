"""A salesperson with an empty home: `connect claude-desktop`, then an email becomes a draft.

The commands that `connect` wrote are started as they stand, in a scrubbed environment, by a client
that is not the one we build with. The transcript is kept in docs/desktop-walk.md.
"""

import json
import os
import re
import shlex
import subprocess
import sysconfig
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from e2e.wire import DEADLINE
from mcp import Client
from mcp.client.stdio import StdioServerParameters

from .desktop_walk import ORDER_DATE, Desk, walk
from .rows import needs

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "desktop-walk.md"
pytestmark = [pytest.mark.timeout(240), needs("the desktop walk", "*")]
MARK = "<!-- the calls: written by tests/interop/test_desktop.py with UPDATE_SNAPSHOTS=1 -->\n"


LINES = re.findall(r"^dealdesk (connect .*)$", (ROOT / "README.md").read_text(), re.MULTILINE)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("salesperson")


def dealdesk(home: Path, words: str, **variables: str) -> str:
    """Run the command as a person does who has nothing but a home; return what it printed."""
    command = Path(sysconfig.get_path("scripts")) / "dealdesk"
    done = subprocess.run(
        [command, *shlex.split(words)],
        env={"HOME": str(home), "PATH": os.defpath, **variables},
        cwd=home,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def written(home: Path) -> dict[str, Any]:
    """The entries that the README's first line wrote into an empty home."""
    assert LINES[0] == "connect claude-desktop --profile sales"
    assert "✓ dealdesk-finance" in dealdesk(home, LINES[0])
    (settings,) = home.rglob("claude_desktop_config.json")
    return dict(json.loads(settings.read_text(encoding="utf-8"))["mcpServers"])


@pytest.mark.parametrize("line", LINES[1:])
def test_the_readmes_other_lines_run(home: Path, written: dict[str, Any], line: str) -> None:
    assert "dealdesk-catalog" in dealdesk(home, line)


async def test_an_email_becomes_a_draft_with_prompts_and_tools_alone(
    home: Path, written: dict[str, Any], tmp_path: Path
) -> None:
    assert set(written) == {"dealdesk-crm", "dealdesk-catalog", "dealdesk-finance"}
    async with AsyncExitStack() as stack:
        clients = {}
        for name, entry in written.items():
            assert Path(entry["command"]).is_absolute()
            assert "env" not in entry, "nothing depends on a variable"
            started = StdioServerParameters(
                command=entry["command"], args=entry["args"], env={"HOME": str(tmp_path)}
            )
            client = Client(started, mode="legacy", read_timeout_seconds=DEADLINE)
            clients[name.removeprefix("dealdesk-")] = await stack.enter_async_context(client)
        desk = Desk(clients)
        quote, waiting = await walk(desk)
        tools = {tool.name for tool in (await clients["finance"].list_tools()).tools}

    gold = json.loads((ROOT / "evals/quotes/gold/opp_001.json").read_text(encoding="utf-8"))
    assert gold["order_date"] == ORDER_DATE
    assert quote["totals"]["total_minor"] == int(gold["total"].replace(".", ""))
    assert [(line["sku"], line["quantity"]) for line in quote["lines"]] == [
        (line["sku"], line["quantity"]) for line in gold["lines"]
    ]
    assert quote["number"] is None, "a draft is no offer yet"
    assert waiting["next_step"]["waits_for"] == "decision", waiting
    assert all(one["people"] for one in waiting["next_step"]["decisions"]), "who may decide"
    quote_id = waiting["quote_id"]
    people = [one["people"][0]["person_id"] for one in waiting["next_step"]["decisions"]]
    tokens = {who: dealdesk(home, f"person enroll {who}").split()[0] for who in people}
    for who in dict.fromkeys(people):
        dealdesk(home, f"quote approve {quote_id} --all", DEALDESK_PERSON_TOKEN=tokens[who])
    issue = dealdesk(home, f"quote issue {quote_id}", DEALDESK_PERSON_TOKEN=tokens["per_tomas"])
    assert "Q-2026-000001" in issue
    assert not tools & {"decide_approval", "issue_quote", "withdraw_quote"}, "people do these"
    assert {method for _, method in desk.asked} >= {"prepare_quote", "create_quote"}

    head, mark, said = PAGE.read_text(encoding="utf-8").partition(MARK)
    if os.environ.get("UPDATE_SNAPSHOTS"):
        PAGE.write_text(f"{head}{MARK}\n{desk.transcript()}", encoding="utf-8")
    else:
        assert mark
        assert said == f"\n{desk.transcript()}", "UPDATE_SNAPSHOTS=1 and read the change"
