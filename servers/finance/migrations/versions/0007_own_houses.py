"""What other houses' data needs: their ids, prices on request, freight by places and weights."""

import sqlalchemy as sa
from alembic import op

from servers.toolkit.shared_tables import add_external_ids, index_external_ids, widen
from servers.toolkit.short_tables import add_table

revision = "0007_own_houses"
down_revision = "0006_price_approval"
UNIQUE = "freight_rate_method_zone_currency_key"

added = sa.MetaData()
add_table(added, "postal_zone", "country 2 key, zone 12 key, first 10 key, last 10")


def upgrade() -> None:
    """Add tables, columns and indexes; every price and rate there is holds as before."""
    add_external_ids(op.get_bind())
    index_external_ids(op.get_bind())
    widen(op.get_bind(), ("sku", "bundle_sku", "of_sku", "free_sku"), 32, 40)
    op.create_index("quote_by_validity", "quote", ["status", "entity_id", "valid_until"])
    op.create_index("ix_quote_created_at", "quote", ["created_at"])
    added.create_all(op.get_bind())
    for table, name, kind, default in (
        ("price_entry", "on_request", sa.Boolean(), sa.false()),
        ("zone_country", "regions", sa.JSON(), "[]"),
        ("tax_rate", "postal_codes", sa.String(40), ""),
    ):
        op.add_column(table, sa.Column(name, kind, nullable=False, server_default=default))
    op.add_column("freight_rate", sa.Column("free_from", sa.BigInteger()))
    op.drop_index("tax_rate_one_of_a_rank", "tax_rate")
    rank = ["country", "region", "postal_codes", "category", "tax_class", "sequence", "valid_from"]
    op.create_index("tax_rate_one_of_a_rank", "tax_rate", rank, unique=True)
    with op.batch_alter_table("freight_rate", naming_convention={"uq": UNIQUE}) as rates:
        rates.add_column(sa.Column("up_to_g", sa.BigInteger(), nullable=False, server_default="0"))
        rates.drop_constraint(UNIQUE, type_="unique")
        kinds = ["method", "zone", "currency", "up_to_g"]
        rates.create_unique_constraint("freight_rate_one_of_a_weight", kinds)
