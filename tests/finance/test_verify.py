"""An exported quote is worked out again from the file alone; the first wrong number is named."""

import json
import random
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from finance_support import drafted, everyone, line
from paper_support import adding_up, document, rich
from paper_support import line as paper_line

from servers.finance.documents import QuoteDocument, QuoteSnapshot, customer_view
from servers.finance.facts.blocks import Allowance, TraceStep
from servers.finance.render.pages import render
from servers.finance.verify import Difference, read, verify
from servers.toolkit.app import Server
from servers.toolkit.errors import InvalidInputError

Change = Callable[[dict[str, Any]], None]


def put(path: str, value: object) -> Change:
    """Set one number of a document: `lines.0.net_minor`."""

    def change(data: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        place: Any = data
        for name in parents:
            place = place[int(name) if name.isdigit() else name]
        place[last] = value

    return change


def checked(quote: QuoteDocument, view: str, *changes: Change) -> list[Difference]:
    shown = customer_view(quote) if view == "customer" else quote
    data = json.loads(render(shown, "json"))
    for change in changes:
        change(data)
    return verify(read(json.dumps(data)))


@pytest.mark.parametrize("view", ["customer", "internal"])
@pytest.mark.parametrize("quote", [document(trace=[]), rich()], ids=["plain", "rich"])
def test_an_untouched_export_holds(quote: QuoteDocument, view: str) -> None:
    assert checked(quote, view) == []


@pytest.mark.parametrize("view", ["customer", "internal"])
@pytest.mark.parametrize(
    ("path", "value", "first", "why"),
    [
        ("lines.0.quantity", 13, "lines[0] (l1, SW-P8-120).gross_minor", "13 x 389.00"),
        ("lines.0.unit_price", "389.01", "lines[0] (l1, SW-P8-120).gross_minor", "12 x 389.01"),
        ("lines.1.gross_minor", 466801, "lines[1] (l2, SRV-D1-16).gross_minor", "12 x 389.00"),
        ("lines.3.net_minor", 456801, "lines[3] (l4, SUB-DM).net_minor", "gross less"),
        ("lines.7.net_minor", 1, "lines[7] (l8, SW-P8-120).net_minor", "gross less"),
        ("freight.net_minor", 2151, "freight.net_minor", "gross less"),
        ("charges.0.net_minor", 1501, "taxes[0] (S 19%).taxable_minor", "taxed so"),
        ("taxes.0.tax_minor", 349128, "taxes[0] (S 19%).tax_minor", "19% of 18375.10 EUR"),
        ("taxes.1.rate", "7.5", "taxes[1] (S 7.5%).tax_minor", "7.5% of 4668.00 EUR"),
        ("taxes.1.taxable_minor", 1, "taxes[1] (S 7%).taxable_minor", "taxed so"),
        ("totals.lines_minor", 1, "totals.lines_minor", "the sum of the lines"),
        ("totals.freight_minor", 1, "totals.freight_minor", "the freight"),
        ("totals.charges_minor", 1, "totals.charges_minor", "the sum of the charges"),
        ("totals.net_minor", 1, "totals.net_minor", "lines + freight + charges"),
        ("totals.tax_minor", 1, "totals.tax_minor", "the sum of the taxes"),
        ("totals.total_minor", 1, "totals.total_minor", "net + tax"),
        ("totals.rounding_minor", 3, "totals.payable_minor", "total + rounding"),
        ("totals.payable_minor", 1, "totals.payable_minor", "total + rounding"),
        ("recurring.monthly_minor", 1, "recurring.monthly_minor", "a twelfth of the year"),
        ("recurring.contract_minor", 1, "recurring.one_time_minor", "less the subscriptions"),
        ("presentation.total_minor", 1, "presentation.total_minor", "the total at 1.0876"),
    ],
)
def test_the_first_wrong_number_is_named(
    view: str, path: str, value: object, first: str, why: str
) -> None:
    found = checked(rich(), view, put(path, value))[0]
    assert found.where == first
    assert why in found.why
    assert str(found).startswith(f"{first} says ")


def test_a_trace_that_does_not_follow_is_named() -> None:
    steps = [
        TraceStep(line_id="l1", step="list", rule_id="LIST", after="389.00"),
        TraceStep(line_id="l1", step="gross", rule_id="QUANTITY", after="4668.00"),
        TraceStep(line_id="l1", step="tier", rule_id="T", before="4668.00", after="4434.60"),
        TraceStep(line_id="l1", step="tax", rule_id="TAX"),
    ]
    assert checked(document(trace=steps), "internal") == []
    gap = checked(document(trace=steps), "internal", put("trace.2.before", "4667.00"))
    assert [one.where for one in gap] == ["trace[2] (l1, tier).before"]
    end = checked(document(trace=steps), "internal", put("trace.2.after", "4434.61"))
    assert [one.where for one in end] == ["lines[0] (l1, SW-P8-120).net_minor"]
    assert end[0].why == "the last step of its trace"


def test_random_quotes_hold_and_none_holds_with_a_number_moved() -> None:
    dice = random.Random(7)  # noqa: S311 - a fixed seed, no secret
    for _ in range(200):
        quote = adding_up(dice, dice.choice(("EUR", "JPY", "KWD", "CLF")))
        assert checked(quote, "customer") == []
        total = quote.totals.total_minor or 0
        assert checked(quote, "customer", put("totals.total_minor", total + 1))


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", "[]", "7", "{}", '{"view": "internal"}', "[" * 5000, '{"view": "customer"}'],
)
def test_what_is_no_quote_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="no exported quote"):
        read(text)


