"""Unit prices: books, contracts, options, units, bundles and volume tiers; all pure."""
