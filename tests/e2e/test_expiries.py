"""Whoever looks has the CRM told what expired: it moves its history and the deal's stage."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from dealdesk.cli import quote_list, serve

from .conftest import ALDER, BERGWALD, DAY, Command, Folder

LOOKS: dict[str, tuple[tuple[str, ...], str]] = {
    "quote list": (("quote", "list", "--json"), "perception_analysis"),
    "quote report": (("quote", "report"), "perception_analysis"),
    "runs list": (("runs", "list"), "perception_analysis"),
    "run of another deal": (("run", BERGWALD, *DAY), "perception_analysis"),
    "run of the same deal": (("run", ALDER, *DAY), "proposal"),  # which is offered anew
    "worker": (("worker",), "perception_analysis"),
}
"""Who looks, and the stage of the deal then."""


@pytest.fixture
def home(quoted: Folder, copy: Callable[[Folder], Path]) -> Path:
    """The demo company with one quote whose validity ended long ago."""
    home = copy(quoted)
    with closing(sqlite3.connect(home / "finance.db")) as db, db:
        guards = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'quote'"
        for (name,) in db.execute(guards).fetchall():
            db.execute(f"DROP TRIGGER {name}")
        db.execute("UPDATE quote SET valid_until = '2026-01-31'")
    with closing(sqlite3.connect(home / "runs.db")) as db, db:
        db.execute("DELETE FROM noted")  # nobody looked since
    return home


@pytest.fixture(autouse=True)
def _one_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a worker be stopped while it looks the first time."""

    def soon() -> asyncio.Event:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_soon(stop.set)
        return stop

    monkeypatch.setattr(serve, "_stop_asked", soon)
    monkeypatch.setattr(serve, "_log_to_stderr", lambda: None)


def steps(home: Path) -> list[str]:
    """The steps of the quote that expired, as the CRM keeps them."""
    sql = """
        SELECT step.outcome FROM quote_step step
        JOIN quote_record quote ON quote.id = step.quote_record_id
        WHERE quote.number = 'Q-2026-000001' ORDER BY step.id
    """
    return _column(home, sql)


def stage(home: Path) -> str:
    sql = """
        SELECT stage FROM opportunity JOIN quote_record USING (opportunity_id)
        WHERE number = 'Q-2026-000001'
    """
    return _column(home, sql)[0]


def _column(home: Path, sql: str) -> list[str]:
    with closing(sqlite3.connect(home / "crm.db")) as db:
        return [row[0] for row in db.execute(sql)]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("look", LOOKS)
def test_whoever_looks_has_the_crm_told_once(home: Path, command: Command, look: str) -> None:
    assert (steps(home), stage(home)) == (["draft", "issued"], "proposal")
    words, after = LOOKS[look]
    for _ in range(2):
        assert command(*words, home=home).code in (0, 10)
        assert steps(home) == ["draft", "issued", "expired"]
    assert stage(home) == after


def test_a_list_opens_no_server_where_there_is_nothing_to_tell(
    quoted: Folder, copy: Callable[[Folder], Path], command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(quote_list, "looking", None)
    assert command("quote", "list", home=copy(quoted)).code == 0
    assert command("runs", "list").code == 0


def test_a_list_is_printed_although_the_crm_is_away(home: Path, command: Command) -> None:
    (home / "crm.db").write_bytes(b"no database")
    said = command("quote", "list", home=home)
    assert said.code == 0
    assert "expired" in said.out
    assert said.err == ""
