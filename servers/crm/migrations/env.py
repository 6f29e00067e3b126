"""Alembic's entry: run this server's migrations on the connection it is given."""

from servers.crm.tables import CrmTable
from servers.toolkit.migrate import run_env

run_env(CrmTable.metadata)
