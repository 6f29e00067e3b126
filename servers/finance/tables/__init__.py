"""Finance's tables by topic. A column gives its values as the rules use them; see toolkit.columns.

Amounts are integer minor units of a currency beside them; unit prices, costs, rates, percentages
and quantities are integer micro units in the database. Both ends of a window of days are included.
"""

from servers.finance.tables import (
    charges,
    customers,
    house,
    legal,
    prices,
    promotions,
    quotes,
    taxes,
)
from servers.finance.tables.base import FinanceTable

__all__ = ["FinanceTable", "charges", "customers", "house", "legal", "prices"]
__all__ += ["promotions", "quotes", "taxes"]
