"""An import that moves prices far is shown before, refused alone and taken with a second person."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from dealdesk.cli.import_effects import VARIABLE

from .conftest import Command, Folder, token_of

JUMP = "book,sku,unit,amount\nPB-EUR,SW-P8-120,each,{}\n"


@pytest.fixture
def home(quoted: Folder, copy: Callable[[Folder], Path]) -> Path:
    return copy(quoted)


@pytest.fixture
def jump(tmp_path: Path) -> tuple[str, ...]:
    path = tmp_path / "prices.csv"
    path.write_text(JUMP.format("600.00"), encoding="utf-8")
    return ("import", "finance", "prices", str(path))


def price(home: Path) -> int:
    with closing(sqlite3.connect(home / "finance.db")) as database:
        mine = "SELECT amount FROM price_entry WHERE book = 'PB-EUR' AND sku = 'SW-P8-120'"
        return int(database.execute(mine).fetchone()[0])


def imported(home: Path) -> list[tuple[str, str, str]]:
    with closing(sqlite3.connect(home / "finance.db")) as database:
        rows = database.execute("SELECT actor, component, reason FROM audit WHERE method='import'")
        return rows.fetchall()


def test_it_is_shown_and_refused_alone(command: Command, home: Path, jump: tuple[str, ...]) -> None:
    before = price(home)
    shown = command(*jump, "--dry-run", home=home)
    assert shown.code == 0
    for words in (
        "priced again from what they were made of: 1. Another total: 1, new approvals: ",
        " EUR -> ",
        "goods earn",
        "Prices that change: 1.",
        "PB-EUR SW-P8-120 per each: 389.00 -> 600.00 (+54.25%)",
        "Needs a second person (--approved-by): prices that would change by more than 30%: 1.",
    ):
        assert words in shown.out
    facts = command(*jump, "--dry-run", "--json", home=home).json
    assert facts["effects"]["repriced"] == 1
    command(*jump, home=home).fails(2, "one person alone does not import this", "--approved-by")
    assert command(*jump, "--reprice", "0", home=home).code == 2
    assert price(home) == before
    assert not imported(home)


def test_a_second_person_lets_it_pass_by_their_own_token(
    command: Command, home: Path, jump: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    two, before = ("--as", "per_lena", "--approved-by", "per_ingrid"), price(home)
    command(*jump, "--approved-by", "per_ingrid", home=home).fails(2, "by another than who imports")
    same = ("--as", "per_ingrid", "--approved-by", "per_ingrid")
    command(*jump, *same, home=home).fails(2, "by another than who imports")
    command(*jump, *two, home=home).fails(4, "per_ingrid is only a name", VARIABLE)
    monkeypatch.setenv(VARIABLE, token_of(home, ("--as", "per_tomas")))
    command(*jump, *two, home=home).fails(4, "no live token of per_ingrid")
    assert price(home) == before
    monkeypatch.setenv(VARIABLE, token_of(home, ("--as", "per_ingrid")))
    assert command(*jump, *two, home=home).code == 0
    assert price(home) == 600_000_000
    ((actor, component, reason),) = imported(home)
    assert (actor, component) == ("person:per_lena", "import approved by per_ingrid")
    assert reason.count("tok_") == 2


def test_at_a_terminal_the_demo_says_that_nobody_was_authenticated(
    command: Command, home: Path, jump: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setenv("DEALDESK_PERSON_TOKEN", "")
    done = command(*jump, "--as", "per_lena", "--approved-by", "per_ingrid", home=home)
    assert done.code == 0
    for person in ("per_lena", "per_ingrid"):
        assert f"{person} is taken by name, nobody was authenticated" in done.err
    assert "nobody authenticated" in imported(home)[0][2]


def test_a_folder_and_a_mapping_are_watched_as_one_file_is(
    command: Command, home: Path, tmp_path: Path
) -> None:
    (tmp_path / "all" / "finance").mkdir(parents=True)
    rows = JUMP.format("600.00")
    (tmp_path / "all" / "finance" / "prices.csv").write_text(rows, encoding="utf-8")
    (tmp_path / "list.csv").write_text(rows, encoding="utf-8")
    (tmp_path / "map.toml").write_text(
        'source = "erp"\n[[file]]\nname = "list.csv"\n[file.finance.prices]\n'
        'book = "book"\nsku = "sku"\nunit = "unit"\namount = "amount"\n',
        encoding="utf-8",
    )
    mapped = (str(tmp_path / "list.csv"), "--mapping", str(tmp_path / "map.toml"))
    for what in ((str(tmp_path / "all"),), mapped):
        assert "Another total: 1" in command("import", *what, "--dry-run", home=home).out
        command("import", *what, home=home).fails(2, "one person alone")
