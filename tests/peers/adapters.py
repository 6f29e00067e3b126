"""One adapter per kind of case, by area.

The answer of an adapter has the keys of `expected`. An adapter only translates words; every number
comes from a function under `servers/finance` that prices quotes.
"""

import adapters_prices
import adapters_promotions
import adapters_subscriptions
import adapters_tax

ADAPTERS = {
    **adapters_prices.ADAPTERS,
    **adapters_promotions.ADAPTERS,
    **adapters_subscriptions.ADAPTERS,
    **adapters_tax.ADAPTERS,
}
