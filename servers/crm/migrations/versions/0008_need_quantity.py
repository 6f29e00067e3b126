"""A need may be of 2.5 kg: its quantity is kept in micro units, as every other one is."""

import sqlalchemy as sa
from alembic import op

revision = "0008_need_quantity"
down_revision = "0007_task_indexes"


def upgrade() -> None:
    """Widen the column, and write what is in it in micro units."""
    with op.batch_alter_table("need") as need:
        need.alter_column("quantity", type_=sa.BigInteger(), existing_nullable=True)
    op.execute("UPDATE need SET quantity = quantity * 1000000")
