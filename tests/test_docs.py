"""The generated pages say what the servers say now, and the figures in them hold."""

import importlib.util
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from servers.registry import NAMES, tables_of

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def tools_page() -> str:
    return (ROOT / "docs" / "tools.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def make_docs() -> Any:
    spec = importlib.util.spec_from_file_location("make_docs", ROOT / "scripts" / "make_docs.py")
    assert spec is not None
    assert spec.loader is not None
    make_docs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_docs)
    return make_docs


async def test_the_tools_page_is_what_the_live_servers_say(tools_page: str, make_docs: Any) -> None:
    assert await make_docs.page() == tools_page, "run scripts/make_docs.py and read the change"


def test_the_published_schema_is_that_of_the_customers_quote(make_docs: Any) -> None:
    published = (ROOT / "docs" / "quote.schema.json").read_text(encoding="utf-8")
    assert make_docs.schema() == published, "run scripts/make_docs.py and read the change"


def test_the_page_of_files_lists_the_columns_of_every_table(make_docs: Any) -> None:
    page = (ROOT / "docs" / "importing.md").read_text(encoding="utf-8")
    assert make_docs.importing() == page, "run scripts/make_docs.py and read the change"
    for server in NAMES:
        for name in tables_of(server):
            assert f"### {name}\n" in page


def test_every_server_has_a_container_a_volume_and_a_database(make_docs: Any) -> None:
    found = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    assert make_docs.compose() == found, "run scripts/make_docs.py and read the change"


def test_no_agent_carries_more_than_a_quarter_of_all_definitions(
    tools_page: str, record_property: Callable[[str, object], None]
) -> None:
    rows = re.findall(r"^\| (\w+) \| (\d+) \| ([\d,]+) \| ([\d.]+)% \|$", tools_page, re.MULTILINE)
    assert len(rows) == 8
    shares = {agent: float(share) for agent, _, _, share in rows}
    assert max(shares.values()) <= 25
    said = ", ".join(f"{agent} {share}%" for agent, share in shares.items())
    record_property("figure", f"definitions each agent carries, of all tools': {said}")


PAGES = [
    *("README.md", "CONTRIBUTING.md", "SECURITY.md"),
    *sorted(str(page.relative_to(ROOT)) for page in (ROOT / "docs").glob("*.md")),
    *sorted(str(page.relative_to(ROOT)) for page in (ROOT / "servers").glob("**/README.md")),
]
FOLDERS = ("servers", "orchestrator", "dealdesk", "seed_data", "docs", "tests", "scripts")


def paths_named(text: str) -> set[str]:
    """The paths of this project in a page: backticked, or in a link to a file."""
    named = re.findall(r"`([\w.<>/-]+)`", text)
    ours = {one for one in named if one.startswith(tuple(f"{top}/" for top in FOLDERS))}
    linked = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    return ours | {f"link:{one}" for one in linked}


@pytest.mark.parametrize("page", PAGES)
def test_every_path_that_a_page_names_is_there(page: str) -> None:
    for named in paths_named((ROOT / page).read_text(encoding="utf-8")):
        if named.startswith("link:"):
            found = ((ROOT / page).parent / named[5:]).exists()
        else:
            # `<server>` and `<name>` stand for any: at least one such path must exist
            found = any(ROOT.glob(re.sub(r"<\w+>", "*", named).rstrip("/")))
        assert found, f"{page} names {named}, which is not in the tree"


def test_a_path_that_is_gone_would_be_found() -> None:
    text = "See `servers/crm/gone.py`, `servers/<server>/gone/` and [a page](docs/x.md#y)."
    assert paths_named(text) == {"servers/crm/gone.py", "servers/<server>/gone/", "link:docs/x.md"}


SOURCES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for top in ("servers", "orchestrator", "dealdesk", "seed_data")
    for path in (ROOT / top).rglob("*")
    if path.suffix in (".py", ".md", ".j2", ".html", ".typ", ".json", ".csv")
}


def test_a_module_that_a_docstring_names_is_there() -> None:
    modules = {source: text for source, text in SOURCES.items() if source.endswith(".py")}
    for source, text in modules.items():
        for named in re.findall(r"`([\w/]+\.py)`", text):
            assert any(f"/{one}".endswith(f"/{named}") for one in modules), f"{source}: {named}"


def test_each_answer_to_where_is_stands_in_one_place() -> None:
    asked = tomllib.loads((ROOT / "tests" / "where_is.toml").read_text(encoding="utf-8"))["where"]
    for question in asked:
        phrase = question["code_phrase"]
        found = [source for source, text in SOURCES.items() for _ in range(text.count(phrase))]
        assert len(found) == 1, f"{phrase}: {found}"
