"""Alembic's entry: run this server's migrations on the connection it is given."""

from servers.catalog.tables import CatalogTable
from servers.toolkit.migrate import run_env

run_env(CatalogTable.metadata)
