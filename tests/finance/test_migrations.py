"""The migrations make exactly the tables that the models describe."""

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from servers.finance import models_quotes
from servers.finance.models import FinanceTable
from servers.toolkit.database import Database
from servers.toolkit.migrate import house

OURS = {table.name for table in house.sorted_tables}


def test_the_migrations_and_the_models_agree(tmp_path: Path) -> None:
    assert models_quotes.Quote.metadata is FinanceTable.metadata
    database = Database.open(tmp_path / "finance.db", "finance")
    with database.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_object": lambda _o, name, kind, *_: not (kind == "table" and name in OURS),
            },
        )
        assert compare_metadata(context, FinanceTable.metadata) == []
    database.close()
