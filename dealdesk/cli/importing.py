"""`dealdesk import`: your own items, prices and rules from CSV or JSON files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from dealdesk.cli.output import clean, print_json, result
from orchestrator.errors import UsageError

Flag = Parameter(negative="")


async def import_table(
    server: Literal["finance"],
    table: str,
    file: Path,
    /,
    *,
    map_: Annotated[list[str] | None, Parameter(name="--map", negative="")] = None,
    dry_run: Annotated[bool, Flag] = False,
    home: str | None = None,
    json: Annotated[bool, Flag] = False,
) -> None:
    """Import a CSV or JSON file: every row is checked, and all of them are written or none.

    A row whose key is there already changes it, in the columns that the file has. The tables are
    items, costs, customers, addresses, price_books, prices, tiers, promotions, contracts, options,
    units, bundles, subscriptions, fees, tax_rates, payment_terms, clauses, receivables and
    exchange_rates; servers/finance/README.md says what they hold.

    Parameters
    ----------
    server
        The server whose data it is.
    table
        The table: items, costs, prices, tiers ...
    file
        A .csv or .json file.
    map_
        COLUMN=THEIRS, once for each column that has another name in the file.
    dry_run
        Check everything and write nothing.
    home
        The data folder.
    json
        Print JSON.
    """
    from dealdesk.desk import Desk
    from dealdesk.settings import load_settings

    async with Desk.open(load_settings(home=home), work=False) as desk:
        report = desk.servers.import_file(
            server, table, file, mapping=_mapping(map_ or ()), dry_run=dry_run
        )
    if json:
        print_json(report)
        return
    done = "would be" if dry_run else "were"
    words = (
        f"{file.name}: {report['table']}, {report['rows']:,} rows, all right: "
        f"{report['inserted']:,} {done} added, {report['updated']:,} changed, "
        f"{report['unchanged']:,} left as they are."
    )
    result().print(clean(words), markup=False)


def _mapping(pairs: Sequence[str]) -> dict[str, str]:
    """Return our column -> their name.

    Raises:
        UsageError: a pair has no `=`.
    """
    wrong = next((pair for pair in pairs if "=" not in pair), None)
    if wrong is not None:
        raise UsageError(f"{wrong!r} maps nothing", fix="write --map COLUMN=THEIRS")
    return dict(pair.split("=", 1) for pair in pairs)
