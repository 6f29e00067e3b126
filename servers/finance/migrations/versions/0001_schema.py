"""The first schema: finance's tables, the house's tables, and the guards of stored quotes."""

from alembic import op

from servers.finance.migrations.guards import create_guards
from servers.toolkit.shared_tables import create_shared_tables
from servers.toolkit.short_tables import tables_in

revision = "0001_schema"
down_revision = None


def upgrade() -> None:
    """Make everything."""
    create_shared_tables(op.get_bind())
    tables_in("servers.finance.migrations", "first").create_all(op.get_bind())
    create_guards(op.get_bind())
