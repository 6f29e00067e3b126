"""The first schema: the catalog's tables, the shared tables and the text index."""

from alembic import op

from servers.toolkit.shared_tables import create_shared_tables
from servers.toolkit.short_tables import tables_in

revision = "0001_schema"
down_revision = None


def upgrade() -> None:
    """Make everything."""
    create_shared_tables(op.get_bind())
    tables_in("servers.catalog.migrations", "first").create_all(op.get_bind())
    op.create_index("ix_product_sku_norm", "product", ["sku_norm"], unique=True)
    if op.get_bind().dialect.name == "sqlite":
        _sqlite_index()
    else:
        _postgres_index()


def _sqlite_index() -> None:
    """FTS5 over the product table itself; the triggers keep the two in step."""
    op.execute(
        "CREATE VIRTUAL TABLE product_fts USING fts5(name, search_terms, description, "
        "content='product', content_rowid='id', prefix='2 3', "
        "tokenize='unicode61 remove_diacritics 2')"
    )
    added = (
        "INSERT INTO product_fts(rowid, name, search_terms, description) "
        "VALUES (new.id, new.name, new.search_terms, new.description);"
    )
    removed = (
        "INSERT INTO product_fts(product_fts, rowid, name, search_terms, description) "
        "VALUES ('delete', old.id, old.name, old.search_terms, old.description);"
    )
    for when, work in (("INSERT", added), ("DELETE", removed), ("UPDATE", removed + added)):
        op.execute(
            f"CREATE TRIGGER product_fts_{when.lower()} AFTER {when} ON product BEGIN {work} END"
        )


def _postgres_index() -> None:
    """A generated vector in the `simple` configuration: no language's stemming, ours is stored."""
    op.execute(
        "ALTER TABLE product ADD COLUMN search_vector tsvector GENERATED ALWAYS AS ("
        "setweight(to_tsvector('simple', name), 'A') || "
        "setweight(to_tsvector('simple', search_terms), 'B') || "
        "setweight(to_tsvector('simple', description), 'D')) STORED"
    )
    op.create_index(
        "ix_product_search_vector", "product", ["search_vector"], postgresql_using="gin"
    )
