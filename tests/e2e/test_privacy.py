"""What the house holds of a person is given out whole, and goes from every byte of the home."""

import json
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from dealdesk.privacy import open_house
from dealdesk.settings import load_settings
from orchestrator.durable.privacy import ENGINE, RUNS
from servers.registry import NAMES, held_by, open_server

from .conftest import Command, Folder, files_of

Copy = Callable[[Folder], Path]
MAIL, NAME, PHONE = "zzyx@quillfeather.example", "Zzyx Quillfeather", "+353 21 555 0199"
SAID = "The lilac heron stands beside our third conveyor every single morning"
CANARIES = ("quillfeather", "zzyx", "lilac heron", "555 0199", "5550199")
GOAL = f"Quote Alder & Finch for the switches that {NAME} asked about"
CONTACT = {"contact_id": "con_zz", "account_id": "acc_001", "name": NAME, "email": MAIL}
ROWS: dict[str, Any] = {
    "contacts": [{**CONTACT, "phone": PHONE, "role": "Buyer"}],
    "activities": [
        {
            "activity_id": "act_zz_1",
            "opportunity_id": "opp_001",
            "kind": "email",
            "direction": "inbound",
            "at": "2026-11-18T09:00:00Z",
            "subject": "Zzyx about the herons",
            "from_name": NAME,
            "from_address": MAIL,
            "to": ["lena.brandt@norvane.example"],
            "message_id": "<1@quillfeather.example>",
            "text": f"Hello Lena,\n{SAID}.\nCall 0035321-555-0199.\n\nZzyx",
        },
        {
            "activity_id": "act_zz_2",
            "opportunity_id": "opp_001",
            "kind": "email",
            "direction": "outbound",
            "at": "2026-11-18T10:00:00Z",
            "subject": "Re: Zzyx about the herons",
            "from_name": "Lena Brandt",
            "from_address": "lena.brandt@norvane.example",
            "to": [MAIL],
            "in_reply_to": "<1@quillfeather.example>",
            "text": f"Hello Zzyx,\nyou wrote\n> {SAID}.\nI will ask.",
            "quoted_text": f"{NAME} wrote:\n> {SAID}.",
        },
    ],
    "documents": [
        {
            "document_id": "doc_zz",
            "opportunity_id": "opp_001",
            "activity_id": "act_zz_1",
            "filename": "zzyx-notes.txt",
            "text": f"{SAID}, {NAME} says.",
        }
    ],
    "tasks": [
        {"task_id": "task_zz", "account_id": "acc_001", "what": f"Call {NAME} on {PHONE}"},
    ],
    "opportunity_contacts": [
        {"opportunity_id": "opp_001", "contact_id": one, "place": place}
        for place, one in enumerate(("con_001", "con_002", "con_zz"))
    ],
}
PARTY = {"party_id": "pty_zz", "account_id": "acc_001", "role": "contact", "name": NAME}


def plant(command: Command, home: Path) -> None:
    """Put the person on file everywhere a file or a run can."""
    for table, rows in ROWS.items():
        file = home.parent / f"{table}.json"
        file.write_text(json.dumps(rows), encoding="utf-8")
        assert command("import", "crm", table, file, home=home).code == 0
    file = home.parent / "parties.json"
    file.write_text(json.dumps([PARTY]), encoding="utf-8")
    assert command("import", "finance", "related_parties", file, home=home).code == 0


def found_in(home: Path) -> set[str]:
    """Return the files of a home that hold a canary, whatever the case."""
    return {
        name
        for name, content in files_of(home).items()
        if any(canary.encode() in content.lower() for canary in CANARIES)
    }


@pytest.fixture
def home(command: Command, seeded: Folder, copy: Copy) -> Path:
    """The demo company with the person on file, and a run that was asked for by their name."""
    home = copy(seeded)
    plant(command, home)
    assert command("run", GOAL, "--as", "per_lena", home=home).code == 0
    return home


def test_an_erased_person_is_in_no_byte_of_the_home(command: Command, home: Path) -> None:
    assert found_in(home) >= {"crm.db", "finance.db", "runs.db", "engine.db"}
    offer = next(home.glob("quotes/Q-*-000001.json")).read_bytes()
    said = command("privacy", "erase", "con_zz", "--yes", home=home)
    assert said.code == 0, said
    assert found_in(home) == set()
    assert not list(home.glob("quotes/*-internal*"))
    assert next(home.glob("quotes/Q-*-000001.json")).read_bytes() == offer
    assert "stays  quotes/Q-2026-000001.json: an issued quote" in said.out
    shown = command("runs", "list", "--json", home=home)
    assert shown.json[0]["outcome"] == "issued"
    assert command("runs", "show", shown.json[0]["run_id"], home=home).code == 0
    assert command("quote", "verify", next(home.glob("quotes/Q-*.json")), home=home).code == 0


