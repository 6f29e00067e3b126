"""What each profile of a local user opens in finance; `servers/profiles.py` reads it."""

READ = (
    "price_quote",
    "price_prospect",
    "what_if",
    "explain_price",
    "check_credit",
    "get_balance",
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
)
SALES = ("create_quote", "request_approval")
ADMIN = ()
PERSON = (
    "guide_price",
    "decide_approval",
    "withdraw_quote",
    "revise_quote",
    "accept_quote",
    "supersede_quote",
    "review_screening",
)
"""Only a named person's grant holds these."""
RUN = ("issue_quote",)
"""The engine holds these in a run, and a named person; no profile does."""
