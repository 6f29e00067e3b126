"""The same run with servers that are not in this process: one over HTTP, one over stdio."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from dealdesk.desk import Desk
from dealdesk.settings import load_settings

from .conftest import Warm
from .wire import environment, http_server

GOAL = "Quote Alder & Finch for the switches they asked about last week"


@pytest.mark.timeout(180)
async def test_a_run_over_http_and_stdio_gives_the_same_quote(
    seeded: Any, warm: Warm, tmp_path: Path
) -> None:
    home = Path(shutil.copytree(seeded.home, tmp_path / "home"))
    where = tmp_path / "servers.json"
    program, *arguments = warm("servers.catalog")
    catalog = {"command": program, "args": arguments, "env": environment(home)}
    with http_server("crm", home, command=warm("servers.crm")) as base:
        entries = {"catalog": catalog, "crm": {"url": f"{base}/mcp"}}
        where.write_text(json.dumps({"mcpServers": entries}), encoding="utf-8")
        settings = load_settings(
            home=str(home), model="playbook", order_date="2026-11-23", servers=str(where)
        )
        async with Desk.open(settings) as desk:
            result = await desk.wait(await desk.submit(GOAL))
            assert set(desk.servers._apps) == {"finance"}  # the others were never opened here
    assert (result["outcome"], result["total_minor"]) == ("issued", 654820)
