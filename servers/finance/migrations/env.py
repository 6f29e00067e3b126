"""Alembic's entry: run this server's migrations on the connection it is given."""

from servers.finance import (  # noqa: F401 - their tables join the metadata
    models_legal,
    models_prices,
    models_promotions,
    models_quotes,
    models_subscriptions,
    models_tax,
)
from servers.finance.models import FinanceTable
from servers.toolkit.migrate import run_env

run_env(FinanceTable.metadata)
