"""An idempotency key belongs to the caller who sent it."""

from alembic import op

from servers.toolkit.shared_tables import add_key_owner

revision = "0003_key_owner"
down_revision = "0002_grant_expiry"


def upgrade() -> None:
    """Add the column."""
    add_key_owner(op.get_bind())
