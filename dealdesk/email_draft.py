"""An e-mail draft of an issued quote: a file for a person's mail program, and never sent from here.

The words are finance's (approved cover texts and the offer's facts). The recipient is the quote's
contact, if the CRM has that contact at the quote's own account; nobody else is ever written to.
The same quote gives the same bytes.
"""

from __future__ import annotations

import hashlib
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import TYPE_CHECKING, Any

from dealdesk.quote_files import write_file
from orchestrator.errors import EnvironmentProblem, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dealdesk.desk import Desk

OFFERS = ("issued", "accepted")


async def write_draft(desk: Desk, quote_id: str, folder: Path) -> tuple[Path, list[str]]:
    """Write the draft; return where it is, and what a person should know about it."""
    quote = await desk.quote(quote_id)
    if quote["status"] not in OFFERS:
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
    write_file(path, draft)
    return path, [*notes, *more]


def compose(
    quote: Mapping[str, Any], letter: str, to: Address | None, attachment: tuple[str, str, bytes]
) -> bytes:
    """Return the draft as the bytes of an .eml file, with a file of a name and type attached."""
    seller, (name, mime_type, content) = quote["seller"], attachment
    message = EmailMessage(policy=SMTP)
    message["Subject"] = f"Quote {quote['number']}, {seller['legal_name']}"
    sender = _address(seller["signatory_name"], seller["email"])
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
    cursor = ""
    while True:
        asked = {"account_id": account_id, "limit": 100, "cursor": cursor}
        page = await desk.look("crm", "list_contacts", asked)
        for one in page["items"]:
            if one["contact_id"] == wanted and one["account_id"] == account_id:
                found = _address(one["name"], one["email"])
                return found, [] if found else [f"{wanted} has no e-mail address: To is empty."]
        cursor = page["next_cursor"] or ""
        if not cursor:
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
