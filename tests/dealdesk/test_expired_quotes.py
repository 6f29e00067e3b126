"""A command that acts on a quote whose validity is over tells the CRM so first."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from dealdesk.cli import quote_decisions
from dealdesk.cli.options import ACTING


@pytest.mark.parametrize("status", ["expired", "issued"])
async def test_the_crm_hears_of_an_expired_quote(
    monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    about = {"quote_id": "q_1", "revision": 1, "number": "Q-1", "currency": "EUR"}
    about |= {"opportunity_id": "opp_1"}
    calls: list[Any] = []

    async def quote_id(named: str) -> str:
        return named

    async def quote(_quote_id: str) -> dict[str, Any]:
        return {**about, "status": status, "totals": {"total_minor": 5}}

    async def look(server: str, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        calls.append((server, tool, arguments))
        return {}

    @asynccontextmanager
    async def acting_as(_acting: object) -> AsyncIterator[Any]:
        store, settings = SimpleNamespace(list=list), SimpleNamespace(person="per_lena")
        yield SimpleNamespace(
            quote_id=quote_id, quote=quote, look=look, store=store, settings=settings
        )

    monkeypatch.setattr(quote_decisions, "acting_as", acting_as)
    async with quote_decisions._at_hand("q_1", ACTING):
        pass
    told = ("crm", "record_quote_outcome", {**about, "outcome": "expired", "total_minor": 5})
    assert calls == ([told] if status == "expired" else [])
