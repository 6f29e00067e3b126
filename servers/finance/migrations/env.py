"""Alembic's entry: run this server's migrations on the connection it is given."""

from servers.finance.tables import FinanceTable
from servers.toolkit.migrate import run_env

run_env(FinanceTable.metadata)
