from pathlib import Path

import sqlalchemy as sa

from servers.catalog.migrations import HEAD
from servers.catalog.tables import CatalogTable
from servers.toolkit.database import Database
from servers.toolkit.migrate import revision_of, shared


def test_the_migration_makes_what_the_models_say(database: Database) -> None:
    inspector = sa.inspect(database.engine)
    for table in CatalogTable.metadata.sorted_tables:
        made = {c["name"]: c for c in inspector.get_columns(table.name)}
        assert made.keys() == set(table.columns.keys()), table.name
        for column in table.columns:
            assert made[column.name]["nullable"] == bool(column.nullable), column
    assert set(shared.tables) <= set(inspector.get_table_names())


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    for _ in range(2):
        database = Database.open(tmp_path / "catalog.db", server="catalog")
        with database.engine.connect() as connection:
            assert revision_of(connection) == HEAD
        database.close()


def test_the_text_index_follows_the_table(tmp_path: Path) -> None:
    from servers.catalog.store.search import find_ids
    from servers.catalog.tables import ProductRow

    database = Database.open(tmp_path / "catalog.db", server="catalog")
    row = ProductRow(
        sku="X-1",
        sku_norm="X1",
        name="Größere Ventile",
        family="mounts",
        kind="goods",
        base_uom="each",
        lifecycle="active",
        description="A test.",
        search_terms="",
    )
    with database.write() as session:
        session.add(row)
    with database.session() as session:
        assert len(find_ids(session, ["grossere"], how="all")) == 0  # ß is no accent
        assert len(find_ids(session, ["ventil"], how="all")) == 1
    with database.write() as session:
        changed = session.get(ProductRow, row.id)
        assert changed is not None
        changed.name = "Pumpen"
    with database.session() as session:
        assert find_ids(session, ["ventil"], how="all") == []
        assert len(find_ids(session, ["pumpen"], how="all")) == 1
    with database.write() as session:
        session.delete(changed)
    with database.session() as session:
        assert find_ids(session, ["pumpen"], how="all") == []
    database.close()
