"""How the command shows the lines of a quote."""

from typing import Any

import pytest

from dealdesk.cli.quote_view import COLUMNS, line_rows


def row(**fields: Any) -> tuple[object, ...]:
    line = {"line_id": "l1", "sku": "A-1", "quantity": 4, "unit_price": "2.00", "net_minor": 800}
    return line_rows({"currency": "EUR", "lines": [{**line, **fields}]})[0]


def test_a_plain_line_needs_no_words() -> None:
    assert row() == ("l1", "A-1", "4", "2.00", "8.00 EUR", "")
    assert len(row()) == len(COLUMNS)


@pytest.mark.parametrize(
    ("fields", "place", "words"),
    [
        ({"unit": "box"}, 2, "4 boxes"),
        ({"unit": "license", "quantity": 1}, 2, "1 licence"),
        ({"optional": True}, 4, "(8.00 EUR)"),
        ({"optional": True, "part_of": "l7"}, 5, "option; part of l7"),
        ({"alternative_of": "l7"}, 5, "instead of l7"),
        ({"term_months": 36, "start": "2027-02-01"}, 5, "36 months from 2027-02-01"),
        ({"start": "2027-02-01", "end": "2027-05-31"}, 5, "from 2027-02-01 to 2027-05-31"),
        ({"term_months": 1, "segment_of": "l7"}, 5, "1 month; after l7"),
        ({"change": "renew", "subscription_id": "sub_7"}, 5, "renews sub_7"),
        ({"change": "amend", "subscription_id": "sub_7"}, 5, "adds to sub_7"),
        ({"components": [{"sku": "B-2", "quantity": 3}]}, 5, "each with 3 x B-2"),
        ({"options": [{"code": "R", "label": "more\x1b[31m memory"}]}, 5, "with more[31m memory"),
        ({"free": True}, 5, "free of charge"),
    ],
)
def test_what_a_line_is_stands_in_words(fields: dict[str, Any], place: int, words: str) -> None:
    assert row(**fields)[place] == words
