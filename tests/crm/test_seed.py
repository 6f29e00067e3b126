import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, select

from servers.crm.load import TABLES
from servers.crm.tables import Account, Activity, Contact, Document, QuoteStep
from servers.toolkit.database import Database
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.external_ids import find_ours, find_theirs
from servers.toolkit.folders import import_folder
from servers.toolkit.importing import Loading, import_file
from servers.toolkit.mapping import Fill
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


def put(name: str, old: str, new: str) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")

    return apply


def test_a_folder_is_loaded_once(empty: Database) -> None:
    counts = ensure_seeded(empty, TABLES, DATA)
    assert counts["accounts"] == 3
    assert counts["activities"] == 7
    assert counts["documents"] == 4  # beside the mails; one more comes inside
    with empty.session() as session:
        assert len(session.exec(select(Document)).all()) == 5
        assert len(session.exec(select(QuoteStep)).all()) == counts["quote_records"]
    assert ensure_seeded(empty, TABLES, DATA) == {}


def test_the_demo_company_loads(empty: Database) -> None:
    counts = ensure_seeded(empty, TABLES, seed_folder("crm"))
    assert counts["accounts"] >= 15
    assert counts["opportunities"] >= 20


def test_a_folder_that_comes_in_again_changes_nothing(empty: Database) -> None:
    ensure_seeded(empty, TABLES, DATA)
    again = import_folder({"data": (empty, TABLES)}, DATA.parent)["data"]
    assert {(one.inserted, one.updated) for one in again} == {(0, 0)}
    with empty.session() as session:
        assert len(session.exec(select(Document)).all()) == 5


ACCOUNT = "account_id,name,legal_name,kind,country,currency,language,status\n"
BLAUW = f"{ACCOUNT}BLAUW-3,Blauw,Blauw BV,business,Netherlands,eur,Dutch,active\n"


def test_any_id_becomes_one_of_ours_the_same_in_every_file(empty: Database, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(BLAUW)
    (tmp_path / "c.csv").write_text("contact_id,account_id,name\n17,blauw-3,Ans\n")
    import_file(empty, TABLES["accounts"], tmp_path / "a.csv")
    assert import_file(empty, TABLES["contacts"], tmp_path / "c.csv").inserted == 1
    with empty.session() as session:
        account, contact = session.get(Account, "acc_blauw-3"), session.get(Contact, "con_17")
        assert account is not None
        assert contact is not None
        assert (account.country, account.currency, account.language) == ("NL", "EUR", "nl")
        assert contact.account_id == account.account_id


def test_the_ids_of_a_source_are_kept_and_another_source_may_not_fill_the_same_rows(
    empty: Database, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text(BLAUW)
    names = ACCOUNT.strip().split(",")
    fill = Fill({one: (one,) for one in names}, source="erp", file="accounts")

    def take(session: Session, fill: Fill) -> None:
        loading = Loading(session)
        loading.take(TABLES["accounts"], tmp_path / "a.csv", fill)
        loading.finish()

    with empty.write() as session:
        take(session, fill)
        assert find_theirs(session, "accounts", "acc_blauw-3") == {"erp": "BLAUW-3"}
        assert find_ours(session, "accounts", " blauw-3 ") == {"acc_blauw-3": "erp"}
    with empty.write() as session, pytest.raises(InvalidInputError, match="which came from erp"):
        take(session, replace(fill, source="shop"))


def test_a_later_mail_comes_in_alone_with_what_it_carries(empty: Database, tmp_path: Path) -> None:
    ensure_seeded(empty, TABLES, DATA)
    mail = (DATA / "opportunities" / "opp_101" / "02.eml").read_text(encoding="utf-8")
    (tmp_path / "new.eml").write_text(mail.replace("Message-ID: <", "Message-ID: <again."))
    rows = "activity_id,opportunity_id,kind,direction,file\nact_9,opp_102,email,inbound,new.eml\n"
    (tmp_path / "mails.csv").write_text(rows)
    report = import_file(empty, TABLES["activities"], tmp_path / "mails.csv")
    assert report.inserted == 1
    with empty.session() as session:
        made = session.get(Activity, "act_9")
        assert made is not None
        assert (made.account_id, made.recorded_by) == ("acc_101", "import")
        parts = session.exec(select(Document).where(Document.activity_id == "act_9")).all()
        before = select(Document).where(Document.activity_id == "act_101_2")
        assert len(parts) == len(session.exec(before).all()) == 1


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (put("accounts.csv", "business", "shop"), "accounts.csv: row 2, kind"),
        (put("accounts.csv", "industry", "colour"), "accounts.csv: colour: no such column"),
        (put("accounts.csv", "acc_102", "acc_101"), "accounts.csv: row 3: is row 2 again"),
        (put("opportunities.csv", "acc_101", "acc_999"), "row 2, account_id: there is no acc_999"),
        (
            put("opportunity_contacts.csv", "opp_101,con_101", "opp_101,con_103"),
            "row 2: con_103 is no contact of acc_101",
        ),
        (put("activities.csv", "01.eml", "missing.eml"), "missing.eml cannot be read"),
        (
            put("activities.csv", "opportunities/opp_101/01.eml", "../secret.eml"),
            "does not lie beside this file",
        ),
        (put("activities.csv", "2026-11-18T10:05:00+01:00", ""), "act_101_3 has no date"),
        (put("activities.csv", ",inbound,", ",sideways,"), "row 2, direction"),
        (
            put("documents.csv", "act_101_1", "act_102_1"),
            "doc_101_1 is attached to no activity of opp_101",
        ),
        (put("quote_records.csv", "acc_101,opp_102", "acc_102,opp_102"), "not that account's"),
    ],
)
def test_a_wrong_row_is_named_and_nothing_is_kept(
    empty: Database, folder: Path, spoil: Callable[[Path], None], words: str
) -> None:
    spoil(folder)
    with pytest.raises(InvalidInputError, match=re.escape(words)):
        ensure_seeded(empty, TABLES, folder)
    with empty.session() as session:
        assert session.exec(select(Account)).first() is None
    assert empty.setting("seeded") is None