def test_a_part_or_a_strange_field_or_currency_is_refused() -> None:
    data = json.loads(render(customer_view(rich()), "json"))
    for change in ({"next_line": 3}, {"price_override": 1}, {"currency": "XAU"}):
        with pytest.raises(InvalidInputError):
            read(json.dumps({**data, **change}))


async def test_what_finance_stores_holds_with_its_digest(app: Server) -> None:
    made = await drafted(
        app, None, "", lines=[line("l1", "SW-P8-120", 12), line("l2", "SUB-DM-STD", 3)]
    )
    stored = await _document(app, made["quote_id"])
    assert stored.validity_days is not None
    assert checked(stored, "internal") == []
    assert checked(stored, "customer") == []
    lied = checked(stored, "internal", put("delivery_terms", "EXW Hamburg"))
    assert [one.where for one in lied] == ["digest"]


async def _document(app: Server, quote_id: str) -> QuoteDocument:
    from finance_support import call

    found = await call(
        app, everyone(), "render_quote",
        {"quote_id": quote_id, "format": "json", "view": "internal", "whole": True},
    )  # fmt: skip
    read_again = read(found["text"])
    assert isinstance(read_again, QuoteDocument)
    return read_again


def test_the_document_says_everything_that_the_digest_covers() -> None:
    missing = set(QuoteSnapshot.model_fields) - set(QuoteDocument.model_fields)
    assert not missing, "give QuoteDocument the same field, or `quote verify` cannot check it"


def test_verifying_loads_no_database() -> None:
    code = (
        "import sys, servers.finance.verify\n"
        "print(sorted({'sqlalchemy', 'sqlmodel', 'fastmcp', 'sqlite3'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("off", "said"), [(-1, "says -0.01 EUR, but a reduction is 0.01 EUR"), (0, ""), (1, "")]
)
def test_a_reduction_takes_something_off(off: int, said: str) -> None:
    taken = Allowance(label="Less", amount_minor=off)
    row = paper_line(1, allowances=[taken], net_minor=466800 - off)
    found = [str(one) for one in verify(document(lines=[row], trace=[]))]
    assert [one for one in found if "allowances[0]" in one] == (
        [f"lines[0] (l1, SW-P8-120).allowances[0].amount_minor {said}"] if said else []
    )
