"""A quote as PDF, set by typst: PDF/A-3a and PDF/UA-1, quote.json and quote.xml attached.

The template is ours and fixed; everything that is said reaches it as data (`sys.inputs`), so no
name can be read as markup, open a file or set a price. The same quote gives the same bytes on the
same machine: the document's date is the quote's, and nothing is random. Fonts are those that the
typst wheel carries; for other scripts, those of the system. A character that no font has is shown
as a box, with a warning; the attached quote.json has it as it is.
"""

import json
import logging
import re
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from functools import cache
from importlib.resources import files
from typing import Any, Literal
from urllib.parse import unquote_to_bytes

from servers.finance.documents import QuoteDocument
from servers.finance.render.pages import json_text
from servers.finance.render.sheet import Document, sheet
from servers.finance.render.ubl import ubl_quotation
from servers.finance.seals import Sign
from servers.toolkit.errors import StorageError
from servers.toolkit.shipped import shipped

Paper = Literal["a4", "us-letter"]
LETTER = frozenset({"US", "CA", "MX", "PH", "CL", "CO", "VE", "GT", "PR", "DO", "CR", "PA"})
"""Countries that print on Letter."""
STANDARDS = ("a-3a", "ua-1")
TEXT = "Libertinus Serif"  # in the wheel: Latin, Greek, Cyrillic, Hebrew
OTHERS: list[str] = shipped(__package__, "fonts")["others"]
"""Looked at in this order for what the text font has not; those of a script that are installed."""
HAN = {"JP": "JP", "KR": "KR", "TW": "TC", "HK": "HK", "MO": "HK"}
"""Whose shapes of the Han characters a country reads; all others read the simplified ones."""
BOX = "□"
_MISSING = re.compile(r'the text `?"((?:[^"\\]|\\.)*)"`? could not be displayed')
_ESCAPED = re.compile(r"\\u\{([0-9a-fA-F]+)\}")
_ROUNDS = 4
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pdf:
    """The file, what a person has to know about it, and the standards that it keeps."""

    data: bytes
    warnings: tuple[str, ...]
    standards: tuple[str, ...]


def pdf(
    document: Document,
    *,
    paper: Paper | None = None,
    system_fonts: bool = True,
    sign: Sign | None = None,
) -> Pdf:
    """Return a quote as PDF, on what the customer's country prints on unless `paper` says.

    `system_fonts` False takes the fonts of the wheel alone. Without the extra `pdf` it raises
    StorageError.
    """
    typst = _typst()
    day = document.issued_on or document.order_date
    given = {
        "sheet": sheet(document),
        "paper": paper or ("us-letter" if document.customer.country in LETTER else "a4"),
        "fonts": _fonts(document.customer.country, system_fonts),
        "date": day.isoformat(),
        "attached": _attached(document, sign),
        "box": "",
        "logo": _logo(document.seller.logo),
    }
    moment = datetime.combine(day, time(), tzinfo=UTC)
    missing: list[str] = []
    extra: tuple[str, ...] = ()
    for _ in range(_ROUNDS):
        try:
            made = _set(given, moment, system_fonts, STANDARDS)
            return Pdf(made, (*_warned(missing), *extra), STANDARDS)
        except typst.TypstError as problem:
            found = _undisplayable(problem)
            _log.warning("typst could not set a document as it is")
            missing += found
            if found:
                given = {**given, "sheet": _boxed(given["sheet"], missing), "box": BOX}
            elif given["logo"] is not None:
                given, extra = {**given, "logo": None}, ("the logo cannot be shown",)
            else:
                break
    said = "the PDF keeps no archival standard here; its text and numbers are whole"
    return Pdf(_set(given, moment, system_fonts, ()), (*_warned(missing), *extra, said), ())


def _typst() -> Any:
    try:
        import typst
    except ImportError as problem:
        raise StorageError(
            "PDF needs typst, which is not installed",
            fix="pip install 'dealdesk[pdf]', or take the HTML, which prints well",
        ) from problem
    return typst


@cache
def _known(system_fonts: bool) -> Any:
    """Return the fonts there are; looking for them takes longer than setting a page."""
    return _typst().Fonts(include_system_fonts=system_fonts)


def _fonts(country: str, system_fonts: bool) -> list[str]:
    there = set(_known(system_fonts).families())
    han = f"CJK {HAN.get(country, 'SC')}"
    wanted = (TEXT, *OTHERS, f"Noto Serif {han}", f"Noto Sans {han}")
    return [name for name in wanted if name in there]


def _logo(uri: str) -> dict[str, Any] | None:
    head, _, text = uri.partition(",")
    kind = head.removeprefix("data:").partition(";")[0]
    formats = {"image/svg+xml": "svg", "image/png": "png"}
    if kind not in formats:
        return None
    try:
        content = b64decode(text, validate=True) if "base64" in head else unquote_to_bytes(text)
    except ValueError:
        return None
    return {"format": formats[kind], "content": list(content)}


def _attached(document: Document, sign: Sign | None) -> list[dict[str, str]]:
    if isinstance(document, QuoteDocument):
        return []
    found = [("quote.json", "application/json", "The quote as data", json_text(document, sign))]
    if document.totals.total_minor is not None:
        xml = ubl_quotation(document)
        found.append(("quote.xml", "application/xml", "The quote as UBL 2.1 Quotation", xml))
    return [dict(zip(("name", "mime", "about", "text"), one, strict=True)) for one in found]


def _set(
    given: dict[str, Any], moment: datetime, system_fonts: bool, standards: Sequence[str]
) -> bytes:
    compiler = _typst().Compiler(
        _template(),
        font_paths=_known(system_fonts),
        sys_inputs={"given": json.dumps(given, ensure_ascii=False)},
    )
    made: bytes = compiler.compile(format="pdf", pdf_standards=list(standards), timestamp=moment)
    return made


@cache
def _template() -> bytes:
    return (files("servers.finance.render") / "templates" / "quote.typ").read_bytes()


def _undisplayable(problem: Any) -> list[str]:
    said = f"{problem.message}\n{problem.diagnostic}"
    found = (_ESCAPED.sub(lambda m: chr(int(m[1], 16)), text) for text in _MISSING.findall(said))
    return list(dict.fromkeys(found))


def _boxed(value: Any, missing: Sequence[str]) -> Any:
    if isinstance(value, str):
        gone = {ord(c): BOX for text in missing for c in text if not c.isspace()}
        return value.translate(gone)
    if isinstance(value, dict):
        return {key: _boxed(part, missing) for key, part in value.items()}
    return [_boxed(part, missing) for part in value] if isinstance(value, list | tuple) else value


def _warned(missing: Sequence[str]) -> tuple[str, ...]:
    if not missing:
        return ()
    characters = "".join(dict.fromkeys("".join(missing)))
    said = f"no font here has {characters[:40]}: shown as {BOX}; install one for that script, "
    _log.warning("no font here has %d characters of a document", len({*"".join(missing)}))
    return (f"{said}a Noto font say",)