def test_the_rest_of_the_deal_stays_readable(command: Command, home: Path) -> None:
    before = _story(home)
    assert command("privacy", "erase", MAIL.upper(), "--yes", home=home).code == 0
    after = _story(home)
    assert after.keys() == before.keys()
    assert after["act_001_1"] == before["act_001_1"]
    assert after["act_zz_1"].startswith("[erased ")
    assert after["act_zz_2"].startswith("Hello [erased ")
    assert after["act_zz_2"].endswith("I will ask.")


def test_the_search_finds_no_word_of_theirs(command: Command, home: Path) -> None:
    assert command("privacy", "erase", "con_zz", "--yes", home=home).code == 0
    with closing(sqlite3.connect(home / "crm.db")) as crm:
        wanted = "SELECT count(*) FROM text_index WHERE text_index MATCH ?"
        assert crm.execute(wanted, ("heron OR zzyx OR quillfeather",)).fetchone() == (0,)
        assert crm.execute(wanted, ("switches",)).fetchone()[0] > 0
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            crm.execute("UPDATE activity SET text = 'x'")


def test_a_later_import_of_them_is_refused_and_an_export_of_ours_is_not(
    command: Command, home: Path
) -> None:
    assert command("privacy", "erase", "con_zz", "--yes", home=home).code == 0
    for table in ("contacts", "activities"):
        again = command("import", "crm", table, home.parent / f"{table}.json", home=home)
        again.fails(2, "is of a person who was erased on")
    other = home.parent / "other.json"
    other.write_text(json.dumps([{**CONTACT, "contact_id": "con_new"}]), encoding="utf-8")
    command("import", "crm", "contacts", other, home=home).fails(2, "con_new is of a person")
    assert command("export", home.parent / "all", home=home).code == 0
    ours = home.parent / "all" / "crm" / "contacts.csv"
    assert command("import", "crm", "contacts", ours, home=home).code == 0


def test_the_note_names_nobody_and_says_who_erased(command: Command, home: Path) -> None:
    assert command("privacy", "erase", "con_zz", "--yes", home=home).code == 0
    noted = json.loads((home / "erasures.json").read_text(encoding="utf-8"))["erased"]
    assert [(row["by"], len(row["who"])) for row in noted] == [("owner", 2)]
    assert (home / "erasures.json").stat().st_mode & 0o077 == 0


def test_everything_of_a_person_is_given_out(command: Command, home: Path) -> None:
    folder = home.parent / "person"
    assert command("privacy", "export", MAIL, folder, home=home).code == 0
    crm = json.loads((folder / "crm.json").read_text(encoding="utf-8"))
    assert {"act_zz_1", "act_zz_2"} <= {row["activity_id"] for row in crm["activity"]}
    assert [row["contact_id"] for row in crm["contact"]] == ["con_zz"]
    assert "pty_zz" in (folder / "finance.json").read_text(encoding="utf-8")
    assert NAME in (folder / "runs.json").read_text(encoding="utf-8")
    assert NAME in (folder / "engine.json").read_text(encoding="utf-8")
    command("privacy", "export", MAIL, folder, home=home).fails(2, "is there already")


def test_nobody_is_erased_while_a_run_of_theirs_is_open(
    command: Command, waiting: Folder, copy: Copy
) -> None:
    home = copy(waiting)
    before = files_of(home)
    wait = command("runs", "list", "--json", home=home).json[0]
    with closing(sqlite3.connect(home / "crm.db")) as crm:
        wanted = "SELECT contact_id FROM opportunity_contact WHERE opportunity_id = ?"
        (contact,) = crm.execute(wanted, (wait["opportunity_id"],)).fetchone()
    said = command("privacy", "erase", contact, "--yes", home=home)
    said.fails(2, wait["run_id"], "dealdesk runs cancel")
    assert files_of(home).keys() == before.keys()
    assert not (home / "erasures.json").exists()


def test_nothing_is_erased_where_nobody_is_asked(
    command: Command, seeded: Folder, copy: Copy
) -> None:
    said = command("privacy", "erase", "con_001", home=copy(seeded))
    said.fails(2, "nobody is here to be asked", "--yes")


def test_of_a_consumer_the_account_and_its_addresses_go_too(
    command: Command, seeded: Folder, copy: Copy
) -> None:
    home, own = copy(seeded), {"account_id": "acc_zz", "country": "IE"}
    account = {**own, "name": NAME, "legal_name": NAME, "kind": "consumer", "currency": "EUR"}
    street = {"kind": "shipping", "lines": ["1 Heron Lane"], "city": "Cork"}
    for table, row in (
        ("accounts", {**account, "language": "en", "status": "active"}),
        ("addresses", {**own, **street, "address_id": "adr_zz", "postal_code": "T12 X0A1"}),
        ("contacts", {**CONTACT, "account_id": "acc_zz"}),
    ):
        file = home.parent / f"{table}.json"
        file.write_text(json.dumps([row]), encoding="utf-8")
        said = command("import", "crm", table, file, home=home)
        assert said.code == 0, said
    assert command("privacy", "erase", "con_zz", "--yes", home=home).code == 0
    assert found_in(home) == set()
    assert not any(b"Heron Lane" in content for content in files_of(home).values())
    with closing(sqlite3.connect(home / "crm.db")) as crm:
        kept = crm.execute("SELECT city, country FROM address WHERE account_id = 'acc_zz'")
        ((city, country),) = kept.fetchall()
    assert (city[:8], country) == ("[erased ", "IE")


