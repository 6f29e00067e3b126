"""A revoked grant is kept until it would have expired, not for ever."""

from alembic import op

from servers.toolkit.shared_tables import add_grant_expiry

revision = "0002_grant_expiry"
down_revision = "0001_schema"


def upgrade() -> None:
    """Add the column."""
    add_grant_expiry(op.get_bind())
