"""The argument types that all servers share, so that every schema is bounded the same way."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, Field, PlainSerializer, WithJsonSchema

from servers.toolkit.money import trimmed


def _id(prefix: str, where: str | None) -> Any:
    pattern = rf"^{prefix}_[A-Za-z0-9_-]{{1,40}}$"
    return Field(pattern=pattern, max_length=48, description=where)


AccountId = Annotated[str, _id("acc", "account id, from resolve_account")]
OpportunityId = Annotated[str, _id("opp", "opportunity id, from search_opportunities")]
ContactId = Annotated[str, _id("con", "contact id, from list_contacts")]
AddressId = Annotated[str, _id("adr", "address id, from list_addresses")]
ActivityId = Annotated[str, _id("act", "activity id, from list_activities")]
DocumentId = Annotated[str, _id("doc", "document id, from list_documents")]
NeedId = Annotated[str, _id("need", "need id, from list_needs")]
QuoteId = Annotated[str, _id("q", "quote id, from list_quotes")]
ApprovalId = Annotated[str, _id("apr", "approval id, from get_quote")]
SubscriptionId = Annotated[str, _id("sub", None)]
SKU = "SKU, from search_products or match_need"
_SKU = r"0-9A-Za-zÀ-ÖØ-öø-ɏ._/+#\-"
SKU_FORM = rf"^[{_SKU}](?:[{_SKU} ]{{0,38}}[{_SKU}])?$"
"""A SKU as its owner writes it: 1 to 40 letters, digits and `. / _ - + #`, with spaces inside."""
Sku = Annotated[str, Field(pattern=SKU_FORM, max_length=40, description=SKU)]
LineId = Annotated[str, Field(pattern=r"^l[0-9]{1,4}$", max_length=5, description="l1, l2, ...")]
PARTS = r"^[0-9]+\.[0-9]{1,3}$"
Measured = Annotated[
    Decimal,
    AfterValidator(trimmed),
    PlainSerializer(lambda one: int(one) if one == int(one) else str(one), when_used="json"),
    WithJsonSchema({"type": ["integer", "string"], "pattern": PARTS}, mode="serialization"),
]
"""How much: 12 as JSON's whole number, 2.5 as the text "2.5", which no reader rounds."""
Quantity = Annotated[
    Measured,
    Field(gt=0, le=100_000, decimal_places=3),
    WithJsonSchema(
        {"type": "number", "exclusiveMinimum": 0, "maximum": 100_000}, mode="validation"
    ),
]
"""How much a caller asks for; how many decimals it may have is its unit's to say."""
OptionCode = Annotated[str, Field(pattern=r"^[A-Z0-9][A-Z0-9-]{0,31}$", max_length=32)]
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
