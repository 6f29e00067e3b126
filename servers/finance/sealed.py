"""Whether a document is the one whose digest it carries: the digest covers the whole snapshot.

A quote keeps the digest it was stored with. A field that a later release added is not in what that
digest was made of, so the fields of each release are kept here, and a field that is not among them
may only be as it is by default.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from servers.finance import canonical
from servers.finance.assembly import QuoteSnapshot
from servers.finance.documents import QuoteDocument

_FIRST = """
QuoteSnapshot: quote_id revision replaces revises account_id opportunity_id contact_id
    currency order_date validity_days cover seller customer ship_to delivery_terms lines
    freight taxes totals payment_terms clauses findings claims warnings promo_codes
    discount_bp approvals_needed auto_issue auto_issue_reasons generated_by trace
AddressBlock: address_id lines city region postal_code country
Allowance: label percent amount_minor
ApprovalNeed: rule_id role reason
BankBlock: bank_name account_holder iban bic
ClauseBlock: clause_id version topic title text sha256
CustomerBlock: account_id legal_name country address tax_ids
Finding: code severity message subject rule_id evidence fix
FreightBlock: method label weight_g gross_minor allowances net_minor tax_category tax_rate
InternalLine: position line_id sku name description quantity unit unit_price term_months start
    optional alternative_of gross_minor allowances net_minor tax_category tax_rate family
    list_unit_price price_book contract_id
PaymentTermsBlock: code description days
SellerBlock: legal_name address vat_id registration email phone website bank signatory_name
    signatory_title
TaxBlock: category rate taxable_minor tax_minor note
TaxIdBlock: scheme country value
TotalsBlock: lines_minor freight_minor net_minor tax_minor total_minor
TraceStep: line_id step rule_id source before after note lost
"""


def _fields(text: str) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    name = ""
    for word in text.split():
        if word.endswith(":"):
            name = word[:-1]
        found[name] = found.get(name, frozenset()) | ({word} - {f"{name}:"})
    return found


FIRST = _fields(_FIRST)
"""What every part of a snapshot had in release 0.1.0."""


def digests_of(document: QuoteDocument) -> list[str]:
    """Return the digests that what a document says may have: as of now, and of each release."""
    said = {name: getattr(document, name) for name in QuoteSnapshot.model_fields}
    snapshot = QuoteSnapshot.model_validate(said)
    return [canonical.digest(snapshot), canonical.digest(_as_of(FIRST, snapshot))]


def _as_of(release: Mapping[str, frozenset[str]], value: Any) -> Any:
    """Return data without what a release did not know and is as by default; all else stays."""
    if isinstance(value, list):
        return [_as_of(release, part) for part in value]
    if not isinstance(value, BaseModel):
        return value
    model = type(value)
    known = release.get(model.__name__, frozenset(model.model_fields))
    return {
        name: _as_of(release, getattr(value, name))
        for name, field in model.model_fields.items()
        if name in known or getattr(value, name) != field.get_default(call_default_factory=True)
    }
