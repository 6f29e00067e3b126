"""CONTRIBUTING's recipes, followed in a copy of the tree, with the files each of them touches.

What a command writes (the snapshot, docs/tools.md, compose.yaml) is told apart from what a person
edits. `tests/recipes/` holds what a person writes.
"""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters, stdio_client

from servers.crm.migrations import HEAD

ROOT = Path(__file__).parents[1]
PARTS = ROOT / "tests" / "recipes"
LEFT_OUT = shutil.ignore_patterns(
    *(".git", ".venv", ".interop", ".*_cache", ".hypothesis", "__pycache__", "build", "dist")
)
WRITTEN = re.compile(r"tests/snapshots/\w+\.json|docs/(tools|importing)\.md|compose\.yaml")
"""What scripts/make_docs.py and UPDATE_SNAPSHOTS=1 write."""

GOAL = "Quote Alder & Finch for the switches they asked about last week"

pytestmark = [pytest.mark.full, pytest.mark.timeout(600)]
Record = Callable[[str, object], None]


@dataclass(frozen=True)
class Tree:
    """A copy of the tree that a recipe is followed in."""

    root: Path
    before: dict[str, bytes]

    def add(self, recipe: str) -> None:
        """Put the files of a recipe where they belong."""
        shutil.copytree(PARTS / recipe, self.root, dirs_exist_ok=True)

    def edit(self, name: str, old: str, new: str) -> None:
        """Change one place of a file."""
        text = (self.root / name).read_text(encoding="utf-8")
        assert text.count(old) == 1, (name, old)
        (self.root / name).write_text(text.replace(old, new), encoding="utf-8")

    def touched(self) -> tuple[set[str], set[str]]:
        """The files that a person edited or added, and those that commands wrote."""
        found = {n for n, content in contents(self.root).items() if self.before.get(n) != content}
        written = {name for name in found if WRITTEN.fullmatch(name)}
        return found - written, written

    def run(self, *words: str, fails: bool = False, **variables: str) -> str:
        """Run Python in the copy; return what it said, all of it when it was to fail."""
        done = subprocess.run(
            [sys.executable, *words],
            cwd=self.root,
            env=self.environment() | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout + done.stderr if fails else done.stdout

    def environment(self) -> dict[str, str]:
        kept = {n: v for n, v in os.environ.items() if not n.startswith(("DEALDESK_", "PYTEST_"))}
        home, person = str(self.root / "home"), str(self.root / "person")
        return kept | {"PYTHONPATH": str(self.root), "DEALDESK_HOME": home, "HOME": person}

    def dealdesk(self, *words: str) -> str:
        return self.run("-m", "dealdesk", *words)

    def tests(self, *words: str, **variables: str) -> str:
        return self.run("-m", "pytest", "-n", "0", "-o", "timeout=300", *words, **variables)

    def document(self) -> None:
        """Write the snapshots and the pages, as the recipes say."""
        self.tests("tests/test_tool_schemas.py", UPDATE_SNAPSHOTS="1")
        self.run("scripts/make_docs.py")


def contents(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
        and "__pycache__" not in path.parts
        and path.relative_to(root).parts[0] not in ("home", "person")
        and not path.relative_to(root).parts[0].startswith(".")
    }


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    root = Path(shutil.copytree(ROOT, tmp_path / "tree", ignore=LEFT_OUT))
    (root / "person").mkdir()
    yield Tree(root, contents(root))
    shutil.rmtree(root)


NEW_TOOL = '''@tool(reads("Browse a category", rows="public", confidentiality="public"))
def browse_category(database: Database, category: Category) -> s.ProductPage:
    """List all the products of a category, by SKU; search_products names the categories."""
    with database.session() as session:
        found = [s.ProductSummary.of(one) for one in find_family(session, category).values()]
    return s.ProductPage(items=found, total=len(found), next_cursor=None)


'''


def test_a_tool_is_a_function_and_a_name_in_a_profile(tree: Tree, record_property: Record) -> None:
    tools, last = "servers/catalog/tools/products.py", "def _known("
    tree.edit(tools, last, NEW_TOOL + last)
    tree.edit(tools, "store.products import ", "store.products import find_family, ")
    tree.edit(
        "servers/catalog/profiles.toml", '"get_product",', '"get_product",\n    "browse_category",'
    )
    tree.document()

    said = tree.dealdesk(*("grant", "mint", "--agent", "shopper", "--tool", "browse_category"))
    assert len(said.split(".")) == 3
    passed = tree.tests(
        *("tests/test_architecture.py", "tests/test_tool_schemas.py", "tests/test_docs.py"),
        *("tests/catalog/test_server.py", "tests/e2e/test_permissions.py"),
        *("-k", "catalog or page or (exactly_when_granted and in_process)"),
    )
    assert "failed" not in passed
    edited, written = tree.touched()
    assert edited == {tools, "servers/catalog/profiles.toml"}
    assert written == {"tests/snapshots/catalog.json", "docs/tools.md"}
    record_property("figure", f"a tool: {len(edited)} files, {len(written)} made")


NEW_COLUMN = f"""\"\"\"Where an account is on the web.\"\"\"

import sqlalchemy as sa
from alembic import op

revision = "9999_website"
down_revision = "{HEAD}"


def upgrade() -> None:
    \"\"\"Add the column.\"\"\"
    column = sa.Column("website", sa.String(120), nullable=False, server_default="")
    op.add_column("account", column)
"""
LOOK = """
import asyncio, os, sys
from fastmcp import Client
from servers.profiles import profile_grant
from servers.registry import open_server

async def main():
    app, _ = open_server("crm", os.environ["DEALDESK_HOME"] + "/crm.db")
    async with Client(app.view(profile_grant("crm", "read"))) as client:
        found = await client.call_tool("get_account", {"account_id": sys.argv[1]})
    print(found.structured_content["website"])

asyncio.run(main())
"""


def test_a_column_is_stored_imported_exported_and_shown(
    tree: Tree, record_property: Record
) -> None:
    tree.dealdesk("init")
    row, shown = '    industry: str = Field(default="", max_length=80)\n', "    industry: str\n"
    website = '    website: str = Field(default="", max_length=120)\n'
    tree.edit("servers/crm/tables.py", row, row + website)
    tree.edit("servers/crm/account_schemas.py", shown, shown + "    website: str\n")
    tree.edit("servers/crm/migrations/__init__.py", HEAD, "9999_website")
    added = tree.root / "servers/crm/migrations/versions/9999_website.py"
    added.write_text(NEW_COLUMN, encoding="utf-8")
    tree.document()

    theirs = tree.root / "home" / "theirs.csv"
    theirs.write_text("account_id,Web\nacc_001,alderfinch.example\n", encoding="utf-8")
    words = ("import", "crm", "accounts", str(theirs), "--map", "website=Web")
    assert "1 changed" in tree.dealdesk(*words)
    assert tree.run("-c", LOOK, "acc_001").strip() == "alderfinch.example"
    tree.dealdesk("export", str(tree.root / "home" / "out"))
    out = (tree.root / "home" / "out" / "crm" / "accounts.csv").read_text(encoding="utf-8")
    assert "alderfinch.example" in out
    passed = tree.tests(
        *("tests/test_tool_schemas.py", "tests/test_docs.py", "tests/crm/test_server.py"),
        *("-k", "crm or page or account"),
    )
    assert "failed" not in passed
    edited, written = tree.touched()
    assert len(edited) == 4, edited
    record_property("figure", f"a column: {len(edited)} files, {len(written)} made")


def test_a_server_is_its_own_folder_a_row_and_a_seed_folder(
    tree: Tree, record_property: Record
) -> None:
    tree.add("server")
    finance = '    ServerRow("finance", "Prices, terms, quotes and approvals"),\n'
    row = '    ServerRow("support", "Tickets of customers"),\n'
    tree.edit("servers/registry.py", finance, finance + row)
    tree.document()

    said = tree.dealdesk("doctor")
    assert "support 2 tools" in said
    minted = tree.dealdesk(
        *("grant", "mint", "--agent", "shopper", "--tool", "list_tickets"),
        *("--bind", "account_id=acc_001", "--json"),
    )
    assert json.loads(minted)["server"] == "support"
    entries = json.loads(tree.dealdesk("connect", "json", "--server", "all"))["mcpServers"]
    words = entries["dealdesk-support"]["args"]
    assert words[:2] == ["serve", "support"]
    assert "DEALDESK_SUPPORT_URL" in tree.run(
        *("-m", "dealdesk", "serve", "all", "--database", "x.db"), fails=True
    )
    assert asyncio.run(tickets(tree, words, json.loads(minted)["token"])) == ["tic_001", "tic_002"]

    passed = tree.tests(
        *("tests/test_architecture.py", "tests/test_tool_schemas.py", "tests/test_docs.py"),
        *("tests/packaging/test_container_files.py", "tests/e2e/test_permissions.py"),
        *("tests/e2e/test_together.py", "tests/e2e/test_http.py", "tests/e2e/test_raw.py"),
        *("-vv", "-k", "support or page or container or (exactly_when_granted and in_process)"),
    )
    for test in ("architecture", "tool_schemas", "container_files", "together", "http", "raw"):
        assert re.search(rf"tests/\S*test_{test}\.py\S*\[support\S*\] PASSED", passed), passed
    edited, written = tree.touched()
    outside = {name for name in edited if not name.startswith("servers/support/")}
    assert outside == {"servers/registry.py", "seed_data/support/tickets.json"}
    record_property(
        "figure", f"a server: its own folder and {len(outside)} files, {len(written)} made"
    )

    agents, tool = "orchestrator/workflows/quote/__init__.py", '"crm.quote_history"'
    tree.edit(agents, tool, f'{tool}, "support.list_tickets"')  # and an agent may hold its tools
    assert "support.list_tickets" in tree.dealdesk("tools", "--agent", "profile", "--json")
    assert json.loads(tree.dealdesk("run", GOAL, "--json"))["outcome"] == "issued"


async def tickets(tree: Tree, words: list[str], token: str) -> list[str]:
    """What the server that `connect` would start answers to the holder of the grant."""
    started = StdioServerParameters(
        command=sys.executable,
        args=["-m", "dealdesk", *words],
        env=tree.environment() | {"DEALDESK_GRANT": token},
        cwd=tree.root,
    )
    async with Client(stdio_client(started)) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["list_tickets"]
        found = await client.call_tool("list_tickets", {"account_id": "acc_001"})
        other = await client.call_tool("list_tickets", {"account_id": "acc_002"})
    assert other.is_error
    return [item["ticket_id"] for item in (found.structured_content or {})["items"]]


QUOTE = "orchestrator/workflows/quote"
AGENT = """\
    AgentSpec(
        name="margin",
        tools=("catalog.get_product",),
        output=contracts.Margin,
        gives={"lines": "facts.lines", "total_minor": "price.total_minor"},
        verify=verify.verify_margin,
    ),
)

EFFECTS = """
CONTRACT = """

class Margin(Contract):
    \"\"\"Whether the first product was looked at.\"\"\"

    looked: bool = False


class Assembly("""
VERIFY = """

def verify_margin(output: c.Margin, calls: Calls, _outputs: Outputs) -> list[str]:
    \"\"\"The product must have been read.\"\"\"
    return [] if output.looked and last(calls, "get_product") else ["read the product first"]


def verify_assembly("""
PLAY = """

def play_margin(request: Request) -> Reply:
    \"\"\"Look at the first product.\"\"\"
    lines = inputs_of(request)["lines"]
    if not request.results("get_product"):
        return reply(call("get_product", sku=lines[0]["sku"]))
    return answer({"looked": True})


def play_assemble("""


def test_an_agent_is_five_files_and_is_played_shown_and_listed(
    tree: Tree, record_property: Record
) -> None:
    tree.add("agent")
    tree.edit(f"{QUOTE}/__init__.py", ")\n\nEFFECTS = ", AGENT)
    tree.edit(f"{QUOTE}/contracts.py", "\n\nclass Assembly(", CONTRACT)
    tree.edit(f"{QUOTE}/verify.py", "\n\ndef verify_assembly(", VERIFY)
    tree.edit("dealdesk/playbook/quote.py", "\n\ndef play_assemble(", PLAY)
    edited, _ = tree.touched()
    assert len(edited) == 5
    record_property("figure", f"an agent: {len(edited)} files")

    done = tree.dealdesk("run", GOAL, "--ndjson").splitlines()
    played = [e["agent"] for e in map(json.loads, done) if e["type"] == "agent_finished"]
    assert {"margin", "assemble"} <= set(played)
    assert json.loads(done[-1])["outcome"] == "issued"
    assert "catalog.get_product" in tree.dealdesk("tools", "--agent", "margin", "--json")
    tree.run("scripts/make_docs.py")
    assert "| margin | 1 |" in (tree.root / "docs" / "tools.md").read_text(encoding="utf-8")
    passed = tree.tests(
        *("tests/orchestrator/test_contracts.py", "tests/orchestrator/test_claude.py"),
        *("-vv", "-k", "margin or plain"),
    )
    assert "test_the_api_takes_every_contract[margin] PASSED" in passed
    matrix = "from tests.e2e.matrix import subjects; print([s.name for s in subjects('catalog')])"
    assert "agent margin" in tree.run("-c", matrix)

    (tree.root / QUOTE / "instructions" / "margin.md").unlink()
    assert "margin has no job story" in tree.run("-m", "dealdesk", "run", GOAL, fails=True)


def test_a_workflow_is_its_own_folder_and_a_row(tree: Tree, record_property: Record) -> None:
    tree.add("workflow")
    row = '    "quote": "orchestrator.workflows.quote",\n'
    more = '    "greet": "orchestrator.workflows.greet",\n'
    tree.edit("orchestrator/workflows/__init__.py", row, row + more)
    edited, _ = tree.touched()
    outside = {one for one in edited if not one.startswith("orchestrator/workflows/greet/")}
    assert outside == {"orchestrator/workflows/__init__.py"}
    record_property("figure", f"a workflow: its own folder and {len(outside)} file")

    assert "crm.get_account" in tree.dealdesk("tools", "--agent", "greet", "--json")
    assert "10 agents fit the live servers" in tree.dealdesk("doctor")
    greet = ("-m", "dealdesk", "run", "Greet Alder & Finch", "--workflow", "greet")
    assert "no play for the agent find" in tree.run(*greet, fails=True)
    tree.add("workflow_offline")
    assert json.loads(tree.run(*greet, "--json"))["message"].startswith("a business with ")
    assert json.loads(tree.dealdesk("run", GOAL, "--json"))["outcome"] == "issued"
