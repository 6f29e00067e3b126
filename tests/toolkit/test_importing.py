from pathlib import Path

import pytest

from servers.toolkit.errors import InvalidInputError
from servers.toolkit.importing import read_csv, read_json


def test_rows_come_with_their_line_numbers(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text('sku,name\nA-1,"a\nb"\nB-2,c\n', encoding="utf-8")
    assert [(n, row["sku"]) for n, row in read_csv(path)] == [(3, "A-1"), (4, "B-2")]


@pytest.mark.parametrize("row", ["A-1", "A-1,b,c"])
def test_a_ragged_row_is_named(tmp_path: Path, row: str) -> None:
    path = tmp_path / "items.csv"
    path.write_text(f"sku,name\nX-1,x\n{row}\n", encoding="utf-8")
    with pytest.raises(InvalidInputError, match=r"items.csv, line 3: wrong number of columns"):
        list(read_csv(path))


def test_broken_json_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "rules.json"
    path.write_text('[\n {"a": 1},\n {"b": }\n]', encoding="utf-8")
    with pytest.raises(InvalidInputError, match=r"rules.json, line 3"):
        read_json(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    for read in (read_json, lambda path: list(read_csv(path))):
        with pytest.raises(InvalidInputError, match=r"cannot read gone\.csv"):
            read(tmp_path / "gone.csv")
