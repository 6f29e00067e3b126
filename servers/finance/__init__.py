"""Finance and legal server: prices, taxes, terms, approvals and quotes."""
