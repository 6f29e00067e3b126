"""An idempotency key belongs to the caller who sent it."""

from alembic import op

from servers.toolkit.shared_tables import add_key_owner

revision = "0005_key_owner"
down_revision = "0004_embargo"


def upgrade() -> None:
    """Add the column."""
    add_key_owner(op.get_bind())
