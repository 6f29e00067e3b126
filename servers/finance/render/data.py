"""quote.json, and the JSON Schema that it names."""

import json
from typing import Any

from servers.finance.documents import CustomerQuote, QuoteDocument

SCHEMA_ID = "urn:dealdesk:schema:quote:1"
"""Changes whenever a reader of the old quote.json could not read the new one."""
NAMES = "$schema"


def json_text(document: QuoteDocument | CustomerQuote) -> str:
    """Return a quote as JSON text; what the customer gets names its schema."""
    data = document.model_dump(mode="json", exclude={"next_line"})
    if isinstance(document, CustomerQuote):
        data = {NAMES: SCHEMA_ID, **data}
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def quote_schema() -> dict[str, Any]:
    schema = CustomerQuote.model_json_schema(mode="serialization")
    properties = dict(schema.pop("properties"))
    del properties["next_line"]  # of an answer in parts; the file is whole
    named = {"const": SCHEMA_ID, "description": "this schema", "type": "string"}
    return {
        NAMES: "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "dealdesk quote, as the customer gets it",
        "description": (
            "Amounts are integer minor units of `currency` (ISO 4217: 1234 is 12.34 EUR, 1234 JPY "
            "or 1.234 KWD); unit prices and percentages are decimal strings. Lines that are "
            "optional or an alternative count in no total. `dealdesk quote verify quote.json` "
            "works every number out again."
        ),
        "type": "object",
        "additionalProperties": False,
        "required": [NAMES, *(name for name in schema["required"] if name in properties)],
        "properties": {NAMES: named, **properties},
        "$defs": schema["$defs"],
    }
