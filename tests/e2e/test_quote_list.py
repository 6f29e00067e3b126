"""`dealdesk quote list` answers from finance's database exactly as the server would."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dealdesk.cli import quote_list
from servers.toolkit.database import Database

from .conftest import Command, Folder, clean_environment

LINES = [
    ("quote", "list", "--json"),
    ("quote", "list", "--status", "issued"),
    ("quote", "list", "--expiring", "366", "--json"),
    ("quote", "list", "--account", "acc_001"),
    ("quote", "report"),
]


@pytest.mark.parametrize("line", LINES)
def test_it_says_what_the_server_says(
    line: tuple[str, ...], waiting: Folder, copy: Callable[[Folder], Path], command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    directly = command(*line, home=copy(waiting))
    monkeypatch.setattr(quote_list, "_from_the_database", lambda *_: None)
    assert command(*line) == directly
    assert directly.code == 0
    assert "q_" in directly.out


def test_what_it_refuses_is_refused_in_the_servers_words(
    waiting: Folder, copy: Callable[[Folder], Path], command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    home = copy(waiting)
    for line in (("--account", "no such thing"), ("--expiring", "-1")):
        said = command("quote", "list", *line, home=home)
        assert said.code == 2
        with monkeypatch.context() as patch:
            patch.setattr(quote_list, "_from_the_database", lambda *_: None)
            assert command("quote", "list", *line) == said


def test_it_is_audited_and_imports_no_server(
    waiting: Folder, copy: Callable[[Folder], Path]
) -> None:
    home = copy(waiting)
    code = (
        "import sys\n"
        "from dealdesk.cli.main import main\n"
        "try:\n    main(['quote', 'list'])\nexcept SystemExit:\n    pass\n"
        "print(sorted({'fastmcp', 'mcp', 'dbos', 'alembic'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=clean_environment(home), capture_output=True, text=True,
        check=True, timeout=50,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "[]"
    database = Database.open(home / "finance.db", "finance")
    with database.engine.connect() as connection:
        last = "SELECT actor, component, outcome FROM audit ORDER BY seq DESC LIMIT 1"
        row = connection.exec_driver_sql(last).one()
    database.close()
    assert tuple(row) == ("local-user", "list_quotes", "allowed")


def test_a_new_data_folder_is_filled_first(tmp_path: Path, command: Command) -> None:
    said = command("quote", "list", "--json", home=tmp_path / "new")
    assert (said.code, said.json) == (0, [])
