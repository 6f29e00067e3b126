"""What is printed adds up: 10,000 random quotes, in every currency that has a minor unit.

Each quote comes out of the functions that price quotes (`priced_support`): one to six lines with
unit prices of up to four decimals, terms, tiers, promotions, reductions on request and by hand,
options, tax at two rates, freight, a fee and cash rounding. The words that HTML, Markdown and PDF
all print (`render.sheet`) are read back as numbers and added up by hand. For one quote in each
currency the same is done with the Markdown and the HTML pages.
"""

import random
import re
from collections.abc import Iterator
from decimal import Decimal
from html.parser import HTMLParser
from itertools import islice
from pathlib import Path

import pytest
from iso4217 import Currency
from priced_support import demo_facts, priced_quote

from servers.finance.documents import QuoteDocument, customer_view
from servers.finance.facts.pricing import PricingFacts
from servers.finance.render.pages import render
from servers.finance.render.sheet import sheet
from servers.finance.verify import verify
from servers.toolkit.database import Database

CURRENCIES = sorted(one.code for one in Currency if one.exponent is not None)
QUOTES = 10_000
PARTS = 8


def number(text: str) -> Decimal:
    """Read a printed amount back: `−1,234.50 EUR`."""
    found = re.fullmatch(r"(−?)([\d,]+(?:\.\d+)?)(?: [A-Z]{3})?", text)
    assert found, text
    return Decimal(found[1].replace("−", "-") + found[2].replace(",", ""))


def add_up(lines: list[tuple[str, list[str], str]], totals: list[tuple[str, str]]) -> None:
    """Check lines (gross, reductions, net) and totals (label, amount) as a reader would."""
    for gross, less, net in lines:
        assert number(gross) + sum(map(number, less)) == number(net)
    amounts = [number(amount) for _, amount in totals]
    labels = [label for label, _ in totals]
    net, total = labels.index("Net"), labels.index("Total")
    if net:
        assert amounts[0] == sum(number(row[2]) for row in lines)
        assert sum(amounts[:net]) == amounts[net]
    else:
        assert amounts[net] == sum(number(row[2]) for row in lines)
    assert sum(amounts[net:total]) == amounts[total]
    if labels[-1] == "To pay":
        assert amounts[total] + amounts[total + 1] == amounts[-1]


def currencies(part: int) -> list[str]:
    return [CURRENCIES[(part + n * PARTS) % len(CURRENCIES)] for n in range(QUOTES // PARTS)]


class Demo:
    """The demo's facts, with a name short enough for a failure to print."""

    def __init__(self, facts: PricingFacts) -> None:
        self.facts = facts


@pytest.fixture(scope="module")
def demo(filled: Path) -> Iterator[Demo]:
    database = Database.open(filled, "finance")
    yield Demo(demo_facts(database))
    database.close()


def quotes(part: int, demo: Demo) -> Iterator[QuoteDocument]:
    dice = random.Random(part)  # noqa: S311 - a fixed seed, no secret
    return (priced_quote(demo.facts, dice, currency) for currency in currencies(part))


@pytest.mark.parametrize("part", range(PARTS))
def test_the_printed_parts_of_ten_thousand_quotes_add_up(part: int, demo: Demo) -> None:
    for quote in quotes(part, demo):
        assert quote.totals.total_minor is not None
        assert verify(quote) == []
        page = sheet(customer_view(quote))
        add_up(
            [
                (row["gross"], [one["amount"] for one in row["less"]], row["net"])
                for row in page["rows"]
            ],
            [(one["label"], one["amount"]) for one in page["totals"]],
        )


def test_the_quotes_have_in_them_what_could_go_wrong(demo: Demo) -> None:
    some = list(islice(quotes(0, demo), 200))
    labels = {less.label for quote in some for one in quote.lines for less in one.allowances}
    assert {"Volume discount", "Promotion EDGE5", "Discount"} <= labels
    assert any("ocument" in label for label in labels)
    assert any(len(quote.taxes) > 1 for quote in some)
    assert any(quote.charges for quote in some)
    assert any(quote.totals.rounding_minor for quote in some)
    assert any(quote.recurring for quote in some)
    assert any(quote.freight.net_minor for quote in some)
    assert any(not one.in_total for quote in some for one in quote.lines)
    assert any(len((one.unit_price or "").partition(".")[2]) == 4 for q in some for one in q.lines)


def test_every_currency_is_among_them() -> None:
    seen = {
        CURRENCIES[(p + n * PARTS) % len(CURRENCIES)]
        for p in range(PARTS)
        for n in range(QUOTES // PARTS)
    }
    assert seen == set(CURRENCIES)
    assert len(CURRENCIES) > 150
    assert {"EUR", "JPY", "KWD", "CLF"} <= seen


class Cells(HTMLParser):
    """The text of every cell, by row, with the class of the row."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[tuple[str, list[str]]] = []
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append((dict(attrs).get("class") or "", []))
        self._inside = tag == "td" or (self._inside and tag != "tr")
        if tag == "td":
            self.rows[-1][1].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "td":
            self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside and self.rows:
            self.rows[-1][1][-1] += data


def of_html(text: str) -> tuple[list[tuple[str, list[str], str]], list[tuple[str, str]]]:
    lines: list[tuple[str, list[str], str]] = []
    totals: list[tuple[str, str]] = []
    for kind, cells in Cells(text.partition("<h2>Options")[0]).rows:
        if kind == "more":
            lines.append((cells[-1], [], ""))
        elif kind == "only":
            lines.append((cells[-1], [], cells[-1]))
        elif kind == "less":
            lines[-1][1].append(cells[-1])
        elif kind == "net":
            lines[-1] = (*lines[-1][:2], cells[-1])
        elif kind in ("part", "sum", "tax", "total", "rounding", "payable"):
            label = next(name for name in (cells[0].strip(),))
            totals.append((re.sub(r"^(Net|Total|To pay|Lines)\b.*", r"\1", label), cells[-1]))
    return lines, totals


def of_markdown(text: str) -> tuple[list[tuple[str, list[str], str]], list[tuple[str, str]]]:
    lines: list[tuple[str, list[str], str]] = []
    totals: list[tuple[str, str]] = []
    for row in text.partition("## Options")[0].splitlines():
        cells = [cell.strip().replace("*", "") for cell in row.strip("|").split("|")]
        if len(cells) >= 6 and re.fullmatch(r"\d+", cells[0]):
            lines.append((cells[-1], [], cells[-1]))
        elif len(cells) >= 6 and cells[1].startswith("net of"):
            lines[-1] = (*lines[-1][:2], cells[-1])
        elif len(cells) >= 6 and cells[-1].startswith(("−", "0")):
            lines[-1][1].append(cells[-1])
        elif len(cells) == 2 and re.search(r"\d", cells[1]) and lines:
            totals.append((re.sub(r"^(Net|Total|To pay|Lines)\b.*", r"\1", cells[0]), cells[1]))
    return lines, totals


@pytest.mark.parametrize("read", [of_html, of_markdown])
def test_the_pages_of_every_currency_add_up(read: object, demo: Demo) -> None:
    dice = random.Random(11)  # noqa: S311 - a fixed seed, no secret
    for currency in CURRENCIES:
        quote = customer_view(priced_quote(demo.facts, dice, currency))
        form = "html" if read is of_html else "markdown"
        lines, totals = read(render(quote, form))  # type: ignore[operator]
        assert len(lines) == sum(line.in_total for line in quote.lines)
        assert totals
        add_up(lines, totals)
