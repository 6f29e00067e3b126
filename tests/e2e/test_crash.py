"""Kill a run anywhere, resume it: the same quote, every write once."""

import asyncio
import json
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client

from servers.finance.server import open_server
from servers.profiles import profile_grant

from .conftest import Warm

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
    found = {}
    for server in ("crm", "finance"):
        with closing(sqlite3.connect(home / f"{server}.db")) as connection:
            names = [
                name
                for (name,) in connection.execute(
                    "SELECT name FROM sqlite_master WHERE type = 'table'"
                )
            ]
            for name in names:
                if name.startswith(("sqlite_", "audit", "revoked", "grant_call")) or "fts" in name:
                    continue  # who tried what differs between one life and two
                sql = f'SELECT count(*) FROM "{name}"'  # noqa: S608 - names from the schema itself
                (count,) = connection.execute(sql).fetchone()
                found[f"{server}.{name}"] = count
    return found


def outcome(home: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((home / "result.json").read_text(encoding="utf-8"))
    return found


def quote(home: Path) -> dict[str, Any]:
    """The stored quote without what is new in every data folder: random ids and times."""
    app, _ = open_server(str(home / "finance.db"))

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
