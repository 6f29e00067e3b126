"""Items in a text, found by rule: what is wanted, how many, where it stands.

Three shapes are read: list lines ("- 12 x 8-port switch"), table rows under a header that names a
quantity column, and, in mails without either, a count in running text followed by a product word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from orchestrator.workflows.quote.dates import read_date

SKU = re.compile(r"\b[A-Z]{2,4}(?:-[A-Z0-9]{1,6}){1,3}\b")
PRODUCT = re.compile(
    r"switch|server|router|gateway|c[aá]mara|camera|kamera|telecamer|cam[eé]ra|sens[oó]r|capteur|"
    r"\bups\b|\busv\b|batter|akku|bater[ií]a|cable|kabel|câble|cavo|cavi\b|\bcord|suppl(?:y|ies)|"
    r"netzteil|alimenta|fuente|rail kit|schienensatz|mount|halter|\bclip|\bsfp|transceiver|"
    r"analytics|device management|support|install|licen[cs]e|lizenz|subscription|injector|antenna",
    re.IGNORECASE,
)
_WORDS = {
    word: value
    for value, words in {
        1: "one ein eine einen una uno un une",
        2: "two zwei dos due deux",
        3: "three drei tres tre trois",
        4: "four vier cuatro quattro quatre",
        5: "five fünf cinco cinque cinq",
        6: "six sechs seis sei",
        7: "seven sieben siete sette sept",
        8: "eight acht ocho otto huit",
        9: "nine neun nueve nove neuf",
        10: "ten zehn diez dieci dix",
        12: "twelve zwölf doce dodici douze dozen dutzend",
        20: "twenty zwanzig veinte venti vingt",
    }.items()
    for word in words.split()
}
_NUMBER = r"\d{1,3}(?:[.,]\d{3})+|\d{1,6}"
_UNIT = (
    r"x|×|pcs?\.?|pieces?|units?|off|ea\.?|stück|stk\.?|st\.|pz\.?|pezzi|uds?\.?|unidades|pièces?|"
    r"boxes|box|kartons?|licen[cs]es?|lizenzen|seats?"
)
_LEAD = re.compile(
    r"^\s*(?:(?:[-*•–·+]|\d{1,2}[.)]|[a-z]\)|(?:pos|item|line|position)\.?\s*\d+\s*[.:)]?)\s+)+",
    re.IGNORECASE,
)
_COUNT_FIRST = re.compile(
    rf"^(?:qty\.?\s*:?\s*)?({_NUMBER}|[a-zäöüß]+)(?:(?![-\w])|(?=[x×]\s))\s*"
    rf"(?:({_UNIT})(?!\w))?,?\s*"
    rf"(?:of\s+(?:the\s+|your\s+)?)?(?=\S)",
    re.IGNORECASE,
)
_COUNT_LAST = re.compile(
    rf"(?:[:=–-]|\bqty\.?:?|\bfor|\bfür|\bpara|\bper|\bpour)\s*({_NUMBER})\s*"
    rf"(?:{_UNIT}|devices?|users?|geräte|dispositivos)?\s*(?:[,.]|$)",
    re.IGNORECASE,
)
_WORD_OR_NUMBER = rf"{_NUMBER}|{'|'.join(sorted(_WORDS, key=len, reverse=True))}"
_IN_TEXT = re.compile(
    rf"(?<![\w.,/-])(?<!\d )({_WORD_OR_NUMBER})(?![-\w%.,]*\d|\s+\d)"
    rf"(?:(?![-\w])|(?=[x×]\s))\s*(?:({_UNIT})(?!\w))?\s*(?:of\s+(?:the\s+|your\s+)?)?"
    rf"(?=[^\s,.;:!?])([^.;:!?\n(]{{0,70}}(?:\n[^.;:!?\n(]{{0,40}})?(?:\([^)\n]{{1,24}}\))?)",
    re.IGNORECASE,
)
_QUANTITY_HEADING = re.compile(
    r"^(?:qty|quantity|menge|anzahl|stück|stk|cantidad|quantit[àé]|qté|pcs|units)\.?$",
    re.IGNORECASE,
)
_TERM = re.compile(r"(\d{1,3})[- ]?(?:months?|monate?n?|meses|mesi|mois)\b", re.IGNORECASE)
_START = re.compile(
    r"\b(?:from|starting|ab(?: dem)?|desde el|dal|à partir du)\s+(\d.{5,24})", re.IGNORECASE
)
_OPTION = re.compile(
    r"\boption(?:al|s|en|ally)?\b|\bwahlweise\b|\bopcional|\bopzional", re.IGNORECASE
)
_ALTERNATIVE = re.compile(r"\balternativ", re.IGNORECASE)
_UNITS = {
    "license": re.compile(r"licen[cs]e|lizenz|\bSUB-|seats?\b|analytics|device management", re.I),
    "hour": re.compile(r"\bhours?\b|\bstunden?\b|-H\b", re.IGNORECASE),
    "day": re.compile(r"install\w*[ -]?(?:day|tag)|\bdays? of install|SVC-INST-D", re.IGNORECASE),
    "box": re.compile(r"\bbox(?:es)?\b|\bkartons?\b", re.IGNORECASE),
}


@dataclass(frozen=True)
class Item:
    """One thing a text asks for; `quantity` is None when the text gives no count."""

    phrase: str
    start: int
    end: int
    quantity: int | None
    term_months: int | None = None
    begins: date | None = None
    optional: bool = False
    alternative: bool = False

    @property
    def unit(self) -> str:
        """The unit its words suggest; each when nothing else does."""
        return next((name for name, sign in _UNITS.items() if sign.search(self.phrase)), "each")

    @property
    def skus(self) -> frozenset[str]:
        """The SKUs its words name."""
        return frozenset(SKU.findall(self.phrase))


def find_items(text: str, *, document: bool) -> list[Item]:
    """Return the items of a text in order.

    Args:
        text: A message's new text, or a document's.
        document: In a document only list lines and tables with a count are read; its running
            text describes, it does not ask.
    """
    found = list(_structured(text))
    if document:
        return [item for item in found if item.quantity is not None]
    return found or list(_running(text))


def number(word: str) -> int | None:
    """Return a count written in digits or as a small number word, else None."""
    digits = word.replace(".", "").replace(",", "")
    if digits.isdecimal():
        return int(digits) or None
    return _WORDS.get(word.lower())


def clean_phrase(text: str) -> str:
    """Return a search phrase: one line, only plain characters, at most 80 of them."""
    line = re.sub(r"[^\w .,/+&°%()'\"-]", " ", " ".join(text.split()))
    return re.sub(r"\s+", " ", line)[:80].strip(" ,.-")


def _structured(text: str) -> Iterator[Item]:
    """Yield the items of list lines and table rows, with the context of the lines above them."""
    optional = alternative = False
    column: int | None = None
    offset = 0
    for line in text.splitlines(keepends=True):
        start, offset = offset, offset + len(line)
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) > 1:
            heads = [i for i, cell in enumerate(cells) if _QUANTITY_HEADING.match(cell)]
            if heads:
                column = heads[0]
            elif column is not None and len(cells) > column:
                item = _row(line, start, cells, column)
                if item is not None:
                    yield item
            continue
        item = _line(line, start)
        if item is not None:
            yield replace(
                item,
                optional=optional or bool(_OPTION.search(line)),
                alternative=alternative or bool(_ALTERNATIVE.search(line)),
            )
        elif line.strip():
            optional, alternative = bool(_OPTION.search(line)), bool(_ALTERNATIVE.search(line))


def _row(line: str, start: int, cells: list[str], column: int) -> Item | None:
    quantity = number(cells[column])
    words = [c for i, c in enumerate(cells) if i != column and not c.isdecimal()]
    phrase = clean_phrase(" ".join(words))
    if quantity is None or not (SKU.search(phrase) or PRODUCT.search(phrase)):
        return None
    return Item(phrase, start, start + len(line.rstrip()), quantity)


def _line(line: str, start: int) -> Item | None:
    """Return the item of a list line; a line with neither mark nor count first is no list line."""
    lead = _LEAD.match(line)
    body = line[lead.end() :] if lead else line.lstrip()
    counted = _COUNT_FIRST.match(body)
    quantity = number(counted[1]) if counted else None
    words = body[counted.end() :] if counted and quantity is not None else body
    evidence = SKU.search(words) or PRODUCT.search(" ".join(words.split()[:9]))
    if not evidence or (quantity is None and lead is None) or len(body.split()) > 22:
        return None
    if quantity is None:
        last = _COUNT_LAST.search(words)
        quantity = number(last[1]) if last else None
        if last and last[0][0] in ":=–-":
            words = words[: last.start()]
    elif lead is None and words[:1].islower() and not SKU.search(words):
        return None  # a line of running text that happens to start with a number
    begin = start + len(line) - len(body)
    return _termed(Item(clean_phrase(words), begin, start + len(line.rstrip()), quantity), words)


def _running(text: str) -> Iterator[Item]:
    """Yield the items of running text: a count, then words with a product among the first."""
    for found in _IN_TEXT.finditer(text):
        quantity, words = number(found[1]), found[3]
        words = re.split(r"\s(?:and|und|y|et|e)\s(?=\d)|,\s(?=(?:and|as|so|und)\b)", words)[0]
        evidence = SKU.search(words) or PRODUCT.search(" ".join(words.split()[:8]))
        if quantity is None or not evidence:
            continue
        around = text[max(0, found.start() - 120) : found.end() + 60]
        item = Item(clean_phrase(words), found.start(), found.start(3) + len(words), quantity)
        yield _termed(item, around)


def _termed(item: Item, words: str) -> Item:
    """Add a subscription's term and start, when the words around it give them."""
    if item.unit != "license":
        return item
    term, start = _TERM.search(words), _START.search(" ".join(words.split()))
    begins = read_date(start[1], date(2000, 1, 1)) if start else None
    return replace(item, term_months=int(term[1]) if term else None, begins=begins)
