"""Lines as people type them, and files of lines."""

import json
from pathlib import Path

import pytest

from dealdesk.typed_lines import Typed, read_file, read_line
from orchestrator.errors import UsageError


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("12 x SW-P8-120", Typed("SW-P8-120", 12)),
        ("12x SW-P8-120", Typed("SW-P8-120", 12)),
        ("12 SW-P8-120", Typed("SW-P8-120", 12)),
        ("12 × 8-port PoE switch", Typed("8-port PoE switch", 12)),
        ("3 boxes of patch cable", Typed("patch cable", 3, "box")),
        ("3 x boxes of patch cable", Typed("patch cable", 3, "box")),
        ("3 x box cutter", Typed("box cutter", 3)),
        ("3 Stk. Kabel", Typed("Kabel", 3, "each")),
        ("1.5 h consulting", Typed("consulting", "1.5", "hour")),
        ("2,5 m Kabel", Typed("Kabel", "2.5", "m")),
        ("0.125 kg nails", Typed("nails", "0.125", "kg")),
        ("12.0 x nut", Typed("nut", 12)),
        ("1'200 x nut", Typed("nut", 1200)),
        ("10 licences SUB-MON for 24 months", Typed("SUB-MON", 10, "license", 24)),
        ("10 x SUB-MON for 2 years", Typed("SUB-MON", 10, None, 24)),
        ("2 x switch for 4 cameras", Typed("switch for 4 cameras", 2)),
        ("2 x h", Typed("h", 2)),
    ],
)
def test_a_line_says_how_much_of_what(text: str, typed: Typed) -> None:
    assert read_line(text) == typed


@pytest.mark.parametrize(
    "text", ["", "SW-P8-120", "12", "12 x", "x 12", "1.000 x nut", "1,000 nut"]
)
def test_what_has_no_quantity_or_two_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        read_line(text)


def test_a_file_of_lines_may_be_csv_or_json(tmp_path: Path) -> None:
    lines = [Typed("SW-P8-120", 12), Typed("patch cable", 3, "box"), Typed("SUB-MON", 5, None, 24)]
    csv = tmp_path / "lines.csv"
    csv.write_text(
        "SKU;Product;Quantity;Unit;Term_months;Discount\n"
        "SW-P8-120;;12;;;5\n;patch cable;3;Boxes;;5\nSUB-MON;;5;;24;5\n",
        encoding="utf-8",
    )
    assert read_file(csv) == (lines, "5")
    rows = [{"sku": "SW-P8-120", "quantity": 12}]
    rows += [{"phrase": "patch cable", "quantity": "3", "unit": "box"}]
    rows += [{"sku": "SUB-MON", "quantity": 5, "term_months": 24}]
    (tmp_path / "lines.json").write_text(json.dumps(rows), encoding="utf-8")
    assert read_file(tmp_path / "lines.json") == (lines, None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sku,count\nA,1\n", "has the columns sku, count"),
        ("sku,quantity\nA,\n", "lines.csv, 2: a cell is missing"),
        ("sku,quantity,unit\nA,1,furlong\n", "the unit 'furlong' is not known"),
        ("sku,quantity,discount\nA,1,5\nB,1,6\n", "has different discounts on its lines"),
        ("sku,quantity,term_months\nA,1,soon\n", "'soon' is no number of months"),
    ],
)
def test_a_file_that_is_not_clear_names_the_row(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "lines.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=said):
        read_file(path)
