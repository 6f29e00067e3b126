"""A data folder of a version before the first release is refused, and nothing in it changes."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from .conftest import ALDER, Command, Folder, files_of

OLD = {"crm": "0001_first", "catalog": "0002_bundles", "finance": "0002_depth"}


@pytest.fixture
def old(quoted: Folder, copy: Callable[[Folder], Path]) -> Path:
    home = copy(quoted)
    for server, revision in OLD.items():
        with closing(sqlite3.connect(home / f"{server}.db")) as file:
            file.execute("UPDATE alembic_version SET version_num = ?", (revision,))
            file.commit()
    return home


@pytest.mark.parametrize(
    "line",
    [("run", ALDER), ("quote", "list"), ("serve", "finance", "--profile", "read"), ("doctor",)],
)
def test_it_is_named_and_left_exactly_as_it_is(
    line: tuple[str, ...], old: Path, command: Command
) -> None:
    before = files_of(old)
    said = command(*line, home=old)
    assert said.code == 3
    assert "Traceback" not in said.err
    words = said.out + said.err
    server = "finance" if {"finance", "quote"} & set(line) else "crm"
    assert f"{old / server}.db is a {server} database" in words
    assert f"before the first release (revision {OLD[server]})" in words
    assert "--home" in words
    assert files_of(old) == before
