"""What a price costs: whole quotes against a plain loop, price rows in bulk, and drafts at once."""

import asyncio
import csv
import sqlite3
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import event
from timing import interleaved, report

from servers.finance.assembly import QuoteInputs
from servers.finance.facts.pricing import PricingFacts
from servers.finance.load import TABLES
from servers.finance.pricing import price
from servers.finance.schemas import LineIn, PriceRequest
from servers.finance.server import open_server
from servers.finance.store import drafts
from servers.finance.store.checks import Statements
from servers.finance.store.collect import collect
from servers.toolkit import scope
from servers.toolkit.database import Database
from servers.toolkit.grants import Grant
from servers.toolkit.importing import import_file
from servers.toolkit.statements import StatementKey

SIZES = (20, 200, 2_000)
PRICE_ROWS = 100_000
DRAFTS = 50
CENT = Decimal("0.01")
SKUS = (
    *("SW-P8-120", "SW-P16-240", "SW-P24-370", "SRV-D1-16", "SEN-T4", "CAM-D4", "CBL-C6-02"),
    *("SRV-R1-64", "PSU-R550", "MNT-RK1"),
)
GRANT = Grant(id="g_bench", audience="finance", agent="bench", tools=frozenset(), requester="bench")
DAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def order(lines: int) -> PriceRequest:
    """A German order of so many lines, with tiers, a promotion and a discount to work out."""
    return PriceRequest(
        account_id="acc_008",
        lines=tuple(
            LineIn(line_id=f"l{n}", sku=SKUS[n % len(SKUS)], quantity=1 + n % 40)
            for n in range(1, lines + 1)
        ),
        ship_to_address_id="adr_024",
        ship_method="ROAD-STD",
        order_date=DAY,
        promo_codes=("EDGE5",),
        discount_bp=250,
    )


def plain_loop(request: PriceRequest, facts: PricingFacts) -> Decimal:
    """The same arithmetic with nothing around it: no trace, no rules, no findings, no digest."""
    prices = {e.sku: e.amount for e in facts.entries if not e.channel}
    net = Decimal(0)
    for line in request.lines:
        amount = (prices[line.sku] * line.quantity).quantize(CENT, ROUND_HALF_UP)
        if line.quantity >= 10:
            amount -= (amount * 5 / 100).quantize(CENT, ROUND_HALF_UP)
        if line.sku.startswith("SRV"):
            amount -= (amount * 5 / 100).quantize(CENT, ROUND_HALF_UP)
        amount -= (amount * Decimal("2.5") / 100).quantize(CENT, ROUND_HALF_UP)
        net += amount
    return net + (net * 19 / 100).quantize(CENT, ROUND_HALF_UP)


async def whole_quotes(database: Database) -> None:
    """Compare pricing with the loop, and count the statements that collect the facts."""
    for size in SIZES:
        request = order(size)
        statements: list[str] = []
        event.listen(
            database.engine, "before_cursor_execute", lambda *a, s=statements: s.append(a[2])
        )
        facts = _facts(database, request)
        count = len(statements)

        async def rules(request: PriceRequest = request, facts: PricingFacts = facts) -> None:
            price(facts, request)

        async def everything(request: PriceRequest = request) -> None:
            price(_facts(database, request), request)

        async def floor(request: PriceRequest = request, facts: PricingFacts = facts) -> None:
            plain_loop(request, facts)

        medians = await interleaved(
            {"plain loop": floor, "rules": rules, "facts and rules": everything},
            rounds=max(3, 400 // size),
            warm=1,
        )
        print(f"\n{size} lines, {count} SQL statements for the facts")
        report(medians, "plain loop", "ms of CPU")


def _facts(database: Database, request: PriceRequest) -> PricingFacts:
    mark = scope.current_grant.set(GRANT)
    try:
        with database.session() as session:
            return collect(session, request).pricing
    finally:
        scope.current_grant.reset(mark)


async def price_rows(database: Database, folder: Path) -> None:
    """Import price rows against the same rows put into a bare SQLite table."""
    items, prices = folder / "items.csv", folder / "prices.csv"
    with items.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("sku", "name", "family", "kind", "tax_class"))
        rows.writerows(
            (f"BM-{n}", f"Bench {n}", "bench", "goods", "standard") for n in range(PRICE_ROWS)
        )
    with prices.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("book", "sku", "unit", "amount"))
        rows.writerows(
            ("PB-EUR", f"BM-{n}", "each", f"{n % 900 + 1}.50") for n in range(PRICE_ROWS)
        )
    start = time.perf_counter()
    with closing(sqlite3.connect(folder / "bare.db")) as bare, prices.open(newline="") as file:
        bare.execute("CREATE TABLE p (book, sku, unit, micro, UNIQUE (book, sku, unit))")
        bare.executemany(
            "INSERT INTO p VALUES (?, ?, ?, ?)",
            (
                (r["book"], r["sku"], r["unit"], int(Decimal(r["amount"]) * 1_000_000))
                for r in csv.DictReader(file)
            ),
        )
        bare.commit()
    floor = time.perf_counter() - start
    import_file(database, TABLES["items"], items)
    start = time.perf_counter()
    import_file(database, TABLES["prices"], prices)
    first = time.perf_counter() - start
    start = time.perf_counter()
    import_file(database, TABLES["prices"], prices)
    again = time.perf_counter() - start
    print(f"\n{PRICE_ROWS:,} price rows")
    report({"bare SQLite": floor, "imported": first, "imported again": again}, "bare SQLite")


async def drafts_at_once(database: Database) -> None:
    """Draft quotes from as many threads at once, against the same number one after the other."""
    key = StatementKey.of(database)

    def draft(name: str) -> None:
        mark = scope.current_grant.set(GRANT)
        try:
            with database.write() as session:
                drafts.create(session, _inputs(name), Statements(key, NOW), NOW)
        finally:
            scope.current_grant.reset(mark)

    start = time.perf_counter()
    for n in range(DRAFTS):
        draft(f"one_{n}")
    one_by_one = time.perf_counter() - start
    start = time.perf_counter()
    with ThreadPoolExecutor(DRAFTS) as pool:
        list(pool.map(draft, (f"all_{n}" for n in range(DRAFTS))))
    at_once = time.perf_counter() - start
    print(f"\n{DRAFTS} drafts of 20 lines")
    report({"one by one": one_by_one, "at once": at_once}, "one by one")


def _inputs(name: str) -> QuoteInputs:
    parts: dict[str, Any] = {"payment_terms": "NET30", "clause_ids": (), "drafted_on": DAY}
    return QuoteInputs(request=order(20), opportunity_id=f"opp_bench_{name}", **parts)


async def main() -> None:
    """Run all three on a fresh copy of the demo company."""
    with tempfile.TemporaryDirectory() as folder:
        app, _ = open_server(str(Path(folder) / "finance.db"))
        await whole_quotes(app.database)
        await drafts_at_once(app.database)
        await price_rows(app.database, Path(folder))
        app.ledger.audit.flush()
        app.database.close()


if __name__ == "__main__":
    asyncio.run(main())
