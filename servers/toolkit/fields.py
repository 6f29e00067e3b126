"""The argument types that all servers share, so that every schema is bounded the same way."""

from datetime import date
from typing import Annotated

from pydantic import Field

_ID = r"_[A-Za-z0-9_-]{1,40}$"

AccountId = Annotated[
    str,
    Field(pattern="^acc" + _ID, max_length=48, description="account id, from resolve_account"),
]
OpportunityId = Annotated[
    str,
    Field(
        pattern="^opp" + _ID, max_length=48, description="opportunity id, from search_opportunities"
    ),
]
ContactId = Annotated[
    str, Field(pattern="^con" + _ID, max_length=48, description="contact id, from list_contacts")
]
AddressId = Annotated[
    str, Field(pattern="^adr" + _ID, max_length=48, description="address id, from list_addresses")
]
ActivityId = Annotated[
    str, Field(pattern="^act" + _ID, max_length=48, description="activity id, from list_activities")
]
DocumentId = Annotated[
    str, Field(pattern="^doc" + _ID, max_length=48, description="document id, from list_documents")
]
NeedId = Annotated[
    str, Field(pattern="^need" + _ID, max_length=48, description="need id, from list_needs")
]
QuoteId = Annotated[
    str, Field(pattern="^q" + _ID, max_length=48, description="quote id, from list_quotes")
]
ApprovalId = Annotated[
    str, Field(pattern="^apr" + _ID, max_length=48, description="approval id, from get_quote")
]
Sku = Annotated[
    str,
    Field(
        pattern=r"^[A-Z0-9][A-Z0-9-]{1,31}$",
        max_length=32,
        description="SKU, from search_products or match_need",
    ),
]
LineId = Annotated[str, Field(pattern=r"^l[0-9]{1,4}$", max_length=5, description="l1, l2, ...")]
Quantity = Annotated[int, Field(ge=1, le=100_000)]
OptionCode = Annotated[str, Field(pattern=r"^[A-Z0-9][A-Z0-9-]{0,31}$", max_length=32)]
SubscriptionId = Annotated[str, Field(pattern="^sub" + _ID, max_length=48)]
Country = Annotated[
    str, Field(pattern="^[A-Z]{2}$", max_length=2, description="ISO 3166-1 alpha-2 code")
]
CurrencyCode = Annotated[
    str, Field(pattern="^[A-Z]{3}$", max_length=3, description="ISO 4217 code")
]
OrderDate = Annotated[date, Field(description="the day that decides every date window")]
Digest = Annotated[
    str, Field(pattern="^[0-9a-f]{64}$", max_length=64, description="sha256 in hexadecimal")
]
Query = Annotated[str, Field(min_length=1, max_length=200, description="words to look for")]
Limit = Annotated[int, Field(ge=1, le=100, description="rows per page")]
Cursor = Annotated[
    str, Field(max_length=64, description="next_cursor of the page before, empty for the first")
]
