"""`dealdesk quote render|verify|email`: a quote's documents, as files.

The words of an e-mail draft are finance's. It goes to the quote's contact, if the CRM has that
contact at the quote's own account, and to nobody else. The same quote gives the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from dealdesk import quote_files
from dealdesk.cli.options import Home, Json, Out, QuoteId, View, doc
from dealdesk.cli.output import clean, print_json, progress, say
from dealdesk.cli.session import looking
from dealdesk.settings import load_settings
from orchestrator.errors import EnvironmentProblem, UsageError

if TYPE_CHECKING:
    from dealdesk.desk import Desk

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
    key: Annotated[
        Path | None,
        doc(
            "The desk's public key, or what `dealdesk keys show --json` printed, from the desk "
            "itself and not from the file's sender (default: the keys of the data folder)."
        ),
    ] = None,
    home: Home = None,
    json: Json = False,
) -> int:
    """Check an exported quote for changes, sums and signature.

    Exits with 1 when a value differs or the signature is not the desk's.
    """
    folder = load_settings(home=home).home
    given = None if key is None else key.expanduser()
    report = quote_files.verify_quote(file.expanduser(), given, folder)
    found, signed, name = report.differences, report.signature, report.quote
    if json:
        said = {**asdict(report), "holds": report.holds, "signature": signed.model_dump()}
        print_json(said)
        return 0 if report.holds else 1
    if not found:
        say(f"{name}: every value holds, {report.lines} lines")
    else:
        say(f"{name}: {found[0]}", limit=500)
        for one in found[1 : MOST_SHOWN + 1]:
            say(f"  then {one}", limit=500)
        if (more := len(found) - 1 - MOST_SHOWN) > 0:
            say(f"  and {more} more")
    say(f"  signature: {signed.say}", limit=500)
    if report.not_worked_out:
        rest = ", ".join(report.not_worked_out)
        say(f"  not worked out from the rest, held by the digest: {rest}", limit=3000)
    if signed.state != "good":
        say("  a digest shows a mistake; who means to deceive makes it again. A signature shows")
        say("  who made the file, by a key that came from the desk itself.")
    return 0 if report.holds else 1


async def email_quote(quote_id: QuoteId, /, *, out: Out = None, home: Home = None) -> None:
    """Write an issued quote as an e-mail draft, which is never sent.

    The PDF is attached.
    """
    folder = quote_files.output_folder(out)
    async with looking(home) as desk:
        target = folder or desk.settings.home / "quotes"
        path, notes = await write_draft(desk, await desk.quote_id(quote_id), target)
    say(path)
    for note in notes:
        progress().print(clean(note), markup=False)


async def write_draft(desk: Desk, quote_id: str, folder: Path) -> tuple[Path, list[str]]:
    quote = await desk.quote(quote_id)
    if quote["status"] not in ("issued", "accepted"):
        raise UsageError(
            f"{quote.get('number') or quote_id} is {quote['status']}: not an offer to send",
            fix=f"`dealdesk quote show {quote_id}` says what it waits for",
        )
    asked = {"quote_id": quote_id, "format": "letter", "whole": True}
    letter = (await desk.look("finance", "render_quote", asked))["text"]
    to, notes = await _recipient(desk, quote)
    attachment, more = await _attachment(desk, quote_id, str(quote["number"]))
    draft = compose(quote, letter, to, attachment)
    path = folder / f"{quote['number']}.eml"
    quote_files.write_file(path, draft)
    return path, [*notes, *more]


def compose(
    quote: Mapping[str, Any], letter: str, to: Address | None, attachment: tuple[str, str, bytes]
) -> bytes:
    """Return the draft as the bytes of an .eml file, with a file of a name and type attached."""
    seller, (name, mime_type, content) = quote["seller"], attachment
    message = EmailMessage(policy=SMTP)
    message["Subject"] = f"Quote {quote['number']}, {seller['legal_name']}"
    sender = _address(seller["signatory_name"] or seller["legal_name"], seller["email"])
    if sender is not None:
        message["From"] = sender
    if to is not None:
        message["To"] = to
    message["X-Unsent"] = "1"  # mail programs open it to be edited and sent by a person
    message.set_content(letter)
    main, _, sub = mime_type.partition("/")
    message.add_attachment(content, maintype=main, subtype=sub, filename=name)
    seal = hashlib.sha256(letter.encode() + content).hexdigest()
    message.set_boundary(f"dealdesk-{seal[:32]}")
    return message.as_bytes()


async def _recipient(desk: Desk, quote: Mapping[str, Any]) -> tuple[Address | None, list[str]]:
    wanted, account_id = quote.get("contact_id"), quote["account_id"]
    if not wanted:
        return None, ["The quote names no contact: To is empty."]
    asked = {"account_id": account_id, "limit": 100}
    for one in (await desk.whole("crm", "list_contacts", asked))["items"]:
        if one["contact_id"] == wanted and one["account_id"] == account_id:
            found = _address(one["name"], one["email"])
            return found, [] if found else [f"{wanted} has no e-mail address: To is empty."]
    return None, [f"The CRM has no contact {wanted} at {account_id}: To is empty."]


def _address(name: str, address: str) -> Address | None:
    """Return an address that can stand in a header, or nothing."""
    shown = "".join(c if c.isprintable() else " " for c in name).strip()
    try:
        return Address(display_name=shown, addr_spec=address) if address else None
    except (ValueError, IndexError, HeaderParseError):
        return None


async def _attachment(
    desk: Desk, quote_id: str, name: str
) -> tuple[tuple[str, str, bytes], list[str]]:
    try:
        content = await desk.read(quote_id, "quote.pdf")
    except EnvironmentProblem as problem:
        asked = {"quote_id": quote_id, "format": "html", "whole": True}
        page = (await desk.look("finance", "render_quote", asked))["text"]
        note = f"{problem.message.rstrip('.')}: the HTML page is attached instead. {problem.fix}"
        return (f"{name}.html", "text/html", page.encode()), [note]
    return (f"{name}.pdf", "application/pdf", content), []
