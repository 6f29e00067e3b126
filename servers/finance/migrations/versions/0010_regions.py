"""Freight by weight and by regions of a country; tax rates of postal codes."""

import sqlalchemy as sa
from alembic import op

revision = "0010_regions"
down_revision = "0009_indexes"
UNIQUE = "freight_rate_method_zone_currency_key"


def upgrade() -> None:
    """Add the columns; every rate there is holds as before."""
    regions = sa.Column("regions", sa.JSON(), nullable=False, server_default="[]")
    op.add_column("zone_country", regions)
    postal = sa.Column("postal_codes", sa.String(40), nullable=False, server_default="")
    op.add_column("tax_rate", postal)
    op.drop_index("tax_rate_one_of_a_rank", "tax_rate")
    rank = ["country", "region", "postal_codes", "category", "tax_class", "sequence", "valid_from"]
    op.create_index("tax_rate_one_of_a_rank", "tax_rate", rank, unique=True)
    with op.batch_alter_table("freight_rate", naming_convention={"uq": UNIQUE}) as rates:
        rates.add_column(sa.Column("up_to_g", sa.BigInteger(), nullable=False, server_default="0"))
        rates.drop_constraint(UNIQUE, type_="unique")
        kinds = ["method", "zone", "currency", "up_to_g"]
        rates.create_unique_constraint("freight_rate_one_of_a_weight", kinds)
