"""The second migration's part about tax: jurisdictions, registrations, stacked rates by region.

A database of the release before keeps its meaning: its home country rounds per document, carriage
follows the goods, and every legal entity is registered where it has its seat.
"""

import json
from datetime import date

import sqlalchemy as sa
from alembic import op

RANK = ["country", "region", "category", "tax_class", "sequence", "valid_from"]


def upgrade() -> None:
    """Make the tables, widen the rates, and carry over what held before."""
    _tables()
    for column in (
        sa.Column("region", sa.String(6), nullable=False, server_default=""),
        sa.Column("tax_class", sa.String(20), nullable=False, server_default="standard"),
        sa.Column("name", sa.String(20), nullable=False, server_default=""),
        sa.Column("sequence", sa.Integer, nullable=False, server_default="1"),
        sa.Column("kind", sa.String(8), nullable=False, server_default="percent"),
        sa.Column("enlarges_base", sa.Boolean, nullable=False, server_default=sa.false()),
    ):
        op.add_column("tax_rate", column)
    op.create_index("tax_rate_one_of_a_rank", "tax_rate", RANK, unique=True)
    op.add_column(
        "price_book",
        sa.Column("tax_inclusive", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    op.add_column(
        "exemption", sa.Column("reason_code", sa.String(30), nullable=False, server_default="")
    )
    _carry_over(op.get_bind())


def _tables() -> None:
    op.create_table(
        "tax_jurisdiction",
        sa.Column("jurisdiction", sa.String(8), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("tax_name", sa.String(20), nullable=False),
        sa.Column("rounding", sa.String(8), nullable=False),
        sa.Column("shipping", sa.String(8), nullable=False),
        sa.Column("shipping_class", sa.String(20), nullable=False),
        sa.Column("consumer_prices", sa.String(5), nullable=False),
        sa.Column("coverage", sa.String(9), nullable=False),
        sa.Column("note", sa.String(200), nullable=False),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("as_of", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("jurisdiction"),
        sa.CheckConstraint("rounding IN ('document', 'line')", name="tax_rounding_known"),
        sa.CheckConstraint("shipping IN ('goods', 'class', 'weighted')", name="tax_shipping_known"),
        sa.CheckConstraint(
            "coverage IN ('covered', 'by_region', 'outside')", name="tax_coverage_known"
        ),
    )
    op.create_table(
        "tax_registration",
        sa.Column("registration_id", sa.String(60), nullable=False),
        sa.Column("entity_id", sa.String(48), nullable=False),
        sa.Column("jurisdiction", sa.String(8), nullable=False),
        sa.Column("scheme", sa.String(12), nullable=False),
        sa.Column("number", sa.String(40), nullable=False),
        sa.Column("establishment", sa.Boolean, nullable=False),
        sa.Column("valid_from", sa.Date),
        sa.Column("valid_to", sa.Date),
        sa.PrimaryKeyConstraint("registration_id"),
        sa.CheckConstraint(
            "scheme IN ('vat', 'gst', 'sales_tax', 'oss')", name="tax_registration_scheme_known"
        ),
    )
    op.create_index("ix_tax_registration_entity_id", "tax_registration", ["entity_id"])


def _carry_over(connection: sa.Connection) -> None:
    """Write down how the home country and the sellers were treated until now."""
    setting = connection.execute(
        sa.text("SELECT value FROM policy WHERE name = 'taxes'")
    ).scalar_one_or_none()
    if setting is None:  # a new database, which is filled later
        return
    said = json.loads(setting) if isinstance(setting, str) else setting
    tables = sa.MetaData()
    tables.reflect(connection, only=["tax_jurisdiction", "tax_registration"])
    connection.execute(
        tables.tables["tax_jurisdiction"].insert(),
        {
            "jurisdiction": said["home_country"],
            "name": said["home_country"],
            "tax_name": "VAT",
            "rounding": "document",
            "shipping": "goods",
            "shipping_class": "",
            "consumer_prices": "gross",
            "coverage": "covered",
            "note": "",
            "source": "as the release before 0002 had it",
            "as_of": date(2026, 11, 22),
        },
    )
    for entity_id, country, details in connection.execute(
        sa.text("SELECT entity_id, country, details FROM seller ORDER BY entity_id")
    ).all():
        facts = json.loads(details) if isinstance(details, str) else details
        connection.execute(
            tables.tables["tax_registration"].insert(),
            {
                "registration_id": f"REG-{entity_id}-{country}"[:60],
                "entity_id": entity_id,
                "jurisdiction": country,
                "scheme": "vat",
                "number": facts.get("vat_id", ""),
                "establishment": True,
            },
        )
