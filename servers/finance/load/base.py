"""What every row of finance's files keeps: days in order, currencies that exist."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import inspect

from servers.finance.tables.base import FinanceTable
from servers.toolkit.money import exponent
from servers.toolkit.tables import Table, Values

SPANS = (
    ("valid_from", "valid_to"),
    ("issued", "expires"),
    ("issued", "due"),
    ("first", "last"),
    ("day", "until"),
)
CURRENCIES = ("currency", "cost_currency", "credit_currency")


def table(
    name: str,
    model: type[FinanceTable],
    about: str,
    columns: Mapping[str, Any] | None = None,
    *,
    key: tuple[str, ...] = (),
    problems: Callable[[Any], Iterable[str]] | None = None,
    **more: Any,
) -> Table:
    """Return how files fill a table of finance, with the checks that all of them share.

    `key` is which row it is, where that is not its primary key.
    """
    names = model.model_fields
    spans = [span for span in SPANS if names.keys() >= set(span)]
    currencies = [name for name in CURRENCIES if name in names]

    def found(row: Any) -> Iterator[str]:
        for begin, end in spans:
            first, last = getattr(row, begin), getattr(row, end)
            if first is not None and last is not None and last < first:
                yield f"{end} is before {begin}"
        for currency in currencies:
            if code := getattr(row, currency):
                exponent(code)
        if problems is not None:
            yield from problems(row)

    key = key or tuple(one.name for one in inspect(model).primary_key)
    return Table(name, model, about, key, columns or {}, problems=found, **more)


def exclusive(upper: str) -> Callable[[Values], Values]:
    """Return what takes `UPPER_inclusive`, the last number in a band, as the exclusive end."""

    def read(row: Values) -> Values:
        name = f"{upper}_inclusive"
        if row.get(name) in (None, ""):
            return row
        if row.get(upper) not in (None, ""):
            raise ValueError(f"give {upper} or {name}, not both")
        last = str(row[name])
        if not last.isdigit():
            raise ValueError(f"{name} is no whole number: give {upper}, which is excluded")
        rest = {key: value for key, value in row.items() if key != name}
        return {**rest, upper: int(last) + 1}

    return read
