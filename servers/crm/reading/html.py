"""The visible text of an HTML body, for messages that have no plain one."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from servers.crm.reading.cleaning import tidy

_BLOCKS = frozenset(
    re.findall(
        r"\S+",
        """address article blockquote br dd div dl dt footer form h1 h2 h3 h4 h5 h6 header hr li
    main nav ol p pre section table tr ul""",
    )
)
_SILENT = frozenset(("script", "style", "head", "title", "template", "noscript", "object"))
_VOID = frozenset(
    re.findall(r"\S+", """area base br col embed hr img input link meta source track wbr""")
)
_HIDDEN_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(\.0*)?\s*(px|pt|em|%)?\s*(;|$)"
    r"|opacity\s*:\s*0(\.0*)?\s*(;|$)|mso-hide\s*:\s*all",
    re.IGNORECASE,
)
_WHITE = re.compile(r"(?<!-)color\s*:\s*(#fff(fff)?|white)\s*(;|!|$)", re.IGNORECASE)


@dataclass
class _Reader(HTMLParser):
    """Collects the visible text of an HTML body."""

    parts: list[str] = field(default_factory=list)
    hidden: bool = False
    _stack: list[tuple[str, bool]] = field(default_factory=list)
    _quotes: int = 0

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BLOCKS:
            self._newline()
        if tag == "li":
            self.parts.append("- ")
        if tag in ("td", "th"):
            self._cell()
        if tag in _VOID or len(self._stack) > 500:
            return
        values = dict(attrs)
        concealed = (
            "hidden" in values
            or values.get("aria-hidden") == "true"
            or _conceals(values.get("style") or "")
        )
        if tag == "blockquote":
            self._quotes += 1
        self._stack.append((tag, concealed or tag in _SILENT))

    def handle_endtag(self, tag: str) -> None:
        names = [name for name, _ in self._stack]
        if tag not in names:
            return
        while self._stack:
            name, _ = self._stack.pop()
            if name == "blockquote":
                self._newline()
                self._quotes -= 1
            if name == tag:
                break
        if tag in _BLOCKS:
            self._newline()

    def handle_data(self, data: str) -> None:
        if any(silent for _, silent in self._stack):
            shown = {name for name, silent in self._stack if silent} - _SILENT
            self.hidden = self.hidden or bool(shown and data.strip())
            return
        inside_pre = any(name == "pre" for name, _ in self._stack)
        text = data if inside_pre else re.sub(r"\s+", " ", data)
        at_start = not self.parts or self.parts[-1].endswith("\n")
        if at_start and not text.strip():
            return
        if self._quotes and at_start:
            self.parts.append("> " * self._quotes)
        self.parts.append(text)

    def _newline(self) -> None:
        if self.parts and not self.parts[-1].endswith("\n"):
            self.parts.append("\n")

    def _cell(self) -> None:
        if self.parts and not self.parts[-1].endswith(("\n", " | ")):
            self.parts.append(" | ")


def _conceals(style: str) -> bool:
    """Say whether a style hides text; white letters do, unless the background is given too."""
    white = bool(_WHITE.search(style)) and "background" not in style
    return white or bool(_HIDDEN_STYLE.search(style))


def html_to_text(html: str) -> tuple[str, bool]:
    """Return the visible text of an HTML body, and whether it also held hidden text."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = "".join(reader.parts).split("\n")
    return tidy("\n".join(line.strip(" ") for line in lines)), reader.hidden
