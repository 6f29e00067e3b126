"""What each profile of a local user opens in the CRM; `servers/profiles.py` reads it."""

READ = (
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
    "account_readiness",
    "list_needs",
    "quote_history",
    "list_tasks",
    "crm://opportunities",
    "crm://accounts/{account_id}",
    "crm://accounts/{account_id}/quotes",
    "crm://opportunities/{opportunity_id}",
    "crm://opportunities/{opportunity_id}/needs",
    "crm://opportunities/{opportunity_id}/messages/{activity_id}",
    "crm://opportunities/{opportunity_id}/documents/{document_id}",
    "prepare_quote",
    "review_opportunity",
)
SALES = (
    *("record_need", "confirm_need", "log_activity"),
    *("create_account", "add_contact", "add_address", "open_opportunity"),
    *("add_task", "finish_task"),
)
ADMIN = ("update_stage", "record_quote_outcome", "record_account_quote", "merge_accounts")
PERSON: tuple[str, ...] = ()
