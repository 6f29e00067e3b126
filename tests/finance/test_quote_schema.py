"""The published JSON Schema fits what is exported, and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from paper_support import document, rich

from servers.finance.documents import customer_view
from servers.finance.render.pages import SCHEMA_ID, render

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "docs" / "quote.schema.json").read_text(encoding="utf-8")
)
CHECK = Draft202012Validator(SCHEMA)


def exported(**changes: Any) -> dict[str, Any]:
    return {**json.loads(render(customer_view(rich()), "json")), **changes}


def test_it_is_a_schema_with_a_name() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$id"] == SCHEMA_ID == exported()["$schema"]
    assert SCHEMA["title"]
    assert SCHEMA["description"]
    assert exported()["schema_version"] == SCHEMA["properties"]["schema_version"]["const"]


@pytest.mark.parametrize("quote", [document(), rich(), document(status="draft", number=None)])
def test_what_is_exported_fits(quote: Any) -> None:
    assert list(CHECK.iter_errors(json.loads(render(customer_view(quote), "json")))) == []


@pytest.mark.parametrize(
    "change",
    [{"margin": {}}, {"status": "sold"}, {"lines": [{}]}, {"$schema": "other"}, {"totals": None}],
    ids=str,
)
def test_anything_else_does_not_fit(change: dict[str, Any]) -> None:
    assert list(CHECK.iter_errors(exported(**change)))


def test_the_internal_export_is_another_thing() -> None:
    assert list(CHECK.iter_errors(json.loads(render(rich(), "json"))))
