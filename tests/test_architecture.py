"""The rules of the house, kept by a test: layers, sizes, documentation, what may be tracked."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from servers.registry import NAMES as SERVERS

ROOT = Path(__file__).parents[1]
FLOORS = ("servers", "orchestrator", "dealdesk")
SOURCES = sorted(p for top in FLOORS for p in (ROOT / top).rglob("*.py"))
MODULES = {
    ".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): p
    for p in SOURCES
}
STORAGE = {"sqlmodel", "sqlalchemy", "fastmcp", "mcp"}
REACHES = {
    "facts": {"facts"},
    "rules": {"facts", "rules"},
    "tables": {"facts", "tables"},
    "store": {"facts", "rules", "tables", "store"},
    "load": {"facts", "rules", "tables", "store", "load"},
}
"""Which rooms of its server a room may use; what is in no other room is a rule."""
ABOVE = {
    *("tools", "resources", "prompts", "card", "server", "__main__", "__init__"),
    *("migrations", "company"),
}
"""Rooms that may use every other."""
MAX_MODULE, MAX_FUNCTION = 400, 60


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_no_module_or_function_is_too_long(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MAX_MODULE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno < MAX_FUNCTION, f"{node.name} is too long"


@pytest.mark.parametrize("server", SERVERS)
def test_a_server_imports_no_other_server_and_never_the_orchestrator(server: str) -> None:
    for path in (ROOT / "servers" / server).rglob("*.py"):
        for module in imports(path):
            above = ("orchestrator", "dealdesk", "anthropic", "dbos")
            assert not module.startswith(above), name_of(path)
            for other in set(SERVERS) - {server}:
                assert not module.startswith(f"servers.{other}"), name_of(path)


def room_of(module: str) -> str:
    """Return the room of a module `servers.<server>.<room or rule>...`."""
    first = module.split(".")[2]
    return first if first in REACHES or first in ABOVE else "rules"


ROOMS = {
    name: room_of(name)
    for name in MODULES
    if name.startswith(tuple(f"servers.{server}." for server in SERVERS))
}


@pytest.mark.parametrize("name", [name for name, room in ROOMS.items() if room in REACHES])
def test_a_room_uses_only_the_rooms_below_it(name: str) -> None:
    room, path = ROOMS[name], MODULES[name]
    if room in ("facts", "rules"):
        assert not STORAGE & {module.split(".")[0] for module in imports(path)}
    for module in modules_imported(path):
        if module in ROOMS:
            assert ROOMS[module] in REACHES[room], module


def test_there_are_rules() -> None:
    assert sum(room == "rules" for room in ROOMS.values()) > 60


def modules_imported(path: Path) -> set[str]:
    """Return the modules of ours that a file imports, those for type checkers included."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            parts = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {part if part in MODULES else node.module for part in parts}
    return found & set(MODULES)


def test_no_import_goes_round_in_a_circle() -> None:
    needs = {name: modules_imported(path) - {name} for name, path in MODULES.items()}
    while done := {name for name, others in needs.items() if not others & needs.keys()}:
        needs = {name: others for name, others in needs.items() if name not in done}
    assert not needs, sorted(needs)


@pytest.mark.parametrize("path", sorted(ROOT.glob("servers/*/facts/*.py")), ids=name_of)
def test_facts_are_a_leaf(path: Path) -> None:
    own = ".".join(path.relative_to(ROOT).parts[:3])
    allowed = (own, *(f"servers.toolkit.{name}" for name in ("money", "findings", "fields")))
    for module in imports(path):
        assert not module.startswith("servers.") or module.startswith(allowed), module


def test_the_toolkit_knows_no_domain() -> None:
    for path in (ROOT / "servers" / "toolkit").glob("*.py"):
        for module in imports(path):
            assert not module.startswith(tuple(f"servers.{s}" for s in SERVERS)), name_of(path)


def test_the_servers_are_listed_once() -> None:
    elsewhere = [p for top in ("scripts", "tests") for p in (ROOT / top).rglob("*.py")]
    for path in (*SOURCES, *elsewhere):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Tuple | ast.List | ast.Set):
                said = {part.value for part in node.elts if isinstance(part, ast.Constant)}
                assert not said >= set(SERVERS), f"{name_of(path)}:{node.lineno}"


def test_imports_between_the_floors_go_down_only() -> None:
    for path in SOURCES:
        floor = FLOORS.index(path.relative_to(ROOT).parts[0])
        above = tuple(f"{name}." for name in FLOORS[floor + 1 :])
        for module in imports(path):
            assert not above or not f"{module}.".startswith(above), f"{name_of(path)}: {module}"


def test_only_the_engine_imports_dbos_and_nothing_above_imports_a_server_by_name() -> None:
    for top in ("orchestrator", "dealdesk"):
        for path in (ROOT / top).rglob("*.py"):
            found = set(imports(path))
            if path.name != "engine.py":
                assert not any(m.split(".")[0] == "dbos" for m in found), name_of(path)
            named = tuple(f"servers.{server}" for server in SERVERS)
            assert not any(m.startswith(named) for m in found), name_of(path)


def test_what_imports_a_server_by_name_is_known() -> None:
    """They open the servers, or (`quote_files.py`) take a pure function that needs none."""
    found = {
        path.name
        for top in ("orchestrator", "dealdesk")
        for path in (ROOT / top).rglob("*.py")
        if "import_module(" in path.read_text(encoding="utf-8")
    }
    assert found == {"servers.py", "quote_files.py"}


def test_no_float_in_a_server() -> None:
    for path in (ROOT / "servers").rglob("*.py"):
        if "toolkit" in path.parts and path.stem in ("ledger", "audit"):
            continue  # seconds of a monotonic clock, not money
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            where = f"{name_of(path)}:{getattr(node, 'lineno', 0)}"
            assert not (isinstance(node, ast.Constant) and type(node.value) is float), where
            assert not (isinstance(node, ast.Name) and node.id == "float"), where


def test_sql_is_never_put_together_from_text() -> None:
    for path in (ROOT / "servers").rglob("*.py"):
        if "migrations" in path.parts or path.stem in ("migrate", "database"):
            continue  # fixed names of ours, no input
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args:
                called = getattr(node.func, "attr", getattr(node.func, "id", ""))
                if called in ("text", "execute", "exec_driver_sql"):
                    assert not isinstance(node.args[0], ast.JoinedStr | ast.BinOp), name_of(path)


def test_help_is_quick_to_import() -> None:
    code = (
        "import sys\n"
        "from dealdesk.cli.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'fastmcp', 'sqlmodel', 'dbos', 'anthropic', 'mcp', 'sqlalchemy'}\n"
        "print('HEAVY', sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "HEAVY []" in done.stdout


def test_a_server_does_not_import_anthropic_or_dbos() -> None:
    code = (
        "import sys\n"
        f"import {', '.join(f'servers.{name}.server' for name in SERVERS)}\n"
        "heavy = {'dbos', 'anthropic', 'orchestrator', 'dealdesk'}\n"
        "print('HEAVY', sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "HEAVY []" in done.stdout


def test_nothing_tracked_names_a_registry() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    for name in tracked:
        assert Path(name).name not in ("uv.lock", "package-lock.json"), name
        assert not re.match(r"pylock.*\.toml$", Path(name).name), name
    assert "://" not in (ROOT / "constraints.txt").read_text()
