"""What a person decided stands, whatever the CRM says to it."""

from collections.abc import Mapping
from typing import Any

import pytest

from dealdesk.people import record_outcome
from orchestrator.errors import EnvironmentProblem, UsageError

QUOTE = {
    "quote_id": "q_1",
    "revision": 1,
    "number": "Q-1",
    "currency": "EUR",
    "opportunity_id": "opp_1",
    "total_minor": 100,
}


@pytest.mark.parametrize("kind", [UsageError, EnvironmentProblem])
async def test_a_crm_that_takes_no_note_is_news_and_no_failure(kind: type[Exception]) -> None:
    async def look(_server: str, _tool: str, _arguments: Mapping[str, Any]) -> dict[str, Any]:
        raise kind("the crm database stayed locked")

    assert await record_outcome(look, QUOTE, "issued", "x") == "the crm database stayed locked"
