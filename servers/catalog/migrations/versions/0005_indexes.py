"""Other programs' ids of a row of ours are found from an index."""

from alembic import op

from servers.toolkit.shared_tables import index_external_ids

revision = "0005_indexes"
down_revision = "0004_external_ids"


def upgrade() -> None:
    """Add the index."""
    index_external_ids(op.get_bind())
