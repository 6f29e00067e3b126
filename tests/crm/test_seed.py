import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from servers.crm.models import Account
from servers.crm.seed import load
from servers.toolkit.database import Database
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.seeding import ensure_seeded, seed_folder

DATA = Path(__file__).parent / "data"


@pytest.fixture
def empty(tmp_path: Path) -> Any:
    database = Database.open(tmp_path / "empty.db", server="crm")
    yield database
    database.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DATA, tmp_path / "seed"))


def spoil(path: Path, change: Any) -> None:
    rows = json.loads(path.read_text(encoding="utf-8"))
    change(rows)
    path.write_text(json.dumps(rows), encoding="utf-8")


def test_a_folder_is_loaded_once(empty: Database) -> None:
    counts = ensure_seeded(empty, load, DATA)
    assert counts["account"] == 3
    assert counts["activity"] == 7
    assert counts["document"] == 5  # four beside the mails, and one inside
    assert ensure_seeded(empty, load, DATA) == {}


def test_the_demo_company_loads(empty: Database) -> None:
    counts = ensure_seeded(empty, load, seed_folder("crm"))
    assert counts["account"] >= 15
    assert counts["opportunity"] >= 20


@pytest.mark.parametrize(
    ("file", "change", "words"),
    [
        ("accounts.json", lambda r: r[1].update(kind="shop"), r"accounts.json: row 2, kind"),
        ("accounts.json", lambda r: r[0].update(colour="red"), r"row 1, colour"),
        ("accounts.json", lambda r: r[1].update(account_id="acc_101"), r"acc_101 is there twice"),
        (
            "opportunities/opp_101/opportunity.json",
            lambda r: r.update(account_id="acc_999"),
            r"account acc_999 is in no row",
        ),
        (
            "opportunities/opp_101/opportunity.json",
            lambda r: r.update(contact_ids=["con_103"]),
            r"con_103 is no contact of acc_101",
        ),
        (
            "opportunities/opp_101/opportunity.json",
            lambda r: r["activities"][0].update(file="missing.eml"),
            r"missing.eml cannot be read",
        ),
        (
            "opportunities/opp_101/opportunity.json",
            lambda r: r["activities"][0].update(file="../../accounts.json"),
            r"activities.0.file",
        ),
        (
            "opportunities/opp_101/opportunity.json",
            lambda r: r["activities"][2].update(at=None),
            r"act_101_3 has no date",
        ),
        (
            "opportunities/opp_101/opportunity.json",
            lambda r: r["documents"][0].update(attached_to="act_102_1"),
            r"doc_101_1 is attached to no activity here",
        ),
        (
            "quote_history.json",
            lambda r: r[1].update(account_id="acc_102"),
            r"opp_102 is not that account's",
        ),
    ],
)
def test_a_wrong_row_is_named_and_nothing_is_kept(
    empty: Database, folder: Path, file: str, change: Any, words: str
) -> None:
    spoil(folder / file, change)
    with pytest.raises(InvalidInputError, match=words):
        ensure_seeded(empty, load, folder)
    with empty.session() as session:
        assert session.execute(select(func.count()).select_from(Account)).scalar_one() == 0
    assert empty.setting("seeded") is None
