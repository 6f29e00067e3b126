"""Which of finance's columns hold something of a customer's people, and what the law keeps.

Of our own people (sellers, approvers) nothing is listed: they are not whom a customer asks about.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sqlmodel import Session

from servers.finance.tables.house import Setting
from servers.toolkit.privacy import SHARED, Held

YEARS = 10
WHY = "an issued quote and its seal stay for tax and commercial law"
REVIEWED = "a review of a hit on the screening list stays for export law"
HELD = {
    **SHARED,
    "customer": Held(
        "legal_name",
        whose="account_id",
        own="legal_name",
        free="account_id parent_account_id country kind channel currency payment_terms_code "
        "credit_currency credit_rating segment language industry",
    ),
    "customer_tax_id": Held(
        "value", whose="account_id", own="value", free="account_id scheme country verified_at"
    ),
    "customer_address": Held(
        "lines city",
        whose="account_id",
        own="lines city postal_code",
        free="address_id account_id kind region country",
    ),
    "related_party": Held("name", free="party_id account_id role country"),
    "screening_review": Held(
        "party_name note", free="review_id account_id entry_id listed_name decision decided_by"
    ),
    "exemption": Held(
        "reason number", free="certificate_id account_id jurisdictions status reason_code"
    ),
    "receivable": Held(free="invoice_no account_id quote_id currency"),
    "account_purchase": Held("source", free="account_id sku quote_id line_id"),
    "subscription": Held("clause document", free="subscription_id account_id sku currency renewal"),
    "contract_price": Held("document", free="contract_id account_id scope selector kind currency"),
    "price_book": Held(
        "name", free="book currency channel country region account_id rules derived_from formula"
    ),
    "quote": Held(
        "inputs snapshot price_approval margin acceptance_reference withdrawn_reason",
        free="quote_id account_id opportunity_id chain revises status currency digest number "
        "issued_at entity_id accepted_at accepted_by superseded_by created_at created_by "
        "requested_by",
    ),
    "approval": Held(
        "reason note",
        free="approval_id quote_id rule_id role digest status requested_by requested_at "
        "expires_at decided_by decided_at used_at",
    ),
}


def keeper(session: Session) -> Callable[[str, Mapping[str, Any]], str]:
    """Return what says why a row must stay, and until when; empty when it need not."""
    found = session.get(Setting, "policies")
    years = YEARS if found is None else int(found.value.get("retention_years", YEARS))

    def kept(table: str, row: Mapping[str, Any]) -> str:
        since = {"quote": row.get("issued_at"), "screening_review": row.get("decided_on")}
        if not since.get(table):
            return ""
        why = WHY if table == "quote" else REVIEWED
        return f"{why}, until {int(str(since[table])[:4]) + years}-12-31"

    return kept
