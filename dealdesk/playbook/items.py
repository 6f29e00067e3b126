"""Items in a text, found by rule: what is wanted, how many, where it stands.

Three shapes are read: list lines ("- 12 x 8-port switch", with the indented lines that go on from
them), table rows under a header that names a quantity column, and, in mails without either, a count
in running text followed by a product word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from dealdesk.playbook.signs import sign, signs
from dealdesk.playbook.subscriptions import NO_RUN, Run, read_run, steps
from servers.toolkit.shipped import shipped

SKU = re.compile(r"\b[A-Z]{2,4}(?:-[A-Z0-9]{1,6}){1,3}\b")
PRODUCT = signs("words")["product"]
_WORDS = {
    word: int(count) for count, words in shipped(__package__, "counts").items() for word in words
}
_NUMBER = r"\d{1,3}(?:[.,]\d{3})+|\d{1,6}"
_UNIT = (
    r"x|×|pcs?\.?|pieces?|units?|off|ea\.?|stück|stk\.?|st\.|pz\.?|pezzi|uds?\.?|unidades|pièces?|"
    r"boxes|box|kartons?|licen[cs]es?|lizenzen|seats?"
)
_LEAD = sign(
    r"^\s*(?:(?:[-*•–·+]|\d{1,2}[.)]|[a-z]\)|(?:pos|item|line|position)\.?\s*\d+\s*[.:)]?)\s+)+"
)
_COUNT_FIRST = sign(
    rf"^(?:qty\.?\s*:?\s*)?({_NUMBER}|[a-zäöüß]+)(?:(?![-\w]|[.,]\d)|(?=[x×]\s))\s*"
    rf"(?:({_UNIT})(?!\w))?,?\s*"
    rf"(?:of\s+(?:the\s+|your\s+)?)?(?=\S)"
)
_DECIMAL = re.compile(r"\d+[.,]\d")
"""A count that is no whole number: not read here, so that a person is asked for it."""
_COUNT_LAST = sign(
    rf"(?:[:=–-]|\bqty\.?:?|\bfor|\bfür|\bpara|\bper|\bpour)\s*({_NUMBER})\s*"
    rf"(?:{_UNIT}|devices?|users?|geräte|dispositivos)?\s*(?:[,.]|$)"
)
_WORD_OR_NUMBER = rf"{_NUMBER}|{'|'.join(sorted(_WORDS, key=len, reverse=True))}"
_IN_TEXT = sign(
    rf"(?<![\w.,/-])(?<!\d )({_WORD_OR_NUMBER})(?![-\w%.,]*\d|\s+\d)"
    rf"(?:(?![-\w])|(?=[x×]\s))\s*(?:({_UNIT})(?!\w))?\s*(?:of\s+(?:the\s+|your\s+)?)?"
    rf"(?=[^\s,.;:!?])([^.;:!?\n(]{{0,70}}(?:\n[^.;:!?\n(]{{0,40}})?(?:\([^)\n]{{1,24}}\))?)"
)
_QUANTITY_HEADING = sign(
    r"^(?:qty|quantity|menge|anzahl|stück|stk|cantidad|quantit[àé]|qté|pcs|units)\.?$"
)
_OPTION = sign(r"\boption(?:al|s|en|ally)?\b|\bwahlweise\b|\bopcional|\bopzional")
_ALTERNATIVE = sign(r"\balternativ")
_PART = sign(
    r"\b(?:with|in|for|to|zum|im|für|avec|con)\s+(?:each|every|the|this|that|das|dem|jede[ms]|le|el)?\s*"
    r"(?:\w+ )?(?:kits?|bundles?|set|paket)\b|\bpart of the (?:\w+ )?(?:kit|bundle)"
)
BUNDLE = sign(r"\bkits?\b|\bbundles?\b|\bpaket|\bBDL-")
_CODE = r"[A-Z][A-Z0-9]+(?:-[A-Z0-9]+)*"
_CODES = re.compile(
    r"[,;]?\s*\b(?:[Ww]ith|[Mm]it)\s+[Oo]ption(?:s|en)?(?:\s+codes?)?\s*:?\s+"
    rf"({_CODE}(?:(?:\s*[,+&]\s*|\s+(?:and|und)\s+){_CODE})*)(?![a-z])"
)
_SENTENCE = re.compile(r"(?:[^.!?\n]|\n(?!\s*\n)){1,300}")
_COUNTED = signs("counted")
_UNITS = signs("units")


@dataclass(frozen=True)
class Item:
    """One thing a text asks for; `quantity` is None when the text gives no count."""

    phrase: str
    start: int
    end: int
    quantity: int | None
    counted: str = ""
    run: Run = NO_RUN
    optional: bool = False
    alternative: bool = False
    part: bool = False
    options: tuple[str, ...] = ()

    @property
    def unit(self) -> str:
        """The unit of its count, else the one that its words suggest, else `each`."""
        signs = [(name, one.search(self.counted)) for name, one in _COUNTED.items()]
        signs += [(name, one.search(self.phrase)) for name, one in _UNITS.items()]
        return next((name for name, found in signs if found), "each")

    @property
    def skus(self) -> frozenset[str]:
        return frozenset(SKU.findall(self.phrase))


def find_items(text: str, *, document: bool, today: date = date.min) -> list[Item]:
    """Return the items of a text in order; `today` is what a date without a year comes after.

    In a document only list lines and tables with a count are read; its running text describes.
    """
    found = [one for item in _structured(text, today) for one in _ramp(item, text)]
    if document:
        return [one for one in found if one.quantity or _DECIMAL.match(text, one.start)]
    return found or [one for item in _running(text, today) for one in _ramp(item, text)]


def number(word: str) -> int | None:
    digits = word.replace(".", "").replace(",", "")
    if digits.isdecimal():
        return int(digits) or None
    return _WORDS.get(word.lower())


def clean_phrase(text: str) -> str:
    """Return a search phrase: one line, only plain characters, at most 80 of them."""
    line = re.sub(r"[^\w .,/+&°%()'\"-]", " ", " ".join(text.split()))
    return re.sub(r"\s+", " ", line)[:80].strip(" ,.-")


def _structured(text: str, today: date) -> Iterator[Item]:
    """Yield the items of list lines and table rows, with the context of the lines above them."""
    heading = ""
    column: int | None = None
    offset = 0
    pending: Item | None = None
    above = False
    for line in [*text.splitlines(keepends=True), ""]:
        start, offset = offset, offset + len(line)
        if pending is not None and _goes_on(line):
            pending = replace(pending, end=start + len(line.rstrip()))
            continue
        if pending is not None:
            yield _told(pending, text[pending.start : pending.end], heading, today)
            pending = None
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) > 1:
            heads = [i for i, cell in enumerate(cells) if _QUANTITY_HEADING.match(cell)]
            if heads:
                column = heads[0]
            elif column is not None and len(cells) > column:
                item = _row(line, start, cells, column)
                if item is not None:
                    yield _told(item, line, "", today)
            continue
        pending = _line(line, start)
        if pending is None and line.strip():
            heading = f"{heading} {line.strip()}"[-400:] if above else line.strip()
        above = pending is None and bool(line.strip())


def _goes_on(line: str) -> bool:
    """Say whether a line goes on from the list line above it: indented, and no item itself."""
    return (
        line[:1] in " \t"
        and bool(line.strip())
        and _LEAD.match(line) is None
        and _line(line, 0) is None
    )


def _told(item: Item, words: str, heading: str, today: date) -> Item:
    """Add what an item's own words and its heading say beside product and count."""
    codes = _CODES.search(words)
    plain = _CODES.sub("", words)
    last = re.split(r"(?<=[.!?])\s", heading)[-1]
    made = replace(
        item,
        optional=bool(_OPTION.search(last) or _OPTION.search(plain)),
        alternative=bool(_ALTERNATIVE.search(last) or _ALTERNATIVE.search(plain)),
        part=bool(_PART.search(plain) or (_PART.search(last) and not BUNDLE.search(plain))),
        options=tuple(re.findall(_CODE, codes[1])) if codes else (),
        phrase=clean_phrase(_CODES.sub("", item.phrase)) if codes else item.phrase,
    )
    return _termed(made, words, heading, today)


