"""A revoked grant is kept until it would have expired; a key belongs to the caller who sent it."""

from alembic import op

from servers.toolkit.shared_tables import add_grant_expiry, add_key_owner

revision = "0002_grants_and_keys"
down_revision = "0001_schema"


def upgrade() -> None:
    """Add the columns."""
    add_grant_expiry(op.get_bind())
    add_key_owner(op.get_bind())
