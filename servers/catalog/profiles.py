"""What each profile of a local user opens in the catalog; `servers/profiles.py` reads it."""

READ = (
    "search_products",
    "get_product",
    "compare_products",
    "match_need",
    "check_configuration",
    "complete_configuration",
    "suggest_substitutes",
    "check_availability",
    "shipping_options",
    "catalog://categories",
    "catalog://categories/{category}",
    "catalog://products/{sku}",
    "catalog://shipping",
)
SALES: tuple[str, ...] = ()
ADMIN: tuple[str, ...] = ()
PERSON: tuple[str, ...] = ()
