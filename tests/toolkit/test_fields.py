"""A quantity on the wire: exact, as fine as three decimals, a whole one as it always was."""

import json
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from servers.toolkit.fields import Measured, Quantity


class Asked(BaseModel):
    quantity: Quantity


@pytest.mark.parametrize(
    ("sent", "kept", "said"),
    [
        ("12", "12", "12"),
        ("12.0", "12", "12"),
        ("1.1", "1.1", '"1.1"'),
        ('"1.1"', "1.1", '"1.1"'),
        ('"12.500"', "12.5", '"12.5"'),
        ("100", "100", "100"),
        ("0.001", "0.001", '"0.001"'),
        ("99999.999", "99999.999", '"99999.999"'),
        ("100000", "100000", "100000"),
    ],
)
@pytest.mark.parametrize("read", ["json", "python"])
def test_what_is_sent_is_kept_exactly(sent: str, kept: str, said: str, read: str) -> None:
    text = f'{{"quantity": {sent}}}'
    asked = (
        Asked.model_validate_json(text)
        if read == "json"
        else Asked.model_validate(json.loads(text))  # as the SDK hands over arguments
    )
    assert str(asked.quantity) == kept
    assert asked.model_dump_json() == f'{{"quantity":{said}}}'
    assert asked.model_dump()["quantity"] == Decimal(kept)


@pytest.mark.parametrize(
    "sent", [0, -1, "0.0005", 0.1 + 0.2, "100000.001", 100_001, "NaN", "Infinity", "x", "", True]
)
def test_what_is_no_quantity_is_refused(sent: Any) -> None:
    with pytest.raises(ValidationError):
        Asked.model_validate({"quantity": sent})


def test_a_caller_sends_a_number_of_one_type_and_reads_a_whole_number_or_a_text() -> None:
    asks = Asked.model_json_schema()["properties"]["quantity"]
    assert (asks["type"], asks["exclusiveMinimum"], asks["maximum"]) == ("number", 0, 100_000)

    class Said(BaseModel):
        many: Measured

    says = Said.model_json_schema(mode="serialization")["properties"]["many"]
    assert says["type"] == ["integer", "string"]
