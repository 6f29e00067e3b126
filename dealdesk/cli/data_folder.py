"""`dealdesk init|export`: the data folder, and what is in it as files of rows."""

import sys
from pathlib import Path
from typing import Annotated

from dealdesk.cli.company_questions import ask_company, keep_answers
from dealdesk.cli.options import Home, Json, doc
from dealdesk.cli.output import print_json, say
from dealdesk.settings import load_settings


async def init(
    *,
    empty: Annotated[bool, doc("Leave the databases empty, for your own data.")] = False,
    company: Annotated[
        Path | None,
        doc(
            "A YAML, JSON or TOML file with your legal entities and people, as "
            "examples/company/ has them; with --empty our defaults come with it. Without it, "
            "--empty asks at a terminal."
        ),
    ] = None,
    home: Home = None,
) -> None:
    """Make the data folder, with the demo company.

    It holds the keys and the databases; --empty leaves the demo out. What fails leaves nothing.
    """
    from dealdesk.data_files import make_empty, nothing_half_made, put_company
    from dealdesk.desk import Desk

    settings = load_settings(home=home)
    answers = ask_company() if empty and company is None and sys.stdin.isatty() else None
    with nothing_half_made(settings.home):
        if empty:
            make_empty(settings)
            said = f"{settings.home} is ready, without data."
            if company is None and answers is None:
                said += " Name your company next: dealdesk init --empty --company FILE."
        else:
            async with Desk.open(settings, work=False) as desk:
                await desk.check()
                said = desk.created or f"{settings.home} was ready already."
        if answers is not None:
            company = keep_answers(answers, settings.home)
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
