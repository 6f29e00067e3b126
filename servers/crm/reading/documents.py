"""Reading the text of a document: PDF, Word, plain text. A broken file is a finding, never a crash.

Pure: bytes in, text and findings out. Limits come first, because a file from outside may be made
to exhaust whoever opens it.
"""

import hashlib
import io
import logging
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field

from servers.crm.reading.cleaning import tidy

MAX_BYTES = 10 * 1024 * 1024
MAX_PAGES = 200
MAX_CHARACTERS = 300_000
MAX_ZIP_RATIO = 100
MAX_UNZIPPED = 64 * 1024 * 1024
PLAIN = frozenset(("txt", "md", "csv", "log"))
Found = tuple[str, str, int, tuple[str, ...]]
"""A text, how it was read, its pages and the codes of what stood in the way."""


@dataclass(frozen=True)
class Extracted:
    """The text of a file, how it was read, and the codes of what stood in the way."""

    text: str = ""
    method: str = "none"
    pages: int = 0
    problems: tuple[str, ...] = ()
    size: int = 0
    sha256: str = ""


@dataclass
class _Text:
    parts: list[str] = field(default_factory=list)
    size: int = 0

    def add(self, text: str) -> bool:
        """Add a piece; False when the limit is reached."""
        self.parts.append(text)
        self.size += len(text)
        return self.size < MAX_CHARACTERS


class _UnreadableError(Exception):
    """A file that cannot be read; the code of the reason is its text."""


def extract(data: bytes, filename: str) -> Extracted:
    """Return the text of a document; the file name's ending says how to read it."""
    size, digest = len(data), hashlib.sha256(data).hexdigest()
    ending = filename.rpartition(".")[2].lower()
    try:
        if size > MAX_BYTES:
            raise _UnreadableError("DOCUMENT_TOO_LARGE")
        text, method, pages, problems = _read(data, ending)
    except _UnreadableError as problem:
        return Extracted(problems=(str(problem),), size=size, sha256=digest)
    text = tidy(text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8"))
    if len(text) > MAX_CHARACTERS:
        text, problems = text[:MAX_CHARACTERS], (*problems, "DOCUMENT_CUT")
    if not text:
        problems = (*problems, "DOCUMENT_HAS_NO_TEXT")
    return Extracted(text, method, pages, tuple(dict.fromkeys(problems)), size, digest)


def _read(data: bytes, ending: str) -> Found:
    if ending == "pdf":
        return _guarded(_read_pdf, data)
    if ending == "docx":
        _check_zip(data)
        return _guarded(_read_docx, data)
    if ending in PLAIN:
        return _read_plain(data), "text", 1, ()
    raise _UnreadableError("DOCUMENT_FORMAT_UNKNOWN")


def _guarded(read: Callable[[bytes], Found], data: bytes) -> Found:
    try:
        return read(data)
    except _UnreadableError:
        raise
    except Exception as problem:  # a made-up file can break a parser in any way
        raise _UnreadableError("DOCUMENT_BROKEN") from problem


def _read_pdf(data: bytes) -> Found:
    from pypdf import PdfReader

    if not data.lstrip()[:5].startswith(b"%PDF-"):
        raise _UnreadableError("DOCUMENT_BROKEN")
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    reader = PdfReader(io.BytesIO(data))
    if reader.is_encrypted and not reader.decrypt(""):
        raise _UnreadableError("DOCUMENT_ENCRYPTED")
    pages = len(reader.pages)
    text = _Text()
    for number in range(min(pages, MAX_PAGES)):
        if not text.add(reader.pages[number].extract_text() or ""):
            break
    problems = ("DOCUMENT_CUT",) if pages > MAX_PAGES else ()
    return "\n\n".join(text.parts), "pdf", pages, problems


def _check_zip(data: bytes) -> None:
    """Refuse an archive that is broken, encrypted or blows up when it is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError) as problem:
        raise _UnreadableError("DOCUMENT_BROKEN") from problem
    unpacked = sum(entry.file_size for entry in entries)
    packed = max(1, sum(entry.compress_size for entry in entries))
    if len(entries) > 2000 or unpacked > MAX_UNZIPPED or unpacked // packed > MAX_ZIP_RATIO:
        raise _UnreadableError("DOCUMENT_TOO_LARGE")
    if any(entry.flag_bits & 1 for entry in entries):
        raise _UnreadableError("DOCUMENT_ENCRYPTED")


def _read_docx(data: bytes) -> Found:
    from docx import Document
    from docx.table import Table

    text = _Text()
    for block in Document(io.BytesIO(data)).iter_inner_content():
        if isinstance(block, Table):
            rows = [" | ".join(cell.text.strip() for cell in row.cells) for row in block.rows]
            more = text.add("\n".join(rows))
        else:
            more = text.add(block.text)
        if not more:
            break
    return "\n".join(text.parts), "docx", 1, ()


def _read_plain(data: bytes) -> str:
    if b"\x00" in data:
        raise _UnreadableError("DOCUMENT_BROKEN")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")
