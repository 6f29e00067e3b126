"""Each part works without the others: a server without the orchestrator, a toolset without both."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from servers.profiles import components

from .wire import environment, talk

BLOCKED = """
import importlib.abc, sys

class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.split(".")[0] in {"orchestrator", "dealdesk", "anthropic", "dbos"}:
            raise ModuleNotFoundError(f"no {name} here")

sys.meta_path.insert(0, Missing())
from servers.catalog.__main__ import main
main()
"""

TOOLSET = """
import asyncio, json, sys
import fastmcp.client
before = set(sys.modules)
from orchestrator.toolset import ScopedToolset
heavy = {"anthropic", "dbos", "sqlmodel", "sqlalchemy", "servers", "cyclopts"}
brought = sorted(heavy & (set(sys.modules) - before))

from fastmcp import Client, FastMCP
app = FastMCP("other")

@app.tool
def stock(sku: str, place: str) -> dict[str, str]:
    return {"sku": sku, "place": place}

@app.tool
def order(sku: str) -> dict[str, str]:
    raise AssertionError("ran")

async def main():
    async with ScopedToolset(Client(app), {"stock"}, bind={"place": ["Cork"]}) as tools:
        calls = [await tools.call("stock", {"sku": "A"}), await tools.call("order", {"sku": "A"})]
        shown = {tool["name"]: sorted(tool["input_schema"]["properties"]) for tool in tools.tools}
        print(json.dumps([brought, shown, [[call.outcome, call.result] for call in calls]]))

asyncio.run(main())
"""


@pytest.mark.timeout(120)
async def test_a_server_starts_and_answers_where_there_is_no_orchestrator(tmp_path: Path) -> None:
    command = [sys.executable, "-c", BLOCKED, "--home", str(tmp_path)]
    call = {"name": "get_product", "arguments": {"sku": "SW-P8-120"}}
    asked = [("tools/list", {}), ("tools/call", call)]
    said = await talk(command, environment(tmp_path), asked)
    assert (said.code, said.stderr) == (0, "")
    listed, product = (answer["result"] for answer in said.answers)
    names = {tool["name"] for tool in listed["tools"]}
    assert names == {name for name in components("catalog", "read") if "://" not in name}
    assert product["structuredContent"]["sku"] == "SW-P8-120"


@pytest.mark.timeout(120)
def test_the_toolset_works_alone_with_a_server_that_is_not_ours() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", TOOLSET],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    brought, shown, calls = json.loads(done.stdout)
    assert brought == []
    assert shown == {"stock": ["sku"]}
    assert calls == [["ok", {"sku": "A", "place": "Cork"}], ["denied", None]]
