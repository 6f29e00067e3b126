"""Kill a run anywhere, resume it: the same quote, every write once."""

import asyncio
import json
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastmcp import Client

from dealdesk.settings import load_settings
from orchestrator.graph import Graph
from orchestrator.workflows import load
from servers.finance.server import open_server
from servers.profiles import profile_grant

from .conftest import Command, Warm
from .test_postgres_run import URL, databases  # noqa: F401 - a fixture

Life = Callable[..., int]
CRASH = Path(__file__).with_name("crash.py")
POINTS = {
    "qualify:2": "resume",
    "answered record_needs": "resume",
    "match:1": "resume",
    "assemble:1": "reword",  # the draft is stored, its step is not: the second life asks anew
    "answered issue": "resume",
}
"""Where to die, and how to come back."""


@pytest.fixture
def fresh(seeded: Any, tmp_path: Path) -> Callable[[str], Path]:
    """Copy a data folder with the demo company and no runs yet."""

    def copy(name: str) -> Path:
        return Path(shutil.copytree(seeded.home, tmp_path / name))

    return copy


@pytest.fixture
def life(warm: Warm) -> Life:
    """Run one life in a process of its own, and return how the process ended."""

    def live(home: Path, what: str, point: str = "-") -> int:
        return subprocess.run(
            warm(str(CRASH), home, what, point), check=False, timeout=90
        ).returncode

    return live


def rows(home: Path) -> dict[str, int]:
    """How many rows every table that a run writes has."""
    found, settings = {}, load_settings(home=home)
    for server in ("crm", "finance"):
        engine = sa.create_engine(settings.server_url(server))
        with engine.connect() as connection:
            for name in sa.inspect(connection).get_table_names():
                if name.startswith(("audit", "revoked", "grant_call")) or "fts" in name:
                    continue  # who tried what differs between one life and two
                counted = sa.select(sa.func.count()).select_from(sa.table(name))
                found[f"{server}.{name}"] = int(connection.execute(counted).scalar_one())
        engine.dispose()
    return found


def outcome(home: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((home / "result.json").read_text(encoding="utf-8"))
    return found


def quote(home: Path) -> dict[str, Any]:
    """The stored quote without what is new in every data folder: random ids and times."""
    app, _ = open_server(load_settings(home=home).server_url("finance"))

    async def read() -> dict[str, Any]:
        async with Client(app.view(profile_grant("finance", "read"))) as client:
            asked = {"quote_id": outcome(home)["quote_id"], "view": "customer"}
            return dict((await client.call_tool("get_quote", asked)).structured_content or {})

    shown = asyncio.run(read())
    app.ledger.audit.flush()
    app.database.close()
    return {k: v for k, v in shown.items() if k not in ("quote_id", "issued_on", "valid_until")}


@pytest.mark.timeout(240)
def test_a_killed_run_resumes_to_the_same_quote_and_writes_everything_once(
    fresh: Callable[[str], Path], life: Life
) -> None:
    before = rows(fresh("untouched"))
    whole = fresh("whole")
    assert life(whole, "run") == 0
    expected, written = quote(whole), rows(whole)
    assert written != before
    for point, how in POINTS.items():
        home = fresh(point.translate({ord(":"): "-", ord(" "): "-"}))
        assert life(home, "run", point) == -signal.SIGKILL, point
        assert life(home, how) == 0, point
        assert outcome(home)["outcome"] == "issued", point
        assert quote(home) == expected, point
        assert rows(home) == written, point


BOUNDARIES = [
    f"{when} {step}"
    for step in Graph(load("quote")).plan["steps"]
    for when in ("before", "answered", "after")
]


def killed_at(point: str, home: Path, life: Life) -> None:
    """Assert that the run ends as it would have, if it comes to that boundary or not."""
    if end := life(home, "run", point):
        assert end == -signal.SIGKILL, point
        assert life(home, "resume") == 0, point
    assert (outcome(home)["outcome"], outcome(home)["total_minor"]) == ("issued", 654820), point


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_killed_at_every_boundary(fresh: Callable[[str], Path], life: Life) -> None:
    whole = fresh("whole")
    assert life(whole, "run") == 0
    for number, point in enumerate(BOUNDARIES):
        home = fresh(str(number))
        killed_at(point, home, life)
        assert quote(home) == quote(whole), point
        assert rows(home) == rows(whole), point


@pytest.mark.full
@pytest.mark.timeout(3600)
@pytest.mark.skipif(not URL, reason="not run: DEALDESK_TEST_POSTGRES names no PostgreSQL server")
def test_killed_at_every_boundary_on_a_server(
    databases: None,  # noqa: F811 - the fixture
    command: Command,
    life: Life,
    tmp_path: Path,
) -> None:
    assert command("init", home=tmp_path / "whole").code == 0
    settings = load_settings(home=tmp_path / "whole")
    names = [sa.make_url(url).database for url in settings.urls.values()]
    keeper, written = sa.create_engine(URL, isolation_level="AUTOCOMMIT"), None
    with keeper.connect() as connection:
        for name in names:
            connection.exec_driver_sql(f"CREATE DATABASE {name}_kept TEMPLATE {name}")
        for point in ("-", *BOUNDARIES):
            for name in names:
                connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
                connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {name}_kept")
            killed_at(point, tmp_path / "whole", life)
            written = written or rows(tmp_path / "whole")
            assert rows(tmp_path / "whole") == written, point
        for name in names:
            connection.exec_driver_sql(f"DROP DATABASE {name}_kept WITH (FORCE)")
    keeper.dispose()
