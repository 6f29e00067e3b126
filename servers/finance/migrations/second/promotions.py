"""The second migration's part about promotions."""

import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    """Give promotions their kinds and limits, and count what accepted quotes use of them."""
    empty, nothing, no = sa.text("'{}'"), "", sa.false()
    for column in (
        sa.Column("automatic", sa.Boolean, nullable=False, server_default=no),
        sa.Column("target", sa.String(8), nullable=False, server_default="lines"),
        sa.Column("sku", sa.String(32), nullable=False, server_default=nothing),
        sa.Column("amount", sa.JSON, nullable=False, server_default=empty),
        sa.Column("allocation", sa.String(6), nullable=False, server_default="each"),
        sa.Column("per", sa.String(5), nullable=False, server_default="line"),
        sa.Column("conditions", sa.JSON, nullable=False, server_default=empty),
        sa.Column("max_quantity", sa.Integer),
        sa.Column("cap", sa.JSON, nullable=False, server_default=empty),
        sa.Column("usage_limit", sa.Integer),
        sa.Column("budget", sa.JSON, nullable=False, server_default=empty),
        sa.Column("buy_quantity", sa.Integer),
        sa.Column("get_quantity", sa.Integer),
        sa.Column("of_sku", sa.String(32), nullable=False, server_default=nothing),
        sa.Column("of_family", sa.String(40), nullable=False, server_default=nothing),
        sa.Column("free_sku", sa.String(32), nullable=False, server_default=nothing),
        sa.Column("free_quantity", sa.Integer),
        sa.Column("recurse_for", sa.Integer),
        sa.Column("base", sa.String(7), nullable=False, server_default="running"),
        sa.Column("exclusive", sa.Boolean, nullable=False, server_default=no),
        sa.Column("pick", sa.String(8), nullable=False, server_default="benefit"),
    ):
        op.add_column("promotion", column)
    op.execute("UPDATE promotion SET target = 'shipping' WHERE kind = 'free_shipping'")
    segment = sa.Column("segment", sa.String(40), nullable=False, server_default=nothing)
    op.add_column("customer", segment)
    op.create_table(
        "promotion_use",
        sa.Column("promotion_id", sa.String(60), nullable=False),
        sa.Column("quote_id", sa.String(48), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("free_units", sa.Integer, nullable=False),
        sa.CheckConstraint("amount_minor >= 0", name="promotion_use_not_negative"),
        sa.ForeignKeyConstraint(["quote_id"], ["quote.quote_id"]),
        sa.PrimaryKeyConstraint("promotion_id", "quote_id"),
    )
