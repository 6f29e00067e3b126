"""Findings and numbers in words: where a text is cut, and how a number is written."""

from decimal import Decimal

import pytest

from servers.finance.findings import finding, percent, plain, step
from servers.toolkit.findings import Severity


def test_a_message_becomes_a_sentence_and_long_texts_are_cut() -> None:
    made = finding(
        *("CODE", Severity.INFO, "x" * 600),
        subject="s" * 100,
        rule_id="r" * 100,
        evidence=["e" * 400] * 30,
        fix="f" * 400,
    )
    assert made.message == "X" + "x" * 498 + "."
    assert (len(made.subject), len(made.rule_id), len(made.fix)) == (80, 80, 300)
    assert (len(made.evidence), {len(piece) for piece in made.evidence}) == (20, {300})
    for text in ("a word", "A word."):
        assert finding("CODE", Severity.INFO, text).message == "A word."


@pytest.mark.parametrize(
    ("number", "as_percent", "as_amount"),
    [
        *(("12.50", "12.5", "12.50"), ("10.00", "10", "10.00"), ("10", "10", "10")),
        *(("1E+2", "100", "100"), ("0.000", "0", "0.000"), ("1E-7", "0.0000001", "0.0000001")),
    ],
)
def test_a_number_is_written_as_people_do(number: str, as_percent: str, as_amount: str) -> None:
    assert (percent(Decimal(number)), plain(Decimal(number))) == (as_percent, as_amount)


def test_a_step_tells_nothing_from_zero() -> None:
    made = step("l1", "tier", "R", before=Decimal(0), after=None, lost=["x"])
    assert (made.before, made.after, made.lost) == ("0", None, ["x"])
