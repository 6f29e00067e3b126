"""What statements cost: `create_quote` with those of the catalog and the CRM, and without.

The tool's function is called with nothing of MCP around it, which would only hide the difference.
"""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from pricing import DAY, GRANT, NOW, order
from timing import interleaved, report

from servers.finance.schemas import PriceRequest
from servers.finance.server import open_server
from servers.finance.store.collect import collect
from servers.finance.store.database import FinanceDatabase
from servers.finance.store.drafts import clauses_selected
from servers.finance.tools.quotes import create_quote
from servers.toolkit import scope
from servers.toolkit.statements import StatementKey, about_deal, about_lines

ROUNDS, WARM = 30, 3
SIZES = (1, 20, 200)
TERMS = "NET30"
EXTRA = {"adjustments", "display_currency"}
"""What a price may be asked with and a quote not."""


def drafts_of(finance: FinanceDatabase, request: PriceRequest) -> list[dict[str, Any]]:
    """Return the arguments of one draft per round, each of a deal of its own."""
    with finance.session() as session:
        clauses = clauses_selected(collect(session, request), request, TERMS)
    given = {name: value for name, value in request if name not in EXTRA}
    given |= {"lines": list(request.lines), "promo_codes": list(request.promo_codes)}
    given |= {"payment_terms": TERMS, "clause_ids": clauses}
    return [{**given, "opportunity_id": f"opp_{n}"} for n in range(ROUNDS + WARM)]


def stated(finance: FinanceDatabase, draft: dict[str, Any]) -> dict[str, Any]:
    """Return a draft of another deal, with what the catalog and the CRM state about it."""
    key, deal = StatementKey.of(finance.database), f"{draft['opportunity_id']}_stated"
    lines = about_lines(draft["lines"], "DE", DAY)
    return {
        **draft,
        "opportunity_id": deal,
        "catalog_statement": key.state("lines", lines, "ok", (), NOW),
        "crm_statement": key.state("deal", about_deal(draft["account_id"], deal), "quote", (), NOW),
    }


async def measure(finance: FinanceDatabase, size: int) -> None:
    """Draft quotes of so many lines, one without statements and one with them in turn."""
    without = drafts_of(finance, order(size))
    given = [stated(finance, draft) for draft in without]
    unchecked: dict[str, int] = {}

    async def create(case: str, drafts: list[dict[str, Any]]) -> None:
        made = create_quote(finance, **drafts.pop())
        unchecked[case] = sum(found.code == "UNCHECKED" for found in made.findings)

    medians = await interleaved(
        {
            "without statements": lambda: create("without", without),
            "with statements": lambda: create("with", given),
        },
        rounds=ROUNDS,
        warm=WARM,
    )
    assert unchecked == {"without": 2, "with": 0}, unchecked
    print(f"\n{size} lines")
    report(medians, "without statements", "ms of CPU")


async def main() -> None:
    """Measure quotes of every size, each on a fresh copy of the demo company."""
    scope.current_grant.set(GRANT)
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            app, _ = open_server(str(Path(folder) / "finance.db"))
            # on the order's own day: on another the draft is priced once more, floor and all
            await measure(FinanceDatabase(app.database, lambda: NOW), size)
            app.database.close()


if __name__ == "__main__":
    asyncio.run(main())
