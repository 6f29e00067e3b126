"""How large each tool's answer gets, and how a large one comes in parts: for docs and tests.

`at_most` is in bytes of an answer's text on the largest data that `tests/e2e/test_answers.py`
makes: a quote of 200 lines, a message of 60,000 characters, lists of 100 rows of the demo company
(of 20 rows as long as they can be for activities).
"""

from typing import NamedTuple

LARGE = 25_000


class Answer(NamedTuple):
    """The bound of a tool's answer, and what keeps it."""

    at_most: int
    parts: str


ROW = "one row"
FEW = "a few rows, or findings about what was given"
LIST = "limit (20 unless asked, at most 100) and cursor"
LINES = "the lines that fit, then next_line and from_line; everything else is of the whole"
TEXT = "20,000 characters, then next_offset and offset; a resource link to the whole"

LARGE_RESULTS: dict[str, dict[str, Answer]] = {
    "crm": {
        "resolve_account": Answer(5_000, FEW),
        "search_accounts": Answer(LARGE, LIST),
        "get_account": Answer(8_000, "few rows of each kind"),
        "list_contacts": Answer(LARGE, LIST),
        "list_addresses": Answer(LARGE, LIST),
        "list_documents": Answer(LARGE, LIST),
        "list_interactions": Answer(LARGE, LIST),
        "search_opportunities": Answer(LARGE, LIST),
        "get_opportunity": Answer(2_000, ROW),
        "list_activities": Answer(LARGE, LIST),
        "read_message": Answer(LARGE + 5_000, TEXT),
        "read_document": Answer(LARGE, TEXT),
        "search_text": Answer(LARGE, LIST),
        "quote_readiness": Answer(5_000, FEW),
        "account_readiness": Answer(5_000, FEW),
        "list_needs": Answer(LARGE, LIST),
        "quote_history": Answer(LARGE, LIST),
        "list_tasks": Answer(LARGE, LIST),
        "create_account": Answer(2_000, ROW),
        "add_contact": Answer(2_000, ROW),
        "add_address": Answer(2_000, ROW),
        "open_opportunity": Answer(2_000, ROW),
        "add_task": Answer(2_000, ROW),
        "finish_task": Answer(2_000, ROW),
        "merge_accounts": Answer(5_000, ROW),
        "record_need": Answer(3_000, ROW),
        "confirm_need": Answer(3_000, ROW),
        "log_activity": Answer(2_000, ROW),
        "update_stage": Answer(2_000, ROW),
        "record_quote_outcome": Answer(2_000, ROW),
        "record_account_quote": Answer(2_000, ROW),
    },
    "catalog": {
        "search_products": Answer(LARGE, LIST),
        "get_product": Answer(5_000, ROW),
        "compare_products": Answer(LARGE, "two to six products"),
        "match_need": Answer(LARGE, "limit"),
        "check_configuration": Answer(LARGE, FEW),
        "complete_configuration": Answer(LARGE, FEW),
        "suggest_substitutes": Answer(LARGE, FEW),
        "check_availability": Answer(
            65_000, LINES + "; findings, 300 bytes for each late line, are whole too"
        ),
        "shipping_options": Answer(5_000, FEW),
    },
    "finance": {
        "price_quote": Answer(LARGE, LINES),
        "price_prospect": Answer(LARGE, LINES),
        "what_if": Answer(LARGE, LINES),
        "guide_price": Answer(LARGE, LINES),
        "explain_price": Answer(LARGE, "the steps that fit, then next_from and from_step; line_id"),
        "check_credit": Answer(2_000, FEW),
        "get_balance": Answer(3_000, FEW),
        "screen_party": Answer(5_000, FEW),
        "select_terms": Answer(5_000, FEW),
        "create_quote": Answer(LARGE, FEW),
        "request_approval": Answer(LARGE, FEW),
        "get_quote": Answer(LARGE, LINES + "; a resource link to the whole"),
        "list_quotes": Answer(LARGE, LIST),
        "diff_quotes": Answer(LARGE, "the lines that fit, then next_from and from_change"),
        "explain_quote": Answer(LARGE, "the steps that fit, then next_from and from_step; line_id"),
        "render_quote": Answer(LARGE, TEXT),
        "issue_quote": Answer(2_000, ROW),
        "decide_approval": Answer(3_000, ROW),
        "withdraw_quote": Answer(2_000, ROW),
        "revise_quote": Answer(LARGE, "the lines that fit; diff_quotes has them all"),
        "accept_quote": Answer(2_000, ROW),
        "supersede_quote": Answer(2_000, ROW),
        "review_screening": Answer(2_000, ROW),
    },
}
