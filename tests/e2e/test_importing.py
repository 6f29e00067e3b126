"""What goes out of a data folder comes in again, and a file of one's own changes the next quote."""

import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from servers.registry import NAMES

from .conftest import ALDER, BERGWALD, DAY, Command, Folder

HALDEN = "Quote Halden Rail for the bogie fleet sensors"


def digests(home: Path) -> dict[str, str]:
    """Return the digest of each deal's quote, as if its random id were the same everywhere."""
    found = {}
    with closing(sqlite3.connect(home / "finance.db")) as database:
        rows = database.execute("SELECT opportunity_id, quote_id, snapshot, digest FROM quote")
        for deal, quote_id, snapshot, digest in rows:
            assert hashlib.sha256(snapshot.encode()).hexdigest() == digest
            same = snapshot.replace(quote_id, "q_same")
            found[deal] = hashlib.sha256(same.encode()).hexdigest()
    return found


def test_an_export_taken_in_by_an_empty_house_gives_the_same_quotes_to_their_digest(
    command: Command, seeded: Folder, copy: Callable[[Folder], Path], tmp_path: Path
) -> None:
    home, other, folder = copy(seeded), tmp_path / "other", tmp_path / "out"
    out = command("export", str(folder), "--json", home=home).json
    assert set(out) == set(NAMES)
    command("export", str(folder), home=home).fails(2, "is there already")
    done = command("import", str(folder), "--json", home=other).json
    for server, reports in done.items():
        assert {one["table"]: one["rows"] for one in reports} == out[server]
    again = command("import", str(folder), "--json", home=other).json
    assert not any(one["inserted"] or one["updated"] for rows in again.values() for one in rows)
    for goal in (ALDER, BERGWALD, HALDEN):
        for house in (home, other):
            assert command("run", goal, *DAY, "--json", home=house).code in (0, 10)
    assert len(digests(home)) == 3
    assert digests(home) == digests(other)


def test_a_file_of_one_s_own_is_checked_and_taken_by_every_server(
    command: Command, seeded: Folder, copy: Callable[[Folder], Path], tmp_path: Path
) -> None:
    home, file = copy(seeded), tmp_path / "own.csv"
    file.write_text("Nummer;Firma\nacc_900;Larkspur Tools\n", encoding="utf-8")
    said = ("import", "crm", "accounts", str(file), "--map", "account_id=Nummer")
    said = (*said, "--map", "name=Firma", "--set", "legal_name=Larkspur Tools Ltd")
    command(*said, home=home).fails(2, "row 2, kind: is missing", "Try:")
    for pair in ("kind=business", "country=IE", "currency=EUR", "language=en", "status=active"):
        said = (*said, "--set", pair)
    assert "1 would be added" in command(*said, "--dry-run", home=home).out
    assert "1 were added" in command(*said, home=home).out
    assert "1 left as they are" in command(*said, home=home).out
    command("import", "crm", "widgets", str(file), home=home).fails(2, "no table 'widgets'")
    command("import", "shop", "items", str(file), home=home).fails(2, "crm, catalog, finance")
    command("import", "crm", "accounts", home=home).fails(2, "needs a file")
    command("import", str(tmp_path), home=home).fails(2, "has no folder crm")
    twice = (*said, "--map", "name=Nummer")
    command(*twice, home=home).fails(2, "one twice")


def test_a_folder_with_a_wrong_row_leaves_a_new_house_as_it_was(
    command: Command, tmp_path: Path
) -> None:
    folder, home = tmp_path / "own", tmp_path / "new"
    (folder / "crm").mkdir(parents=True)
    (folder / "finance").mkdir()
    (folder / "crm" / "seller_domains.csv").write_text("domain\nours.example\n")
    (folder / "finance" / "items.csv").write_text("sku,name\nA-1,A\n")
    command("import", str(folder), home=home).fails(2, "finance/items.csv: row 2, family: is mis")
    with closing(sqlite3.connect(home / "crm.db")) as database:
        assert database.execute("SELECT count(*) FROM seller_domain").fetchone() == (0,)
        assert database.execute("SELECT count(*) FROM house_setting").fetchone() == (0,)
