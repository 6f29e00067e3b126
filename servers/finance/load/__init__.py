"""How files fill finance's tables; `seed_data/finance` is such a folder.

What finance makes itself cannot be handed in: quotes, their approvals and numbers, what accepted
ones used, and what persons decided about names on the screening list.
"""

from servers.finance.load.company import PEOPLE, SELLERS
from servers.finance.load.customers import CUSTOMERS
from servers.finance.load.legal import CLAUSES, EMBARGOED, SCREENING, TERMS
from servers.finance.load.policies import CHARGES, POLICIES
from servers.finance.load.prices import CONTRACTS, PRICES
from servers.finance.load.promotions import PROMOTIONS
from servers.finance.load.taxes import TAXES, ZONES
from servers.toolkit.tables import tables

TABLES = tables(
    SELLERS,
    PEOPLE,
    POLICIES,
    ZONES,
    *PRICES,
    PROMOTIONS,
    *CHARGES,
    *TAXES,
    TERMS,
    CLAUSES,
    SCREENING,
    EMBARGOED,
    *CUSTOMERS,
    *CONTRACTS,
)