def test_an_unknown_person_is_refused(command: Command, seeded: Folder, copy: Copy) -> None:
    said = command("privacy", "erase", "nobody@nowhere.example", "--yes", home=copy(seeded))
    said.fails(2, "nobody on file goes by that")


@pytest.mark.parametrize("server", NAMES)
def test_every_column_that_can_hold_words_is_declared(server: str, tmp_path: Path) -> None:
    app, _ = open_server(server, str(tmp_path / "some.db"))
    held = held_by(server).HELD
    module = import_module(f"servers.{server}.tables")
    base = next(one for name, one in vars(module).items() if name.endswith("Table"))
    known = {table.name: table for table in base.metadata.sorted_tables}
    people = {name for name, table in known.items() if "account_id" in table.c} | set(held)
    for name in people & set(known) if server != "catalog" else ():
        words = {c.name for c in known[name].c if c.type.python_type in (str, list, dict)}
        said = held[name]
        told = f"{said.texts} {said.own} {said.repeats} {said.copies} {said.free}".split()
        assert words - set(told) == set(), name
        assert set(told) - set(known[name].c.keys()) == set(), name
    if server == "crm":
        assert set(known) <= set(held)
    app.database.close()


def test_every_table_of_runs_and_of_the_engine_that_holds_words_is_declared(home: Path) -> None:
    for file, held in (("runs.db", RUNS), ("engine.db", ENGINE)):
        with closing(sqlite3.connect(home / file)) as database:
            made = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            tables = {name for (name,) in made}
        bare = {"run_schema", "dbos_migrations", "workflow_schedules", "application_versions"}
        bare |= {"noted"}  # until when what was told
        assert tables - set(held) - bare - {"queues"} == set()


URL = os.environ.get("DEALDESK_TEST_POSTGRES", "")


@pytest.fixture
def databases(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Empty databases on PostgreSQL, named in the environment, and gone afterwards."""
    if not URL:
        pytest.skip("not run: DEALDESK_TEST_POSTGRES names no PostgreSQL server")
    keeper, mark = sa.create_engine(URL, isolation_level="AUTOCOMMIT"), secrets.token_hex(4)
    names = {name: f"dealdesk_{name}_{mark}" for name in (*NAMES, "engine")}
    urls = {}
    with keeper.connect() as connection:
        for name, database in names.items():
            connection.exec_driver_sql(f"CREATE DATABASE {database}")
            urls[name] = (
                sa.make_url(URL).set(database=database).render_as_string(hide_password=False)
            )
            monkeypatch.setenv(f"DEALDESK_{name.upper()}_URL", urls[name])
    yield urls
    with keeper.connect() as connection:
        for database in names.values():
            connection.exec_driver_sql(f"DROP DATABASE {database} WITH (FORCE)")
    keeper.dispose()


@pytest.mark.timeout(180)
def test_an_erased_person_is_in_no_row_of_postgresql(
    command: Command, tmp_path: Path, databases: dict[str, str]
) -> None:
    home = tmp_path / "home"
    assert command("init", home=home).code == 0
    plant(command, home)
    assert command("run", GOAL, "--as", "per_lena", home=home).code == 0
    assert len(_words(databases)) >= 4
    said = command("privacy", "erase", "con_zz", "--yes", home=home)
    assert said.code == 0, said
    assert _words(databases) == set()
    assert found_in(home) == set()
    with open_house(load_settings(home=home)) as house:
        crm = house.places["crm"].engine
        with crm.begin() as connection, pytest.raises(sa.exc.DBAPIError, match="append-only"):
            connection.execute(sa.text("UPDATE activity SET text = 'x'"))


def _words(databases: dict[str, str]) -> set[str]:
    """Return the tables of PostgreSQL that hold a canary."""
    found = set()
    for name, url in databases.items():
        engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
        with engine.connect() as connection:
            for schema in ("public", "dbos"):
                for table in sa.inspect(connection).get_table_names(schema):
                    wanted = f'SELECT t::text FROM "{schema}"."{table}" t'  # noqa: S608
                    rows = " ".join(map(str, connection.execute(sa.text(wanted)).scalars()))
                    if any(canary in rows.lower() for canary in CANARIES):
                        found.add(f"{name}.{table}")
        engine.dispose()
    return found


def _story(home: Path) -> dict[str, str]:
    with closing(sqlite3.connect(home / "crm.db")) as crm:
        return dict(crm.execute("SELECT activity_id, text FROM activity"))
