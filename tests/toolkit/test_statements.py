"""The key by which the desk's servers state something to each other."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from servers.toolkit.database import Database
from servers.toolkit.errors import StorageError
from servers.toolkit.statements import StatementKey, about_deal

DEAL = about_deal("acc_001", "opp_001")
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture
def crm(tmp_path: Path) -> Database:
    return Database.open(tmp_path / "here" / "crm.db", "crm")


@pytest.fixture
def finance(tmp_path: Path) -> Database:
    return Database.open(tmp_path / "there" / "finance.db", "finance")


def read(crm: Database, finance: Database) -> bool:
    said = StatementKey.of(crm).state("deal", DEAL, "quote", (), NOW)
    return StatementKey.of(finance).read(said, "deal", DEAL, NOW) is not None


def test_servers_of_a_desk_share_its_key_wherever_their_databases_lie(
    crm: Database, finance: Database, tmp_path: Path
) -> None:
    assert not read(crm, finance), "two folders, two desks"
    crm.keys = finance.keys = tmp_path / "home" / "keys"
    assert read(crm, finance)
    assert (tmp_path / "home" / "keys" / "statement.key").stat().st_mode & 0o077 == 0


def test_a_key_that_others_can_read_or_that_is_short_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    StatementKey.load(tmp_path)
    (tmp_path / "statement.key").chmod(0o644)
    with pytest.raises(StorageError, match="can be read by others"):
        StatementKey.load(tmp_path)
    monkeypatch.setenv("DEALDESK_STATEMENT_KEY", "ab" * 31)
    with pytest.raises(StorageError, match="too short"):
        StatementKey.load(tmp_path)
    monkeypatch.setenv("DEALDESK_STATEMENT_KEY", "ab" * 32)
    StatementKey.load(tmp_path)
