"""`dealdesk init|export`: the data folder, and what is in it as files of rows."""

from pathlib import Path
from typing import Annotated

from dealdesk.cli.options import Home, Json, doc
from dealdesk.cli.output import print_json, say
from dealdesk.settings import load_settings


async def init(
    *,
    empty: Annotated[bool, doc("Leave the databases empty, for your own data.")] = False,
    company: Annotated[
        Path | None,
        doc(
            "A YAML or JSON file with your legal entities and people, as "
            "examples/company/company.yaml has them; with --empty, finance's default policies "
            "and payment terms come with it."
        ),
    ] = None,
    home: Home = None,
) -> None:
    """Make the data folder, with the demo company.

    It holds the keys and the databases; --empty leaves the company out.
    """
    from dealdesk.data_files import make_empty, put_company
    from dealdesk.desk import Desk

    settings = load_settings(home=home)
    if empty:
        make_empty(settings)
        said = f"{settings.home} is ready, without data."
        if company is None:
            said += " Name your company next: dealdesk init --empty --company FILE."
    else:
        async with Desk.open(settings, work=False) as desk:
            await desk.check()
            said = desk.created or f"{settings.home} was ready already."
    changed = [] if company is None else put_company(settings, company)
    for words in (said, *(f"  {one}" for one in changed)):
        say(words)


def export_data(
    folder: Annotated[Path, doc("A new folder.")] = Path("dealdesk-export"),
    /,
    *,
    home: Home = None,
    json: Json = False,
) -> None:
    """Write every table of every server into a folder that `dealdesk import` takes in again.

    The CRM keeps what it read of mails and papers, not the files themselves, and so does the
    folder. Quotes, approvals and numbers, which finance makes itself, are not in it.
    """
    from dealdesk.data_files import export_all

    counts = export_all(load_settings(home=home), folder)
    if json:
        print_json(counts)
        return
    for server, found in counts.items():
        say(f"{folder}/{server}: {len(found)} tables, {sum(found.values()):,} rows")
