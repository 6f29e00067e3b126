"""A house is restored as it was, but repeats no number and trusts and plays nothing of before."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from dealdesk import backup
from dealdesk.settings import load_settings
from orchestrator.errors import EnvironmentProblem, UsageError
from servers.registry import enrolment
from servers.toolkit.grants import Grant, GrantError, PublicKey, SigningKey

from .conftest import ALDER, BERGWALD, DAY, Command, Folder, files_of
from .test_privacy import MAIL, found_in, home  # noqa: F401 - a house with a person to erase

Copy = Callable[[Folder], Path]


@pytest.fixture
def house(quoted: Folder, copy: Copy) -> Path:
    return copy(quoted)


def test_a_restored_house_is_the_same_but_for_its_keys(command: Command, house: Path) -> None:
    file, new = house.parent / "b.zip", house.parent / "new"
    assert command("backup", file, home=house).code == 0
    assert file.stat().st_mode & 0o077 == 0
    said = command("restore", file, "--home", new)
    assert said.code == 0, said
    assert _rows(new, "crm.db", "activity") == _rows(house, "crm.db", "activity")
    assert _rows(new, "finance.db", "quote") == _rows(house, "finance.db", "quote")
    assert command("runs", "list", "--json", home=new).json[0]["outcome"] == "issued"
    for path in house.glob("quotes/*"):
        assert (new / "quotes" / path.name).read_bytes() == path.read_bytes()
    assert all(one.stat().st_mode & 0o077 == 0 for one in new.rglob("*") if one.suffix != ".pub")
    assert not list(new.parent.glob(".restore-*"))
    quote = next(new.glob("quotes/Q-*-000001.json"))
    assert "signed by the desk" in command("quote", "verify", quote, home=new).out


@pytest.mark.parametrize(("words", "kept"), [((), False), (("--with-keys",), True)])
def test_keys_are_in_it_only_when_asked_and_that_of_grants_never(
    command: Command, house: Path, words: tuple[str, ...], kept: bool
) -> None:
    file = house.parent / "b.zip"
    said = command("backup", file, *words, "--json", home=house)
    assert said.json["keys"] is kept
    with ZipFile(file) as archive:
        names, content = archive.namelist(), b"".join(map(archive.read, archive.namelist()))
    assert ("home/keys/desk.pem" in names) is kept
    assert "home/keys/grant.pem" not in names
    assert (house / "keys" / "grant.pem").read_bytes() not in content
    assert ((house / "keys" / "desk.pem").read_bytes() in content) is kept


@pytest.mark.parametrize(("words", "number"), [((), 1002), (("--last-number", "7"), 8)])
def test_no_number_is_given_twice(
    command: Command, seeded: Folder, copy: Copy, words: tuple[str, ...], number: int
) -> None:
    house = copy(seeded)
    file, new = house.parent / "b.zip", house.parent / "new"
    assert command("run", ALDER, home=house).code == 0
    assert command("backup", file, home=house).code == 0
    said = command("restore", file, *words, "--json", "--home", new)
    (gap,) = said.json["numbers"]
    assert gap["numbers"][0].endswith("-000002")
    assert gap["numbers"][1].endswith(f"{number - 1:06}")
    with closing(sqlite3.connect(new / "finance.db")) as finance:
        assert finance.execute("SELECT last FROM quote_number").fetchall() == [(number - 1,)]


def test_no_grant_and_no_token_of_before_opens_anything(command: Command, house: Path) -> None:
    file, new = house.parent / "b.zip", house.parent / "new"
    with enrolment(str(house / "finance.db")) as office:
        token, _ = office.enroll("per_tomas", 90)
    grant = SigningKey.load(house / "keys").mint(Grant(id="g_1", audience="crm"), ttl=3600)
    assert command("backup", file, "--with-keys", home=house).code == 0
    with enrolment(str(house / "finance.db")) as office:
        office.revoke("per_tomas")
    assert command("restore", file, "--home", new).code == 0
    key = SigningKey.load(new / "keys").public
    with pytest.raises(GrantError):
        key.verify(grant, "crm")
    assert PublicKey.load(house / "keys").verify(grant, "crm").id == "g_1"
    with enrolment(str(new / "finance.db")) as office:
        assert all(not one["expires_at"] for one in office.people())
    assert token.encode() not in b"".join(files_of(new).values())


def test_a_run_on_its_way_waits_for_a_person(
    command: Command, seeded: Folder, copy: Copy, waiting: Folder
) -> None:
    house = copy(seeded)
    file, new = house.parent / "b.zip", house.parent / "new"
    queued = command("run", ALDER, "--queue", "--model", "playbook", "--json", home=house)
    assert queued.code == 0, queued
    assert command("backup", file, home=house).code == 0
    said = command("restore", file, "--json", "--home", new)
    assert said.json["parked"] == [queued.json["run_id"]]
    resumed = command("runs", "resume", queued.json["run_id"], "--json", home=new)
    assert resumed.json["outcome"] == "issued"


def test_a_run_that_waits_for_an_approval_still_does(
    command: Command, waiting: Folder, copy: Copy
) -> None:
    house = copy(waiting)
    file, new = house.parent / "b.zip", house.parent / "new"
    assert command("backup", file, home=house).code == 0
    assert command("restore", file, "--json", "--home", new).json["parked"] == []
    row = command("runs", "list", "--json", home=new).json[0]
    words = ("--as", "per_tomas", "--all", "--yes", "--json", *DAY)
    done = command("runs", "approve", row["run_id"], *words[:-2], home=new)
    assert done.json["outcome"] == "issued", done
    assert done.json["number"].endswith("-001002")
    assert BERGWALD in row["goal"]


def test_who_was_erased_since_is_erased_again(command: Command, home: Path) -> None:  # noqa: F811
    file, new, note = home.parent / "b.zip", home.parent / "new", home.parent / "note.json"
    assert command("backup", file, home=home).code == 0
    assert command("privacy", "erase", "con_zz", "--yes", home=home).code == 0
    note.write_bytes((home / "erasures.json").read_bytes())
    assert command("restore", file, "--home", new).code == 0
    assert found_in(new)
    again = home.parent / "again"
    said = command("restore", file, "--erasures", note, "--json", "--home", again)
    assert said.json["erased_again"] == 2, said
    assert found_in(again) == set()
    assert MAIL not in (again / "erasures.json").read_text(encoding="utf-8")
    after = home.parent / "after.zip"
    assert command("backup", after, home=home).code == 0
    with ZipFile(after) as archive:
        assert not any(b"quillfeather" in archive.read(one).lower() for one in archive.namelist())


@pytest.mark.parametrize("harm", ["flip", "cut", "outside", "newer", "text"])
def test_a_damaged_backup_leaves_nothing(command: Command, house: Path, harm: str) -> None:
    file, new, bad = house.parent / "b.zip", house.parent / "new", house.parent / "bad.zip"
    assert command("backup", file, home=house).code == 0
    with ZipFile(file) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    said: dict[str, Any] = json.loads(content["manifest.json"])
    if harm == "flip":
        content["home/crm.db"] = content["home/crm.db"][:-1] + b"?"
    elif harm == "outside":
        content["home/../../x"] = content["home/crm.db"]
        said["files"]["../../x"] = said["files"]["crm.db"]
    elif harm == "newer":
        said["format"] = 2
    with ZipFile(bad, "w") as archive:
        for name, data in {**content, "manifest.json": json.dumps(said).encode()}.items():
            archive.writestr(name, data)
    if harm == "cut":
        bad.write_bytes(file.read_bytes()[:-100])
    elif harm == "text":
        bad.write_text("no backup")
    command("restore", bad, "--home", new).fails(2, str(bad))
    assert not new.exists()
    assert not list(house.parent.glob(".restore-*"))


def test_nothing_is_written_over(command: Command, house: Path) -> None:
    file = house.parent / "b.zip"
    assert command("backup", file, home=house).code == 0
    command("backup", file, home=house).fails(2, "is there already")
    command("restore", file, home=house).fails(2, "is there already", "--home NEW")


def test_settings_that_name_databases_elsewhere_are_put_aside(
    command: Command, house: Path
) -> None:
    file, new = house.parent / "b.zip", house.parent / "new"
    (house / "dealdesk.toml").write_text(f'crm_url = "{house / "crm.db"}"\n', encoding="utf-8")
    assert command("backup", file, home=house).code == 0
    before = files_of(house)
    assert command("restore", file, "--json", "--home", new).json["settings_aside"] is True
    assert files_of(house) == before
    assert (new / "dealdesk.toml.before").exists()
    assert not (new / "dealdesk.toml").exists()


def test_postgresql_is_left_to_its_own_backup(
    command: Command, house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEALDESK_CRM_URL", "postgresql://nowhere/crm")
    said = command("backup", house.parent / "b.zip", home=house)
    said.fails(2, "PostgreSQL has its own backup", "pg_dump")


def test_all_databases_are_of_one_moment(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written, copies = [], backup._copy

    def copy_and_write(path: Path, folder: Path) -> Path:
        with closing(sqlite3.connect(house / "finance.db", timeout=0)) as other:
            try:
                other.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                written.append(path.name)
        return copies(path, folder)

    monkeypatch.setattr(backup, "_copy", copy_and_write)
    backup.make_backup(load_settings(home=house), house.parent / "b.zip", with_keys=False)
    assert sorted(written) == ["catalog.db", "crm.db", "engine.db", "finance.db", "runs.db"]
    monkeypatch.setattr(backup, "LOCKED", 0)
    with closing(sqlite3.connect(house / "crm.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(EnvironmentProblem, match="stayed locked"):
            backup.make_backup(load_settings(home=house), house.parent / "c.zip", with_keys=False)
    assert not (house.parent / "c.zip").exists()
    assert not list(house.glob(".backup-*"))
    inside = house / "b.zip"
    with pytest.raises(UsageError, match="inside the house"):
        backup.make_backup(load_settings(home=house), inside, with_keys=False)


def _rows(folder: Path, file: str, table: str) -> list[Any]:
    with closing(sqlite3.connect(folder / file)) as database:
        return database.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()  # noqa: S608
