"""The whole waterfall, tax, subscriptions, law and lifecycle."""

from servers.finance.migrations.second import (
    legal,
    prices,
    promotions,
    quotes,
    subscriptions,
    tax,
)

revision = "0002_depth"
down_revision = "0001_first"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring each area up, in the order in which they refer to each other."""
    for area in (prices, promotions, subscriptions, tax, legal, quotes):
        area.upgrade()
