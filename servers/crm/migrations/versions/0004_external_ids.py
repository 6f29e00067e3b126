"""Ids of other programs are kept beside ours."""

from alembic import op

from servers.toolkit.shared_tables import add_external_ids

revision = "0004_external_ids"
down_revision = "0003_key_owner"


def upgrade() -> None:
    """Add the table."""
    add_external_ids(op.get_bind())
