"""What the finance tests share: a clock, callers, and a plain order."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from fastmcp import Client
from fastmcp.exceptions import ToolError

from servers.catalog.schemas import LineIn as CatalogLine
from servers.profiles import persons, profile_grant
from servers.toolkit import scope
from servers.toolkit.app import Server
from servers.toolkit.findings import Finding
from servers.toolkit.grants import Grant
from servers.toolkit.idempotency import META_KEY
from servers.toolkit.statements import StatementKey, about_deal, about_lines


@dataclass
class Clock:
    """A clock that a test moves."""

    moment: datetime = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, **span: int) -> None:
        self.moment += timedelta(**span)


def everyone(**changes: Any) -> Grant:
    """A grant that holds every tool that is not a person's only, as the engine's of a run."""
    return Grant(
        **{
            "id": "g_agent",
            "audience": "finance",
            "tools": profile_grant("finance", "admin").tools | {"issue_quote"},
            "agent": "tester",
            "run": "run_1",
            "requester": "per_lena",
            **changes,
        }
    )


def by(person: str, **changes: Any) -> Grant:
    """A named person's grant."""
    tools = profile_grant("finance", "admin").tools | persons("finance")
    return Grant(
        **{"id": f"g_{person}", "audience": "finance", "tools": tools, "person": person, **changes}
    )


@contextmanager
def acting(grant: Grant, key: str | None = None) -> Iterator[None]:
    """Call repositories as the holder of a grant, as the gate would."""
    marks = scope.current_grant.set(grant), scope.current_key.set(key)
    try:
        yield
    finally:
        scope.current_grant.reset(marks[0])
        scope.current_key.reset(marks[1])


def line(line_id: str, sku: str, quantity: int = 1, **more: Any) -> dict[str, Any]:
    return {"line_id": line_id, "sku": sku, "quantity": quantity, **more}


def asking(*rows: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The arguments of price_quote for a plain German order, with changes."""
    return {
        "account_id": "acc_008",
        "lines": list(rows) or [line("l1", "SW-P8-120", 12)],
        "ship_to_address_id": "adr_024",
        "ship_method": "ROAD-STD",
        "order_date": "2026-11-23",
        **changes,
    }


def statements(
    app: Server,
    clock: Clock,
    *rows: dict[str, Any],
    country: str = "DE",
    day: str = "2026-11-23",
    verdicts: tuple[str, str] = ("ok", "quote"),
    findings: tuple[Finding, ...] = (),
    deal_findings: tuple[Finding, ...] = (),
    deal: tuple[str, str] = ("acc_008", "opp_900"),
) -> dict[str, str]:
    """What the catalog and the CRM of this desk would say now."""
    key = StatementKey.of(app.database)
    lines = [CatalogLine.model_validate(row) for row in rows or asking()["lines"]]
    about = about_lines(lines, country, date.fromisoformat(day))
    return {
        "catalog_statement": key.state("lines", about, verdicts[0], findings, clock()),
        "crm_statement": key.state("deal", about_deal(*deal), verdicts[1], deal_findings, clock()),
    }


async def call(
    app: Server, grant: Grant, tool: str, arguments: dict[str, Any], key: str = ""
) -> dict[str, Any]:
    """Call one tool as the holder of a grant; return its structured result."""
    async with Client(app.view(grant, output_schemas=False), mode="2026-07-28") as client:
        result = await client.call_tool(tool, arguments, meta={META_KEY: key} if key else None)
    return dict(result.structured_content or {})


async def drafted(
    app: Server, grant: Grant | None = None, key: str = "", **changes: Any
) -> dict[str, Any]:
    """Make a draft the way the workflow does: select the terms, then create."""
    grant = grant or everyone()
    more = {
        name: changes.pop(name)
        for name in (
            "opportunity_id",
            "claims",
            "warnings",
            "cover",
            "revises",
            "generated_by",
            "payment_terms",
            "clause_ids",
            "contact_id",
            "deviations",
            "catalog_statement",
            "crm_statement",
        )
        if name in changes
    }
    order = asking(**changes)
    priced = await call(app, grant, "price_quote", order)
    terms = await call(
        app,
        grant,
        "select_terms",
        {
            "account_id": order["account_id"],
            "lines": order["lines"],
            "ship_to_address_id": order["ship_to_address_id"],
            "total_minor": priced["totals"]["total_minor"] or 0,
            "currency": priced["currency"],
        },
    )
    return await call(
        app,
        grant,
        "create_quote",
        {
            **order,
            "opportunity_id": "opp_900",
            "payment_terms": terms["payment_terms"],
            "clause_ids": terms["clause_ids"],
            **more,
        },
        key,
    )


def together(*works: Callable[[], Any]) -> list[Any]:
    """Run things at once, in threads of their own; return results and errors."""
    barrier, results = threading.Barrier(len(works)), []

    def run(work: Callable[[], Any]) -> None:
        barrier.wait()
        try:
            results.append(asyncio.run(work()))
        except ToolError as problem:
            results.append(problem)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
