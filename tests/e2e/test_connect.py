"""`dealdesk connect`, as somebody with a new computer uses it."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from mcp import Client, StdioServerParameters, stdio_client

from dealdesk.cli import doctor
from dealdesk.connect import probe
from dealdesk.connect.entries import Installation
from servers.profiles import profile_grant
from servers.registry import NAMES

from .conftest import Command, Folder

pytestmark = pytest.mark.timeout(180)


def desktop(person: Path) -> Path:
    return person / ".config" / "Claude" / "claude_desktop_config.json"


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command) -> Path:
    """A person's own folder, in which `command` runs."""
    home = tmp_path / "person"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return home


def copies(path: Path) -> list[Path]:
    return list(path.parent.glob("*.bak-*"))


async def tools_of(entry: dict[str, Any], person: Path) -> set[str]:
    started = StdioServerParameters(**entry, env={"HOME": str(person), "PATH": "/usr/bin:/bin"})
    async with Client(stdio_client(started), mode="legacy") as client:
        return {tool.name for tool in (await client.list_tools()).tools}


def test_from_nothing_to_a_connected_claude_desktop(
    person: Path, command: Command, seeded: Folder, record_property: Callable[[str, object], None]
) -> None:
    """One real run with an empty environment; then exactly what it wrote is started.

    All three, with a whole job done through them: tests/interop/test_desktop.py.
    """
    words = ["connect", "claude-desktop", "--server", "finance", "--profile", "sales"]
    done = subprocess.run(
        [sys.executable, "-m", "dealdesk", *words, "--home", str(seeded.home)],
        env={"HOME": str(person)},
        cwd=person,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done
    listed = re.findall(r"✓ dealdesk-(\w+): (\d+) tools", done.stdout)
    assert [server for server, _ in listed] == ["finance"]
    figure = ", ".join(f"{server} {count} tools" for server, count in listed)
    record_property("figure", f"connect, from an empty environment as sales: {figure}")
    path = desktop(person)
    assert f"{path} (new)" in done.stdout
    written = path.read_bytes()
    entries = json.loads(written)["mcpServers"]
    assert list(entries) == ["dealdesk-finance"]

    entry = entries["dealdesk-finance"]
    assert Path(entry["command"]).is_absolute()
    assert entry["args"][:2] == ["serve", "finance"]
    assert entry["args"][2:] == ["--profile", "sales", "--home", str(seeded.home)]
    assert set(entry) == {"command", "args"}
    names = asyncio.run(tools_of(entry, person))
    assert names <= profile_grant("finance", "sales").tools
    assert {"create_quote", "price_quote"} <= names
    assert "decide_approval" not in names
    assert f"✓ dealdesk-finance: {len(names)} tools" in done.stdout

    again = command(*words, home=seeded.home)
    assert (again.code, again.err) == (0, "")
    assert "nothing to change" in again.out
    assert path.read_bytes() == written
    assert copies(path) == []
    removed = command("connect", "claude-desktop", "--remove")
    assert removed.code == 0
    assert json.loads(path.read_bytes()) == {}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Let every server be tried without starting it; returns what was tried."""
    tried: dict[str, Any] = {}

    async def count(entry: Any, *, token: str | None = None, patience: float = 0) -> int:
        tried[json.dumps(entry)] = token
        return 7

    for module in (probe, doctor):  # whichever was imported first
        monkeypatch.setattr(module, "count_tools", count)
    return tried


MINE = {
    "claude-desktop": (".config/Claude/claude_desktop_config.json", '{"theme": "dark"}\n'),
    "claude-code": (".claude.json", '{\n  "numStartups": 5,\n  "mcpServers": {}\n}'),
    "cursor": (".cursor/mcp.json", '{\r\n\t"mcpServers": {\r\n\t\t"x": {}\r\n\t}\r\n}'),
    "vscode": (".config/Code/User/mcp.json", '{ // mine\n  "servers": {},\n  "inputs": [],\n}\n'),
    "goose": (".config/goose/config.yaml", "# mine\nextensions: {}\nGOOSE_MODE: auto\n"),
}


@pytest.mark.parametrize("client", MINE)
def test_every_client_is_connected_and_left_as_it_was(
    client: str, person: Path, command: Command, quick: dict[str, Any]
) -> None:
    name, text = MINE[client]
    path = person / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    home = person / "data"

    shown = command("connect", client, "--dry-run", home=home)
    assert shown.code == 0
    assert "dealdesk-finance" in shown.out
    assert path.read_bytes() == text.encode()
    assert quick == {}, "a look starts nothing"
    assert os.listdir(path.parent) == [path.name]

    done = command("connect", client)
    assert (done.code, done.err) == (0, ""), done
    assert len(quick) == 3
    assert "✓ dealdesk-crm: 7 tools" in done.out
    (copy,) = copies(path)
    assert copy.read_bytes() == text.encode()
    after = path.read_bytes()
    assert b"mine" in after or "mine" not in text
    if client == "goose":
        assert yaml.safe_load(after)["extensions"]["dealdesk-crm"]["args"][-1] == str(home)

    assert "nothing to change" in command("connect", client).out
    assert path.read_bytes() == after
    assert len(copies(path)) == 1

    other = command("connect", client, "--profile", "sales", "--server", "crm")
    assert other.code == 0
    assert len(copies(path)) == 2
    assert command("connect", client, "--remove").code == 0
    assert path.read_bytes() == text.encode()
    assert "nothing to change" in command("connect", client, "--remove").out


def test_a_server_that_does_not_start_is_not_written(
    person: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Installation, server: str) -> tuple[str, list[str]]:
        if server == "crm":
            return "/bin/sh", ["-c", "echo the disk is full >&2; exit 3"]
        return ("/nowhere/dealdesk", []) if server == "catalog" else ("/bin/cat", ["/dev/null"])

    monkeypatch.setattr(Installation, "command", broken)
    done = command("connect", "claude-desktop", home=person / "data")
    assert done.code == 3
    assert "✗ dealdesk-crm: the disk is full" in done.out
    assert "✗ dealdesk-catalog: /nowhere/dealdesk is not there" in done.out
    assert "✗ dealdesk-finance: " in done.out
    assert done.err == (
        f"dealdesk: {len(NAMES)} of {len(NAMES)} servers cannot be used; nothing was written. "
        "Try: dealdesk doctor.\n"
    )
    assert not desktop(person).exists()

    closed = command("connect", "cursor", "--http", "http://127.0.0.1:9/mcp", "--server", "crm")
    assert closed.code == 3
    assert "✗ dealdesk-crm: no MCP server lets us in at http://127.0.0.1:9/mcp: " in closed.out
    assert "dealdesk serve" in closed.err
    assert os.listdir(person) == []


def test_what_cannot_be_meant_is_one_line(person: Path, command: Command) -> None:
    (person / ".claude.json").write_text('{\n  "a": 1\n  "b": 2\n}')
    command("connect", "claude-code").fails(3, ".claude.json, line 3", "nothing was changed")
    assert (person / ".claude.json").read_text() == '{\n  "a": 1\n  "b": 2\n}'
    url = "http://127.0.0.1:8000"
    command("connect", "claude-desktop", "--http", url).fails(2, "no address", "--http")
    command("connect", "cursor", "--http", url + "/mcp").fails(2, "--server")
    command("connect", "cursor", "--http", "nonsense").fails(2, "no address")
    command("connect", "cursor", "--token-env", "T").fails(2, "--http")
    secret = "eyJhbGciOiJFZERTQSJ9.x.y"
    wrong = command("connect", "cursor", "--http", url, "--token-env", secret)
    wrong.fails(2, "never its value")
    assert secret not in wrong.err
    command("connect", "json", "--remove").fails(2, "has no file")
    command("connect", "claude-desktop", "--link").fails(2, "no links")
    command("connect", "cursor", "--link", "--http", url).fails(2)
    command("connect", "cursor", "--remove", "--http", url).fails(2)
    assert not (person / ".cursor").exists()
    assert command("connect", "clade").code == 2


def test_json_and_links_only_print(person: Path, command: Command) -> None:
    said = command("connect", "json", "--server", "crm", home=person / "data")
    assert list(said.json["mcpServers"]) == ["dealdesk-crm"]
    linked = command("connect", "vscode", "--link")
    assert [line.partition("?")[0] for line in linked.out.splitlines()] == [
        "vscode:mcp/install", "https://insiders.vscode.dev/redirect",
    ] * 3  # fmt: skip
    assert str(person) not in linked.out
    assert os.listdir(person) == []


def test_an_address_is_written_with_the_name_of_the_token_alone(
    person: Path, command: Command, quick: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("connect", "cursor", "--http", "http://127.0.0.1:9/", "--token-env", "MY_GRANT")
    unset = command(*words)
    assert unset.code == 3
    assert "MY_GRANT is not set" in unset.err
    monkeypatch.setenv("MY_GRANT", "hush")
    (person / "team").mkdir()
    team = person / "team" / "mcp.json"
    assert f"--remove --config-path {team}" in command(*words, "--config-path", team).out
    said = command(*words)
    assert said.code == 0
    assert set(quick.values()) == {"hush"}
    text = (person / ".cursor" / "mcp.json").read_text()
    assert "hush" not in text + said.out
    assert text.count('"Authorization": "Bearer ${env:MY_GRANT}"') == 3
    assert '"url": "http://127.0.0.1:9/finance/mcp"' in text


def test_doctor_sees_which_clients_are_connected(
    person: Path, command: Command, quick: dict[str, Any], seeded: Folder
) -> None:
    def rows() -> dict[str, Any]:
        said = command("doctor", "--json", home=seeded.home)
        found = {row["what"]: row for row in said.json if row["what"].startswith("client")}
        assert (said.code == 0) == all(row["ok"] for row in found.values())
        return found

    assert rows()["clients"]["ok"]
    (person / ".config" / "Claude").mkdir(parents=True)
    assert "dealdesk connect claude-desktop" in rows()["client claude-desktop"]["said"]
    assert command("connect", "claude-desktop").code == 0
    tried = len(quick)
    assert command("connect", "claude-code").code == 0
    quick.clear()
    assert rows()["client claude-code"]["said"].startswith("dealdesk-crm 7 tools, ")
    assert len(quick) == tried, "what two clients share is started once"
    (person / ".claude.json").write_text("nonsense")
    found = rows()
    assert found["client claude-desktop"]["said"].startswith("dealdesk-crm 7 tools, ")
    assert not found["client claude-code"]["ok"]
    assert "line 1" in found["client claude-code"]["said"]
