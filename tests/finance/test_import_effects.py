"""What an import of prices would change for past quotes, and that a jump takes two persons."""

import json
from pathlib import Path
from typing import Any

import pytest
from finance_support import drafted, line
from sqlmodel import select

from servers.finance import digests
from servers.finance.load import TABLES
from servers.finance.store.import_watch import ImportWatch
from servers.finance.store.stored_quotes import inputs_of
from servers.finance.tables.house import Setting
from servers.finance.tables.prices import PriceEntry
from servers.finance.tables.quotes import Quote
from servers.toolkit.app import Server
from servers.toolkit.database import Database
from servers.toolkit.errors import ForbiddenError
from servers.toolkit.importing import import_file
from servers.toolkit.migrate import audit_table

SMALL, LARGE = 10, 60
"""Of the switch at 389.00: far below the total that issues by itself, and just below it."""


async def quoted(app: Server, database: Database, quantities: list[int]) -> None:
    """Put issued quotes of as many deals on file, one line each."""
    made = await drafted(app, lines=[line("l1", "SW-P8-120", 12)])
    with database.write() as session:
        first = session.get(Quote, made["quote_id"])
        assert first is not None
        inputs = inputs_of(first)
        for place, quantity in enumerate(quantities):
            lines = (inputs.request.lines[0].model_copy(update={"quantity": quantity}),)
            request = inputs.request.model_copy(update={"lines": lines})
            own = {"quote_id": f"q_{place:012d}", "chain": f"q_{place:012d}", "status": "issued"}
            own |= {"opportunity_id": f"opp_{place}", "number": f"Q-2026-{place:06d}"}
            own |= {"inputs": digests.text(inputs.model_copy(update={"request": request}))}
            session.add(Quote(**first.model_dump() | own | {"issued_at": "2026-11-23T09:00:00Z"}))
        first.status = "withdrawn"


def take(database: Database, folder: Path, table: str, rows: Any, **how: Any) -> ImportWatch:
    path = folder / f"{table}.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    watch = ImportWatch(**how)
    import_file(database, TABLES[table], path, dry_run=watch.dry_run, watch=watch)
    return watch


def switch(amount: str) -> list[dict[str, Any]]:
    return [{"book": "PB-EUR", "sku": "SW-P8-120", "unit": "each", "amount": amount}]


def amount_of(database: Database) -> str:
    mine = select(PriceEntry).where(PriceEntry.book == "PB-EUR", PriceEntry.min_qty == 0)
    with database.session() as session:
        return str(session.exec(mine.where(PriceEntry.sku == "SW-P8-120")).one().amount)


def limits(database: Database, **said: str | None) -> None:
    with database.write() as session:
        row = session.get(Setting, "policies")
        assert row is not None
        row.value = {**row.value, "import_limits": said or None}


async def shown_refused_and_taken_by_two(
    app: Server, database: Database, folder: Path, quantities: list[int]
) -> None:
    """A tenth of the quotes would need an approval: shown before, refused alone, taken by two."""
    await quoted(app, database, quantities)
    asked = sum(one == LARGE for one in quantities)
    shown = take(database, folder, "prices", switch("489.00"), dry_run=True).effects
    assert shown is not None
    assert (shown.repriced, len(shown.quotes)) == (len(quantities) + 1, len(quantities) + 1)
    newly = [one for one in shown.quotes if one.new_approvals]
    assert len(newly) == asked
    assert {one.new_approvals for one in newly} == {("APR-TOTAL-1 (sales_manager)",)}
    assert any("would newly need approval" in one for one in shown.beyond)
    with pytest.raises(ForbiddenError, match="one person alone"):
        take(database, folder, "prices", switch("489.00"))
    assert amount_of(database) == "389.00"
    two = {"importer": "per_lena", "approver": "per_ingrid", "proof": "tok_1, tok_2"}
    take(database, folder, "prices", switch("489.00"), **two)
    assert amount_of(database) == "489.00"
    with database.session() as session:
        rows = session.connection().execute(audit_table.select()).mappings()
        (row,) = [one for one in rows if one["method"] == "import"]
    assert (row["actor"], row["outcome"]) == ("person:per_lena", "allowed")
    assert "approved by per_ingrid" in row["component"]
    assert "tok_1, tok_2" in row["reason"]


