"""A small finance database, filled once, copied for every test; its own clock and callers."""

import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for finance_support

from finance_support import Clock
from standing import seat

from servers.finance.checks import Checked
from servers.finance.load import TABLES
from servers.finance.server import create_server
from servers.finance.store.checks import Statements
from servers.toolkit.app import Server
from servers.toolkit.database import Database
from servers.toolkit.seeding import ensure_seeded, seed_folder

HERE = Path(__file__).parent / "data"
OWN = (
    *("items.csv", "prices.csv", "options.csv", "units.csv", "bundles.csv", "purchases.csv"),
    "subscriptions.csv",
)


@pytest.fixture(autouse=True)
def _checked_by_others(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the catalog and the CRM have said yes, but where a module is about what they say."""
    if getattr(request.module, "REAL_STATEMENTS", False):
        return
    yes = Checked(ok=True, until=datetime.max.replace(tzinfo=UTC))
    monkeypatch.setattr(Statements, "_read", lambda *_: yes)


@pytest.fixture(scope="session")
def small_seed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's rules and customers, with a dozen items."""
    folder = tmp_path_factory.mktemp("seed")
    for path in seed_folder("finance").iterdir():
        if path.is_file() and path.name not in OWN:
            shutil.copy(path, folder)
    for name in OWN:
        shutil.copy(HERE / "seed" / name, folder)
    return folder


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory, small_seed: Path) -> Path:
    path = tmp_path_factory.mktemp("filled") / "finance.db"
    database = Database.open(path, "finance")
    ensure_seeded(database, TABLES, small_seed)
    database.close()
    return path


@pytest.fixture
def database(filled: Path, tmp_path: Path) -> Iterator[Database]:
    shutil.copy(filled, tmp_path / "finance.db")
    opened = Database.open(tmp_path / "finance.db", "finance")
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def standing(filled: Path) -> Iterator[tuple[Server, Server, Clock]]:
    """Two servers, and the clock they share; each test seats them on its own database."""
    database, clock = Database.open(filled, "finance"), Clock()
    made = (
        create_server(Database(database.engine, "finance", filled.parent), now=clock)
        for _ in range(2)
    )
    yield *made, clock
    database.close()


@pytest.fixture
def clock(standing: tuple[Server, Server, Clock]) -> Clock:
    clock = standing[2]
    clock.moment = Clock.moment
    return clock


@pytest.fixture
def app(
    database: Database, clock: Clock, standing: tuple[Server, Server, Clock]
) -> Iterator[Server]:
    server = seat(standing[0], database)
    yield server
    server.ledger.audit.flush()


@pytest.fixture
def other(
    database: Database, clock: Clock, standing: tuple[Server, Server, Clock]
) -> Iterator[Server]:
    """A second server on the same database, as another process would have it."""
    server = seat(standing[1], database)
    yield server
    server.ledger.audit.flush()
