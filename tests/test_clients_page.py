"""docs/clients.md says which clients were run: all of them, at the versions that are pinned."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def tables() -> ModuleType:
    spec = importlib.util.spec_from_file_location("t", ROOT / "scripts" / "clients_table.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cells(markers: tuple[str, str]) -> list[list[str]]:
    """The lines of one of the page's tables, without its head."""
    table = PAGE.partition(markers[0])[2].partition(markers[1])[0]
    lines = [line for line in table.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_page_names_the_pinned_versions(tables: ModuleType) -> None:
    package = json.loads((ROOT / "tests" / "interop" / "package.json").read_text(encoding="utf-8"))
    pins = package["dependencies"]
    ran = {(row[0], row[1]) for row in cells(tables.CLIENTS)}
    assert ("Claude Code", pins["@anthropic-ai/claude-code"]) in ran
    assert ("MCP Inspector", pins["@modelcontextprotocol/inspector"]) in ran
    old = (ROOT / "tests" / "interop" / "mcp1.txt").read_text(encoding="utf-8")
    assert ("mcp", old.strip().partition("==")[2]) in ran


def test_every_client_was_refused_something_and_every_server_was_checked(
    tables: ModuleType,
) -> None:
    for row in cells(tables.CLIENTS):
        assert int(row[-2]) > 0, row
        assert int(row[-1]) > 0, row
    checked = cells(tables.CONFORMANCE)
    assert len(checked) >= 8
    assert len(checked) == 2 * len({row[0] for row in checked})  # in both revisions
    assert {row[-1] for row in checked} == {"0"}


def test_rows_become_one_line_per_client_transport_and_protocol(tables: ModuleType) -> None:
    row = {"client": "C", "version": "1", "transport": "stdio", "era": "2026-07-28"}
    rows = [
        {**row, "server": "crm", "listed": 3, "called": 1, "refused": 2},
        {**row, "server": "catalog", "listed": 4, "called": 1, "refused": 0},
    ]
    lines = tables.clients(rows).splitlines()
    assert lines[2:] == ["| C | 1 | stdio | 2026-07-28 | 3, 4, – | 2 | 2 |"]
    assert all(len(re.findall(r"\|", line)) == 8 for line in lines)


def test_a_page_without_a_place_for_a_table_is_refused(tables: ModuleType) -> None:
    with pytest.raises(ValueError, match="lacks the markers"):
        tables.put("a page", tables.CLIENTS, "a table")
