"""The first schema: the catalog's tables, the shared tables and the text index."""

import sqlalchemy as sa
from alembic import op

from servers.toolkit.shared_tables import create_shared_tables

revision = "0001_schema"
down_revision = None

SKU = sa.String(32)


def upgrade() -> None:
    """Make everything."""
    create_shared_tables(op.get_bind())
    _products()
    _bundles()
    _rules()
    _shipping()
    if op.get_bind().dialect.name == "sqlite":
        _sqlite_index()
    else:
        _postgres_index()


def _products() -> None:
    op.create_table(
        "product",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("sku", SKU, nullable=False, unique=True),
        sa.Column("sku_norm", SKU, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("family", sa.String(24), nullable=False, index=True),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("base_uom", sa.String(10), nullable=False),
        sa.Column("lifecycle", sa.String(12), nullable=False),
        sa.Column("last_order_date", sa.Date),
        sa.Column(
            "successor_sku",
            SKU,
            sa.ForeignKey("product.sku", deferrable=True, initially="DEFERRED"),
        ),
        sa.Column("weight_g", sa.Integer),
        sa.Column("dims_mm", sa.JSON),
        sa.Column("hs_code", sa.String(12)),
        sa.Column("origin_country", sa.String(2)),
        sa.Column("eccn", sa.String(12)),
        sa.Column("un_number", sa.String(6)),
        sa.Column("battery_wh", sa.Integer),
        sa.Column("warranty_months", sa.Integer),
        sa.Column("attributes", sa.JSON, nullable=False),
        sa.Column("specials", sa.JSON, nullable=False),
        sa.Column("aliases", sa.JSON, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("search_terms", sa.Text, nullable=False),
        sa.Column("units", sa.JSON),
    )
    op.create_index("ix_product_sku_norm", "product", ["sku_norm"], unique=True)
    op.create_table(
        "substitute",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("sku", SKU, sa.ForeignKey("product.sku"), nullable=False, index=True),
        sa.Column("stand_in", SKU, sa.ForeignKey("product.sku"), nullable=False),
        sa.Column("relation", sa.String(12), nullable=False),
        sa.Column("note", sa.String(200), nullable=False),
        sa.UniqueConstraint("sku", "stand_in"),
    )
    op.create_table(
        "stock",
        sa.Column("sku", SKU, sa.ForeignKey("product.sku"), primary_key=True),
        sa.Column("on_hand", sa.Integer, nullable=False),
        sa.Column("reserved", sa.Integer, nullable=False),
        sa.Column("lead_time_days", sa.Integer, nullable=False),
        sa.Column("inbound_date", sa.Date),
        sa.Column("inbound_quantity", sa.Integer, nullable=False),
        sa.Column("as_of", sa.Date, nullable=False),
    )


def _bundles() -> None:
    op.create_table(
        "bundle_component",
        sa.Column("bundle_sku", SKU, sa.ForeignKey("product.sku"), primary_key=True),
        sa.Column("sku", SKU, sa.ForeignKey("product.sku"), primary_key=True),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("optional", sa.Boolean, nullable=False),
        sa.Column("option_group", sa.String(40)),
        sa.CheckConstraint("quantity > 0", name="ck_component_quantity"),
        sa.CheckConstraint("bundle_sku <> sku", name="ck_component_not_itself"),
    )
    op.create_table(
        "option_group",
        sa.Column("bundle_sku", SKU, sa.ForeignKey("product.sku"), primary_key=True),
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("min_select", sa.Integer, nullable=False),
        sa.Column("max_select", sa.Integer, nullable=False),
        sa.CheckConstraint("min_select >= 0 AND max_select >= min_select", name="ck_group_range"),
    )


def _rules() -> None:
    op.create_table(
        "rule",
        sa.Column("rule_id", sa.String(80), primary_key=True),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(24), nullable=False, index=True),
        sa.Column("data", sa.JSON, nullable=False),
    )
    op.create_table(
        "certificate",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("scheme", sa.String(20), nullable=False),
        sa.Column("certificate_no", sa.String(60), nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
        sa.UniqueConstraint("scheme", "certificate_no"),
    )
    op.create_table(
        "export_list",
        sa.Column("list_id", sa.String(40), primary_key=True),
        sa.Column("data", sa.JSON, nullable=False),
    )
    op.create_table(
        "sales_goal",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("data", sa.JSON, nullable=False),
    )
    op.create_table(
        "vocabulary",
        sa.Column("part", sa.String(24), primary_key=True),
        sa.Column("data", sa.JSON, nullable=False),
    )


def _shipping() -> None:
    op.create_table(
        "hazmat_mode",
        sa.Column("un_number", sa.String(6), primary_key=True),
        sa.Column("mode", sa.String(8), primary_key=True),
        sa.Column("data", sa.JSON, nullable=False),
    )
    op.create_table(
        "ship_method",
        sa.Column("method", sa.String(20), primary_key=True),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
    )
    op.create_table(
        "ship_zone",
        sa.Column("country", sa.String(2), primary_key=True),
        sa.Column("zone", sa.String(12), nullable=False),
    )


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
