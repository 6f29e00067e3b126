from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servers.catalog.availability import promise
from servers.catalog.rulebook import Stock
from servers.catalog.selection import join
from servers.catalog.store.rules import find_rules, find_stock
from servers.toolkit.findings import Severity

TODAY = date(2026, 11, 23)


@pytest.fixture
def ask(session: Any, catalog: Any, lines: Any) -> Any:
    rules = find_rules(session, "lead_time")

    def run(*parts: Any, needed_by: date | None = None, stock: Any = None) -> Any:
        items, _ = join(lines(*parts), catalog)
        rows = find_stock(session, [i.product.sku for i in items]) if stock is None else stock
        return promise(items, rows, TODAY, needed_by, rules)

    return run


def row(**changes: Any) -> dict[str, Stock]:
    fields = {"sku": "SEN-T4", "on_hand": 10, "lead_time_days": 14, "as_of": TODAY}
    return {"SEN-T4": Stock.model_validate({**fields, **changes})}


def test_what_is_on_the_shelf_leaves_tomorrow(ask: Any) -> None:
    result = ask(("SW-P8-120", 12))
    (line,) = result.lines
    assert (line.available, line.promise_date) == (12, date(2026, 11, 24))
    assert line.as_of is not None
    assert result.findings == []


def test_lines_of_one_sku_share_its_shelf(ask: Any) -> None:
    result = ask(("SEN-T4", 6), ("SEN-T4", 6), stock=row())
    assert [line.available for line in result.lines] == [6, 4]
    assert [line.promise_date for line in result.lines] == [
        date(2026, 11, 24),
        date(2026, 12, 7),
    ]
    assert [(f.code, f.severity, f.subject) for f in result.findings] == [
        ("BACKORDER", Severity.INFO, "l2")
    ]


@pytest.mark.parametrize(
    ("asked", "free", "late"), [("9.999", "9.999", 0), ("10", "10", 0), ("10.001", "10", 1)]
)
def test_a_part_of_a_unit_is_compared_exactly(ask: Any, asked: str, free: str, late: int) -> None:
    result = ask({"sku": "SEN-T4", "quantity": asked, "unit": "kg"}, stock=row())
    assert (str(result.lines[0].available), len(result.findings)) == (free, late)


def test_what_is_reserved_is_not_there(ask: Any) -> None:
    assert ask(("SEN-T4", 6), stock=row(reserved=8)).lines[0].available == 2


def test_goods_on_their_way_are_counted_when_they_come_first(ask: Any) -> None:
    coming = row(inbound_date=date(2026, 11, 30), inbound_quantity=50)
    assert ask(("SEN-T4", 40), stock=coming).lines[0].promise_date == date(2026, 12, 1)
    too_few = row(inbound_date=date(2026, 11, 30), inbound_quantity=5)
    assert ask(("SEN-T4", 40), stock=too_few).lines[0].promise_date == date(2026, 12, 7)


def test_an_overdue_delivery_is_not_counted(ask: Any) -> None:
    overdue = row(inbound_date=date(2026, 11, 20), inbound_quantity=50)
    assert ask(("SEN-T4", 40), stock=overdue).lines[0].promise_date == date(2026, 12, 7)


def test_late_is_a_warning_with_the_dates(ask: Any) -> None:
    (found,) = ask(("SEN-T4", 40), stock=row(), needed_by=date(2026, 12, 1)).findings
    assert (found.code, found.severity) == ("LEAD_TIME", Severity.WARNING)
    assert "2026-12-07" in found.message
    assert found.fix == "ship 10 now and the rest on 2026-12-07"


def test_nobody_knows_is_for_a_person(ask: Any) -> None:
    result = ask(("SEN-T4", 1), stock={})
    assert result.lines[0].promise_date is None
    assert [(f.code, f.severity) for f in result.findings] == [
        ("STOCK_UNKNOWN", Severity.NEEDS_HUMAN)
    ]


def test_subscriptions_start_at_once_and_people_need_a_date(ask: Any) -> None:
    result = ask(("SUB-DM-PRO", 9), ("SVC-INST-D", 2))
    assert [line.promise_date for line in result.lines] == [TODAY, TODAY + timedelta(days=14)]
    assert result.findings == []


@given(st.integers(0, 50), st.integers(0, 50), st.integers(1, 60), st.integers(1, 60))
def test_more_on_the_shelf_is_never_later(a: int, b: int, first: int, second: int) -> None:
    from servers.catalog.schemas import LineIn, Product
    from servers.catalog.selection import Item

    sensor = Product(
        sku="SEN-T4", name="x", family="sensors", kind="goods", base_uom="each", lifecycle="active"
    )
    items = [
        Item(LineIn(line_id=f"l{n}", sku="SEN-T4", quantity=q), sensor)
        for n, q in enumerate((first, second), start=1)
    ]
    few, many = sorted((a, b))
    less = promise(items, row(on_hand=few), TODAY, None, [])
    more = promise(items, row(on_hand=many), TODAY, None, [])
    for one, other in zip(less.lines, more.lines, strict=True):
        assert one.promise_date is not None
        assert other.promise_date is not None
        assert other.promise_date <= one.promise_date
    assert sum(line.available for line in more.lines) == min(many, first + second)