def _row(line: str, start: int, cells: list[str], column: int) -> Item | None:
    quantity = number(cells[column])
    words = [c for i, c in enumerate(cells) if i != column and not c.isdecimal()]
    unit = next((c for c in words if any(one.match(c) for one in _COUNTED.values())), "")
    phrase = clean_phrase(" ".join(c for c in words if c != unit))
    if quantity is None or not (SKU.search(phrase) or PRODUCT.search(phrase)):
        return None
    return Item(phrase, start, start + len(line.rstrip()), quantity, unit)


def _line(line: str, start: int) -> Item | None:
    """Return the item of a list line; a line with neither mark nor count first is no list line."""
    lead = _LEAD.match(line)
    body = line[lead.end() :] if lead else line.lstrip()
    counted = _COUNT_FIRST.match(body)
    quantity = number(counted[1]) if counted else None
    words = body[counted.end() :] if counted and quantity is not None else body
    evidence = SKU.search(words) or PRODUCT.search(" ".join(words.split()[:9]))
    told = quantity or lead or _DECIMAL.match(body)
    if not evidence or not told or len(body.split()) > 22:
        return None
    if quantity is None:
        last = _COUNT_LAST.search(words)
        quantity = number(last[1]) if last else None
        if last and last[0][0] in ":=–-":
            words = words[: last.start()]
    elif lead is None and words[:1].islower() and not SKU.search(words):
        return None  # a line of running text that happens to start with a number
    begin = start + len(line) - len(body)
    unit = (counted[2] or "") if counted and number(counted[1]) is not None else ""
    return Item(clean_phrase(words), begin, start + len(line.rstrip()), quantity, unit)


def _running(text: str, today: date) -> Iterator[Item]:
    """Yield the items of running text: a count, then words with a product among the first."""
    until = 0
    for found in _IN_TEXT.finditer(text):
        if found.start() < until:
            continue  # a later year of the ramp before it
        quantity, words = number(found[1]), found[3]
        words = re.split(r"\s(?:and|und|y|et|e)\s(?=\d)|,\s(?=(?:and|as|so|und)\b)", words)[0]
        evidence = SKU.search(words) or PRODUCT.search(" ".join(words.split()[:8]))
        if quantity is None or not evidence:
            continue
        around = text[max(0, found.start() - 120) : found.end() + 60]
        end = found.start(3) + len(words)
        sentence = _SENTENCE.match(text, found.start())
        if sentence and steps(sentence.group()):
            end = until = sentence.end()
        item = Item(clean_phrase(words), found.start(), end, quantity, found[2] or "")
        yield _termed(item, around, "", today)


def _termed(item: Item, words: str, heading: str, today: date) -> Item:
    if item.unit != "license":
        return item
    return replace(item, run=read_run(words, today).over(read_run(heading, today)))


def _ramp(item: Item, text: str) -> Iterator[Item]:
    """Yield an item, or its years one by one where its words count each year of a ramp."""
    counts = steps(text[item.start : item.end]) if item.unit == "license" else []
    for count, year in counts:
        phrase = clean_phrase(re.split(rf"\s{counts[0][0]}\s", item.phrase)[0])
        yield replace(item, phrase=phrase, quantity=count, run=replace(item.run, year=year))
    if not counts:
        yield item
