"""One run end to end on PostgreSQL: three servers, engine and runs.

Not run unless DEALDESK_TEST_POSTGRES names a server to make databases on.
"""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from dealdesk.desk import Desk
from dealdesk.settings import load_settings
from servers.registry import NAMES

URL = os.environ.get("DEALDESK_TEST_POSTGRES", "")
pytestmark = pytest.mark.skipif(
    not URL, reason="not run: DEALDESK_TEST_POSTGRES names no PostgreSQL server"
)
GOAL = "Quote Bergwald Holz for the rack servers with 8% off"


@pytest.fixture
def databases(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Four empty databases, named in the environment, and gone afterwards."""
    keeper = sa.create_engine(URL, isolation_level="AUTOCOMMIT")
    mark = secrets.token_hex(4)
    names = {name: f"dealdesk_{name}_{mark}" for name in (*NAMES, "engine")}
    with keeper.connect() as connection:
        for name, database in names.items():
            connection.exec_driver_sql(f"CREATE DATABASE {database}")
            url = sa.make_url(URL).set(database=database).render_as_string(hide_password=False)
            monkeypatch.setenv(f"DEALDESK_{name.upper()}_URL", url)
    yield
    with keeper.connect() as connection:
        for database in names.values():
            connection.exec_driver_sql(f"DROP DATABASE {database} WITH (FORCE)")
    keeper.dispose()


@pytest.mark.timeout(120)
async def test_a_run_waits_is_approved_elsewhere_and_issues(
    databases: None, tmp_path: Path
) -> None:
    home = str(tmp_path / "home")
    mine = load_settings(home=home, model="playbook", person="per_lena", order_date="2026-11-23")
    async with Desk.open(mine) as desk:
        assert desk.created
        run_id = await desk.submit(GOAL)
        waiting = await desk.wait(run_id)
        assert (waiting["outcome"], waiting["total_minor"]) == ("waiting", 1232852)
    boss = load_settings(home=home, model="playbook", person="per_tomas", order_date="2026-11-23")
    async with Desk.open(boss) as desk:
        row = desk.run_row(run_id)
        quote = await desk.awaiting_decision(row)
        assert await desk.decide(row, quote, approved=True, note="fine") == []
        issued = await desk.wait(run_id)
        assert (issued["outcome"], issued["total_minor"]) == ("issued", 1232852)
        again = await desk.wait(await desk.submit(GOAL))
        assert (again["outcome"], again["quote_id"]) == ("existing", issued["quote_id"])
    assert not list(Path(home).glob("*.db"))
