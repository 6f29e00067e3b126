"""`dealdesk quote render|verify|email`: a quote's documents, as files."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

from dealdesk import quote_files
from dealdesk.cli.options import Home, Json, Out, QuoteId, View, doc
from dealdesk.cli.output import clean, print_json, progress, say
from dealdesk.cli.session import looking
from orchestrator.errors import UsageError

Form = Literal["html", "markdown", "json", "ubl", "pdf"]
MOST_SHOWN = 20


async def render_quote(
    quote_id: QuoteId,
    /,
    *,
    form: Annotated[
        tuple[Form, ...],
        doc(
            "What to write instead; may be given several times. PDF needs the extra "
            "`dealdesk[pdf]`, and UBL exists for the customer only.",
            name="--format",
        ),
    ] = (),
    view: View = "customer",
    out: Out = None,
    home: Home = None,
) -> None:
    """Write a quote as HTML, Markdown, JSON, PDF or UBL XML.

    PDF and UBL 2.1 are written when asked for.
    """
    forms: tuple[str, ...] = tuple(dict.fromkeys(form)) or tuple(quote_files.FORMATS)
    if view == "internal" and set(forms) & set(quote_files.CUSTOMERS):
        raise UsageError("ubl has no internal view", fix="--view customer, or another --format")
    folder = quote_files.output_folder(out)
    async with looking(home) as desk:
        target = folder or desk.settings.home / "quotes"
        named = await desk.quote_id(quote_id)
        for path in await quote_files.write_views(
            desk.look, named, target, (view,), forms, desk.read
        ):
            say(path)


def verify_quote(
    file: Annotated[Path, doc("A quote.json that was exported, of either view.")],
    /,
    *,
    json: Json = False,
) -> int:
    """Work out an exported quote again, from the file alone.

    Exits with 1 when a number differs.
    """
    quote, found = quote_files.verify_quote(file.expanduser())
    name = quote.get("number") or quote["quote_id"]
    if json:
        differences = [asdict(one) for one in found]
        print_json({"quote": name, "holds": not found, "differences": differences})
    elif not found:
        say(f"{name}: every number holds, {len(quote['lines'])} lines")
    else:
        say(f"{name}: {found[0]}", limit=500)
        for one in found[1 : MOST_SHOWN + 1]:
            say(f"  then {one}", limit=500)
        if (more := len(found) - 1 - MOST_SHOWN) > 0:
            say(f"  and {more} more")
    return 1 if found else 0


async def email_quote(quote_id: QuoteId, /, *, out: Out = None, home: Home = None) -> None:
    """Write an issued quote as an e-mail draft, which is never sent.

    The PDF is attached.
    """
    folder = quote_files.output_folder(out)
    async with looking(home) as desk:
        target = folder or desk.settings.home / "quotes"
        path, notes = await quote_files.write_draft(desk, await desk.quote_id(quote_id), target)
    say(path)
    for note in notes:
        progress().print(clean(note), markup=False)
