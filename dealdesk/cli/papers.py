"""`dealdesk quote render|verify|email`: a quote's documents, as files."""

from typing import Annotated, Literal

from cyclopts import Parameter

from dealdesk.cli.output import clean, print_json, progress, result

Flag = Parameter(negative="")
Form = Literal["html", "markdown", "json", "ubl", "pdf"]


async def render_quote(
    quote_id: str,
    /,
    *,
    form: Annotated[tuple[Form, ...], Parameter(name="--format", negative="")] = (),
    view: Literal["customer", "internal"] = "customer",
    out: str | None = None,
    home: str | None = None,
) -> None:
    """Write a quote as HTML, Markdown and JSON; as PDF and UBL 2.1 XML when asked for.

    Parameters
    ----------
    quote_id
        The quote: its id or its printed number.
    form
        What to write instead; may be given several times. PDF needs the extra `dealdesk[pdf]`.
    view
        What a customer may see, or everything. UBL exists for the customer only.
    out
        Folder to write to (default: quotes in the data folder).
    home
        The data folder.
    """
    from dealdesk.desk import Desk
    from dealdesk.rendering import CUSTOMERS, FORMATS, ready, write_views
    from dealdesk.settings import load_settings
    from orchestrator.errors import UsageError

    forms: tuple[str, ...] = tuple(dict.fromkeys(form)) or tuple(FORMATS)
    if view == "internal" and set(forms) & set(CUSTOMERS):
        raise UsageError("ubl has no internal view", fix="--view customer, or another --format")
    folder = ready(out)
    async with Desk.open(load_settings(home=home), work=False) as desk:
        quote_id = await desk.quote_id(quote_id)
        target = folder or desk.settings.home / "quotes"
        for path in await write_views(desk.look, quote_id, target, (view,), forms, desk.read):
            result().print(str(path), markup=False)


def verify_quote(file: str, /, *, json: Annotated[bool, Flag] = False) -> int:
    """Work out an exported quote again, from the file alone; exit 1 when a number differs.

    Parameters
    ----------
    file
        A quote.json that was exported, of either view.
    json
        Print JSON.
    """
    from dataclasses import asdict
    from pathlib import Path

    from dealdesk.quote_files import verify_quote as work_out

    quote, found = work_out(Path(file).expanduser())
    name = quote.get("number") or quote["quote_id"]
    if json:
        differences = [asdict(one) for one in found]
        print_json({"quote": name, "holds": not found, "differences": differences})
        return 1 if found else 0
    if not found:
        count = len(quote["lines"])
        result().print(clean(f"{name}: every number holds, {count} lines"), markup=False)
        return 0
    first, *rest = found
    result().print(clean(f"{name}: {first}", 500), markup=False)
    for one in rest[:20]:
        result().print(clean(f"  then {one}", 500), markup=False)
    if len(rest) > 20:
        result().print(f"  and {len(rest) - 20} more")
    return 1


async def email_quote(quote_id: str, /, *, out: str | None = None, home: str | None = None) -> None:
    """Write an issued quote as an e-mail draft with the PDF attached; it is never sent.

    Parameters
    ----------
    quote_id
        The quote: its id or its printed number.
    out
        Folder to write to (default: quotes in the data folder).
    home
        The data folder.
    """
    from dealdesk.desk import Desk
    from dealdesk.mail import write_draft
    from dealdesk.rendering import ready
    from dealdesk.settings import load_settings

    folder = ready(out)
    async with Desk.open(load_settings(home=home), work=False) as desk:
        quote_id = await desk.quote_id(quote_id)
        path, notes = await write_draft(desk, quote_id, folder or desk.settings.home / "quotes")
    result().print(str(path), markup=False)
    for note in notes:
        progress().print(clean(note), markup=False)
