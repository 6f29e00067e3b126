"""`mcp` 1.x, the client that most programs still have: it knows nothing newer than 2025-11-25."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from e2e.wire import DEADLINE

from .conftest import BOUND, CALLS, SERVERS, UNLISTED, Desk
from .rows import found, needs, row

PYTHON = "venvs/mcp1/bin/python"
pytestmark = [pytest.mark.timeout(300), needs("mcp 1.x", PYTHON)]


@pytest.mark.parametrize("transport", ["stdio", "http"])
@pytest.mark.parametrize("server", SERVERS)
def test_an_old_client_lists_calls_and_is_refused(
    desk: Desk, record_property: Callable[[str, object], None], server: str, transport: str
) -> None:
    grant, (name, arguments) = desk.grant(server), CALLS[server]
    how = (
        {"command": desk.stdio(server), "env": {"DEALDESK_GRANT": desk.token(grant)}}
        if transport == "stdio"
        else {
            "url": f"{desk.addresses[server]}/mcp",
            "headers": {"Authorization": f"Bearer {desk.token(grant)}"},
        }
    )
    calls = [CALLS[server], (name, arguments | BOUND[server]), UNLISTED[server]]
    done = subprocess.run(
        [str(found(PYTHON)), str(Path(__file__).with_name("mcp1_client.py"))],
        input=json.dumps({**how, "calls": calls}),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["era"] == "2025-11-25"
    assert set(said["tools"]) == grant.tools & set(said["tools"])
    assert name in said["tools"]
    (wrong, text, structured), bound, unlisted = said["results"]
    assert not wrong
    assert json.loads(text) == structured
    assert bound[0]
    assert bound[1].startswith("NOT_FOUND: ")
    assert unlisted[:2] == [True, f"Unknown tool: '{UNLISTED[server][0]}'"]
    verdict = desk.judge(server, grant)
    assert (verdict.called, verdict.refused, verdict.era) == (1, 2, "2025-11-25")
    row(
        "mcp", said["version"], transport, verdict.era, server,
        listed=len(said["tools"]), called=verdict.called, refused=verdict.refused,
    )  # fmt: skip
    figure = f"{server} over {transport}: {verdict.refused} refused, 0 of them ran"
    record_property("figure", f"mcp {said['version']}, {figure}")
