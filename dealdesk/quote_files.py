"""A quote's files: its documents are written whole or not at all, an export is worked out again.

An e-mail draft of an issued quote is a file for a person's mail program, and never sent from here.
Its words are finance's, and its recipient is the quote's contact, if the CRM has that contact at
the quote's own account; nobody else is ever written to. The same quote gives the same bytes.

Only `verify_quote` reaches into a server, and only for a pure function that the server offers for
this; it needs no server, no database and no grant.
"""

from __future__ import annotations

import hashlib
import importlib
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dealdesk.people import Look
from orchestrator.errors import EnvironmentProblem, UsageError

if TYPE_CHECKING:
    from dealdesk.desk import Desk

FORMATS = {"html": "html", "markdown": "md", "json": "json"}
"""What is written of every view, without being asked for."""
FILES = {**FORMATS, "ubl": "xml", "pdf": "pdf"}
CUSTOMERS = ("ubl",)
"""What exists for the customer only."""
OTHER_FOLDER = "choose another folder with --out"
Read = Callable[[str, str], Awaitable[bytes]]


async def write_views(
    look: Look,
    quote_id: str,
    folder: Path,
    views: Sequence[str],
    formats: Sequence[str] = tuple(FORMATS),
    read: Read | None = None,
) -> list[Path]:
    """Write a quote in some of `FILES`; the internal view is named so. A PDF needs `read`."""
    asked: dict[str, Any] = {"quote_id": quote_id, "view": "customer"}
    name = (await look("finance", "get_quote", asked)).get("number") or quote_id
    written = []
    for view in views:
        inside = "" if view == "customer" else "-internal"
        for form in formats:
            if form in CUSTOMERS and inside:
                continue
            if form == "pdf":
                assert read is not None  # noqa: S101 - whoever asks for a PDF gives it
                content = await read(quote_id, "internal.pdf" if inside else "quote.pdf")
            else:
                asked = {"quote_id": quote_id, "format": form, "view": view, "whole": True}
                content = (await look("finance", "render_quote", asked))["text"].encode()
            written.append(folder / f"{name}{inside}.{FILES[form]}")
            write_file(written[-1], content)
    return written


def output_folder(folder: str | None) -> Path | None:
    """Make the folder that quotes should go to, before there is a quote that cannot be written."""
    if folder is None:
        return None
    path = Path(folder).expanduser().absolute()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise EnvironmentProblem(f"cannot write {path}", fix=OTHER_FOLDER) from problem
    if not os.access(path, os.W_OK):
        raise EnvironmentProblem(f"cannot write {path}", fix=OTHER_FOLDER)
    return path


def write_file(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all."""
    half = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            half.write_bytes(content)
            half.replace(path)
        finally:
            half.unlink(missing_ok=True)
    except OSError as problem:
        raise EnvironmentProblem(f"cannot write {path}", fix=OTHER_FOLDER) from problem


def verify_quote(path: Path) -> tuple[dict[str, Any], list[Any]]:
    """Work out an exported quote again: what it says, and every number that differs, in order."""
    checker = importlib.import_module("servers.finance.verify")
    try:
        with path.open("rb") as file:
            text = file.read(checker.MOST_BYTES + 1)
    except OSError as problem:
        raise UsageError(f"cannot read {path}", fix="name a quote.json") from problem
    if len(text) > checker.MOST_BYTES:
        raise UsageError(f"{path} is too large for a quote", fix="name a quote.json")
    try:
        document = checker.read(text.decode())
    except UnicodeDecodeError as problem:
        raise UsageError(f"{path} is no text", fix="name a quote.json") from problem
    except checker.InvalidInputError as problem:
        raise UsageError(f"{path}: {problem.message}", fix=problem.fix) from problem
    return document.model_dump(mode="json"), checker.verify(document)


def facts_of(quote: Mapping[str, Any]) -> dict[str, Any]:
    keys = (
        *("quote_id", "number", "revision", "account_id", "opportunity_id"),
        *("currency", "lines", "findings", "approvals"),
    )
    return {**{key: quote.get(key) for key in keys}, "total_minor": quote["totals"]["total_minor"]}


async def write_draft(desk: Desk, quote_id: str, folder: Path) -> tuple[Path, list[str]]:
    """Write the draft; return where it is, and what a person should know about it."""
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
