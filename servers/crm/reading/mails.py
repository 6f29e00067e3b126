"""Reading an .eml file with the standard library: headers, the text, the attachments."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage, MIMEPart
from email.utils import getaddresses

from servers.crm.reading.cleaning import clean_line, clean_text, tidy
from servers.crm.reading.html import html_to_text
from servers.crm.reading.replies import split_reply
from servers.toolkit.errors import InvalidInputError

MAX_MAIL = 25 * 1024 * 1024
MAX_PARTS = 100


@dataclass(frozen=True)
class Part:
    """A file that came inside a message."""

    filename: str
    mime: str
    data: bytes


@dataclass(frozen=True)
class Mail:
    """A message as it is stored."""

    message_id: str | None
    in_reply_to: str
    sent_at: datetime | None
    subject: str
    from_name: str
    from_address: str
    reply_to: str
    to: tuple[str, ...]
    cc: tuple[str, ...]
    text: str
    quoted_text: str
    flags: tuple[str, ...]
    sha256: str
    attachments: tuple[Part, ...]


def read_mail(data: bytes) -> Mail:
    """Parse a message. Broken headers and unknown encodings cost a field, never the message.

    Raises:
        InvalidInputError: the message is over the size limit.
    """
    if len(data) > MAX_MAIL:
        raise InvalidInputError("the message is larger than 25 MB", fix="store it without files")
    message = message_from_bytes(data, policy=policy.default)
    names = _people(message, "from")
    sender_name, sender = names[0] if names else ("", "")
    subject = _header(message, "subject", 400)
    body, flags = _body(message)
    split = split_reply(body, subject)
    reply_to = [address for _, address in _people(message, "reply-to")]
    if _failed_authentication(message):
        flags = (*flags, "authentication_failed")
    if len(names) > 1:
        flags = (*flags, "several_senders")
    return Mail(
        message_id=_header(message, "message-id", 250) or None,
        in_reply_to=_header(message, "in-reply-to", 250),
        sent_at=_date(message),
        subject=subject,
        from_name=sender_name,
        from_address=sender,
        reply_to=reply_to[0] if reply_to else "",
        to=tuple(address for _, address in _people(message, "to"))[:50],
        cc=tuple(address for _, address in _people(message, "cc"))[:50],
        text=split.text,
        quoted_text=split.quoted_text,
        flags=(*flags, *split.flags),
        sha256=hashlib.sha256(data).hexdigest(),
        attachments=tuple(_attachments(message)),
    )


def _header(message: EmailMessage, name: str, limit: int) -> str:
    with suppress(ValueError, IndexError, AttributeError, LookupError, TypeError):
        return clean_line(_whole(str(message.get(name, ""))), limit)
    return ""


def _whole(text: str) -> str:
    """Return text whose undecodable bytes (kept as surrogates by the parser) show as U+FFFD."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "")


def _people(message: EmailMessage, name: str) -> list[tuple[str, str]]:
    """Return (display name, address) of an address header."""
    found: list[tuple[str, str]] = []
    with suppress(ValueError, IndexError, AttributeError, LookupError, TypeError):
        header = message.get(name)
        if header is None:
            return []
        listed: tuple[Address, ...] = getattr(header, "addresses", ())
        pairs = [(a.display_name, a.addr_spec) for a in listed] or getaddresses([str(header)])
        for display, address in pairs:
            cleaned = clean_line(_whole(address), 254).lower()
            if "@" in cleaned:
                found.append((clean_line(_whole(display)), cleaned))
    return found


def _date(message: EmailMessage) -> datetime | None:
    with suppress(ValueError, IndexError, AttributeError, LookupError, TypeError, OverflowError):
        value = getattr(message.get("date"), "datetime", None)
        if isinstance(value, datetime):
            aware = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
            return aware.astimezone(UTC)
    return None


def _failed_authentication(message: EmailMessage) -> bool:
    """Say whether the receiving server noted that the sender could not be the real one."""
    noted = " ".join(
        _whole(str(value)).lower() for value in message.get_all("authentication-results", [])
    )
    return "dmarc=fail" in noted or ("spf=fail" in noted and "dkim=pass" not in noted)


def _body(message: EmailMessage) -> tuple[str, tuple[str, ...]]:
    with suppress(ValueError, IndexError, AttributeError, LookupError, TypeError, KeyError):
        plain = message.get_body(preferencelist=("plain",))
        if plain is not None and (text := tidy(_content(plain))):
            return text, ()
        html = message.get_body(preferencelist=("html",))
        if html is not None:
            text, hidden = html_to_text(_content(html))
            return text, ("html", "hidden_text") if hidden else ("html",)
    return "", ("no_text",)


def _content(part: MIMEPart) -> str:
    try:
        content = part.get_content()
        text = content if isinstance(content, str) else _bytes_of(part).decode("utf-8", "replace")
    except (LookupError, ValueError, AttributeError):  # a charset nobody knows
        text = _bytes_of(part).decode("utf-8", "replace")
    return clean_text(_whole(text))


def _bytes_of(part: MIMEPart) -> bytes:
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _attachments(message: EmailMessage) -> Iterator[Part]:
    """Yield the files of a message, nested ones too; bodies and inline pictures are left out."""
    for count, part in enumerate(message.walk()):
        if count > MAX_PARTS:
            return
        name = None
        with suppress(ValueError, IndexError, AttributeError, LookupError, TypeError):
            name = part.get_filename()
        if part.is_multipart() or not name or part.get_content_maintype() == "image":
            continue
        yield Part(safe_filename(_whole(name)), part.get_content_type(), _bytes_of(part))


def safe_filename(name: str) -> str:
    """Return the last part of a file name, cleaned, without what a path or a shell would read."""
    last = clean_line(name).replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(c for c in last if c not in '<>:"|?*').strip(". ")[:200] or "file"