async def test_a_price_that_makes_quotes_need_approval_takes_two_persons(
    app: Server, database: Database, tmp_path: Path
) -> None:
    await shown_refused_and_taken_by_two(app, database, tmp_path, [SMALL] * 9 + [LARGE])


@pytest.mark.full
@pytest.mark.timeout(300)
async def test_it_does_for_200_quotes(app: Server, database: Database, tmp_path: Path) -> None:
    await shown_refused_and_taken_by_two(app, database, tmp_path, [SMALL] * 179 + [LARGE] * 20)


async def test_only_another_person_who_may_approve_lets_it_pass(
    app: Server, database: Database, tmp_path: Path
) -> None:
    await quoted(app, database, [LARGE])
    for importer, approver, said in (
        ("per_ingrid", "per_ingrid", "imports it, too"),
        ("per_ingrid", "per_lena", "is not a finance_director"),
        ("per_lena", "per_nobody", "knows no person"),
        ("per_nobody", "per_ingrid", "knows no person"),
    ):
        two = {"importer": importer, "approver": approver}
        with pytest.raises(ForbiddenError, match=said):
            take(database, tmp_path, "prices", switch("489.00"), **two)
    assert amount_of(database) == "389.00"


async def test_a_house_without_quotes_is_told_nothing(database: Database, tmp_path: Path) -> None:
    assert take(database, tmp_path, "prices", switch("3.00")).effects is None
    assert amount_of(database) == "3.00"


async def test_tables_that_move_no_price_are_not_watched(
    app: Server, database: Database, tmp_path: Path
) -> None:
    await quoted(app, database, [SMALL])
    rows = [{"sku": "SW-P8-120", "account_id": "acc_008", "quantity": 900, "day": "2026-11-01"}]
    assert take(database, tmp_path, "purchases", rows).effects is None


@pytest.mark.parametrize(
    ("amount", "passes"), [("505.69", True), ("505.70", True), ("505.71", False)]
)
async def test_a_price_may_move_by_30_percent(
    app: Server, database: Database, tmp_path: Path, amount: str, *, passes: bool
) -> None:
    await quoted(app, database, [SMALL])
    limits(database, price_percent="30")
    watch = take(database, tmp_path, "prices", switch(amount), dry_run=True)
    assert watch.effects is not None
    assert ("prices that would change by more than 30%: 1" not in watch.effects.beyond) == passes


async def test_without_limits_one_person_imports_alone_and_is_told(
    app: Server, database: Database, tmp_path: Path
) -> None:
    await quoted(app, database, [LARGE])
    limits(database)
    watch = take(database, tmp_path, "prices", switch("900.00"))
    assert watch.effects is not None
    assert not watch.effects.beyond
    assert amount_of(database) == "900.00"


async def test_the_same_file_again_changes_nothing(
    app: Server, database: Database, tmp_path: Path
) -> None:
    await quoted(app, database, [SMALL, LARGE])
    effects = take(database, tmp_path, "prices", switch("389.00")).effects
    assert effects is not None
    assert (effects.repriced, effects.quotes, effects.prices) == (3, (), ())


async def test_a_quote_that_earns_too_little_or_cannot_be_made_is_told(
    app: Server, database: Database, tmp_path: Path
) -> None:
    await quoted(app, database, [SMALL])
    effects = take(database, tmp_path, "prices", switch("241.00"), dry_run=True).effects
    assert effects is not None
    assert effects.below_cost == ("PB-EUR SW-P8-120 per each: 241.00, which costs 241.18",)
    first = effects.quotes[0]
    assert first.falls_below_floor
    assert "APR-PRICE (finance_director)" in first.new_approvals
    effects = take(database, tmp_path, "prices", switch("on request"), dry_run=True).effects
    assert effects is not None
    assert all(one.stopped for one in effects.quotes)
    assert effects.beyond


async def test_only_the_last_quotes_are_looked_at(
    app: Server, database: Database, tmp_path: Path
) -> None:
    await quoted(app, database, [SMALL] * 3)
    watch = take(database, tmp_path, "prices", switch("390.00"), last=2, dry_run=True)
    assert watch.effects is not None
    assert watch.effects.repriced == 2
