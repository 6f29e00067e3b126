"""What a local user without a token may use: one table of component names per profile.

`read` looks, `sales` also drafts, `admin` also keeps the data. No profile decides: the deciding
tools need a named person's grant (design law 6), so they are in no row here. A test compares
this table with the live servers; a component that is in no profile must be a person's.
"""

import os

from servers.toolkit.grants import Grant

READ: dict[str, tuple[str, ...]] = {
    "crm": (
        "resolve_account",
        "search_accounts",
        "get_account",
        "list_contacts",
        "list_addresses",
        "list_documents",
        "list_interactions",
        "search_opportunities",
        "get_opportunity",
        "list_activities",
        "read_message",
        "read_document",
        "search_text",
        "quote_readiness",
        "list_needs",
        "quote_history",
        "crm://opportunities",
        "crm://accounts/{account_id}",
        "crm://accounts/{account_id}/quotes",
        "crm://opportunities/{opportunity_id}",
        "crm://opportunities/{opportunity_id}/needs",
        "crm://opportunities/{opportunity_id}/messages/{activity_id}",
        "crm://opportunities/{opportunity_id}/documents/{document_id}",
        "prepare_quote",
        "review_opportunity",
    ),
    "catalog": (
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
    ),
    "finance": (
        "price_quote",
        "what_if",
        "explain_price",
        "check_credit",
        "screen_party",
        "select_terms",
        "get_quote",
        "list_quotes",
        "diff_quotes",
        "explain_quote",
        "render_quote",
        "finance://quotes",
        "finance://quotes/{quote_id}",
        "finance://quotes/{quote_id}/quote.html",
        "finance://quotes/{quote_id}/quote.md",
        "finance://quotes/{quote_id}/quote.json",
        "finance://quotes/{quote_id}/quote.xml",
        "finance://quotes/{quote_id}/quote.txt",
        "finance://quotes/{quote_id}/quote.pdf",
        "finance://quotes/{quote_id}/internal.pdf",
        "finance://clauses",
        "finance://clauses/{clause_id}",
        "finance://seller",
        "ui://finance/quote-card.html",
    ),
}
SALES: dict[str, tuple[str, ...]] = {
    "crm": ("record_need", "confirm_need", "log_activity"),
    "catalog": (),
    "finance": ("create_quote", "request_approval"),
}
ADMIN: dict[str, tuple[str, ...]] = {
    "crm": ("update_stage", "record_quote_outcome"),
    "catalog": (),
    "finance": ("issue_quote",),
}
PERSON: dict[str, tuple[str, ...]] = {
    "crm": (),
    "catalog": (),
    "finance": (
        "guide_price",
        "decide_approval",
        "withdraw_quote",
        "revise_quote",
        "accept_quote",
        "supersede_quote",
        "review_screening",
    ),
}
"""Only a named person's grant holds these; they are listed so that the table is whole."""

PROFILES: dict[str, tuple[dict[str, tuple[str, ...]], ...]] = {
    "read": (READ,),
    "sales": (READ, SALES),
    "admin": (READ, SALES, ADMIN),
}


def profile_grant(server: str, profile: str) -> Grant:
    """Return the grant of a local user: every component that the profile names on a server.

    `DEALDESK_PERSON` says who that is. It gives no right and takes one away: what is drafted is
    asked for in that person's name, and nobody approves what they asked for.
    """
    names = frozenset(name for table in PROFILES[profile] for name in table[server])
    return Grant(
        id=f"profile-{profile}",
        audience=server,
        tools=frozenset(name for name in names if "://" not in name),
        resources=frozenset(name for name in names if "://" in name),
        prompts=frozenset(name for name in names if "://" not in name),
        requester=os.environ.get("DEALDESK_PERSON", ""),
    )
