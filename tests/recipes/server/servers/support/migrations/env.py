"""Alembic's entry: run this server's migrations on the connection it is given."""

from servers.support.tables import SupportTable
from servers.toolkit.migrate import run_env

run_env(SupportTable.metadata)
