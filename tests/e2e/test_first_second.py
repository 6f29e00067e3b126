"""Killed while a data folder is new: what is left is whole, or the next command mends it."""

import asyncio
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dealdesk.desk import Desk
from dealdesk.settings import load_settings
from orchestrator.durable.engine import Engine
from orchestrator.errors import UsageError

from .conftest import ALDER, Command, Folder, Warm, clean_environment
from .test_storage_trouble import at

LIFE = Path(__file__).with_name("first_second.py")
DAY = ("--order-date", "2026-11-23")
Live = Callable[[Path, str], int]


@pytest.fixture
def live(warm: Warm) -> Live:
    """Let a process work in a folder until a touch of it, and return how it ended."""

    def life(home: Path, last: str) -> int:
        return subprocess.run(
            warm(str(LIFE), last),
            env=clean_environment(home) | {"DEALDESK_PERSON": "per_lena"},
            cwd=home.parent,
            check=False,
            capture_output=True,
            timeout=100,
        ).returncode

    return life


def goes_on(command: Command, home: Path) -> None:
    """Assert that the next commands work, and that one quote comes of it."""
    listed = command("runs", "list", "--json", home=home)
    assert listed.code == 0, listed
    if [row for row in listed.json if row["status"] != "done"]:
        assert (done := command("runs", "resume", "--json")).code == 0, done
    again = command("run", ALDER, *DAY, "--json")
    assert again.code == 0, again
    assert again.json["outcome"] in ("issued", "existing")
    (quote,) = command("quote", "list", "--json").json
    assert (quote["status"], quote["total_minor"]) == ("issued", 654820)
    assert [row["status"] for row in command("runs", "list", "--json").json].count("open") == 0
    assert open_to_others(home) <= {"grant.pub"}


def open_to_others(home: Path) -> set[str]:
    return {path.name for path in (home, *home.rglob("*")) if path.stat().st_mode & 0o077}


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("last", "fresh"),
    [
        ("INSERT INTO account", True),
        ("CREATE TABLE dbos_migrations", False),
        ("INSERT INTO main.workflow_status", False),  # the run has a row and was not submitted
    ],
)
def test_killed_while_it_is_new(
    live: Live,
    command: Command,
    tmp_path: Path,
    seeded: Folder,
    copy: Callable[[Folder], Path],
    last: str,
    *,
    fresh: bool,
) -> None:
    home = tmp_path / "home" if fresh else copy(seeded)
    assert live(home, last) == -signal.SIGKILL
    goes_on(command, home)


@pytest.mark.full
@pytest.mark.timeout(3600)
def test_killed_at_sixty_places_of_a_folders_first_second(
    live: Live, command: Command, tmp_path: Path
) -> None:
    ends = []
    for place in range(60):  # most of them early, where files are made
        home = tmp_path / f"at-{place}" / "home"
        home.parent.mkdir()
        ends.append(live(home, str(1 + 2000 * place**2 // 3600)))
        goes_on(command, home)
    assert ends.count(-signal.SIGKILL) > 55


async def test_a_run_that_was_never_submitted_starts_as_it_was_asked_for(
    seeded: Folder, copy: Callable[[Folder], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, begun = at(copy(seeded)), []

    async def submit(_engine: Engine, _run_id: str, args: Any) -> None:
        begun.append(args)

    monkeypatch.setattr(Engine, "submit", submit)
    monkeypatch.setattr(Engine, "resume", lambda *_given: asyncio.sleep(0))
    given = {"plan": {"output": {"words": "Größe"}, "findings": []}}
    async with Desk.open(settings) as desk:
        run_id = await desk.submit(
            ALDER, opportunity_id="opp_001", revise=True, given=given, continues="run_before"
        )
    async with Desk.open(settings) as desk:
        await desk.resume(run_id)
        assert begun[0] == begun[1]
        assert begun[0].items() >= {"revise": True, "given": given, "goal": ALDER}.items()
        await desk.cancel(run_id)
        assert desk.run_row(run_id)["outcome"] == "cancelled"


async def test_what_an_earlier_version_never_submitted_is_not_guessed(
    seeded: Folder, copy: Callable[[Folder], Path]
) -> None:
    async with Desk.open(at(copy(seeded))) as desk:
        asked = {"goal": ALDER, "model": desk._model_name}  # no word of --revise, for one
        run_id = desk.store.create(asked=asked, requested_by="per_lena", order_date="2026-11-23")
        with pytest.raises(UsageError, match="never started") as caught:
            await desk.resume(run_id)
        assert f"runs cancel {run_id}" in caught.value.fix
        await desk.cancel(run_id)
        assert desk.run_row(run_id)["outcome"] == "cancelled"


def test_what_a_command_writes_beside_the_data_folder_is_its_users_too(
    program: Command, seeded: Folder, copy: Callable[[Folder], Path], tmp_path: Path
) -> None:
    assert program("export", tmp_path / "out", home=copy(seeded)).code == 0
    assert open_to_others(tmp_path / "out") == set()


def test_an_open_data_folder_of_an_earlier_version_is_closed(
    quoted: Folder, copy: Callable[[Folder], Path], command: Command
) -> None:
    home = copy(quoted)
    (home / "finance.db.0001_schema.20260101T000000.bak").write_bytes(b"every cost")
    (home / "dealdesk.toml").write_text("")
    for path in (home, *home.rglob("*")):
        if path.parent.name != "keys":
            path.chmod(0o755 if path.is_dir() else 0o644)
    assert command("runs", "list", home=home).code == 0
    assert open_to_others(home) <= {"grant.pub", "dealdesk.toml"}


def test_a_folder_of_other_things_is_not_ours_to_close(tmp_path: Path) -> None:
    theirs, new = tmp_path / "theirs", tmp_path / "new"
    for folder in (theirs, new):
        folder.mkdir()
        folder.chmod(0o755)
    (theirs / "index.html").write_text("hello")
    assert load_settings(home=theirs).home.stat().st_mode & 0o777 == 0o755
    assert load_settings(home=new).home.stat().st_mode & 0o777 == 0o700
