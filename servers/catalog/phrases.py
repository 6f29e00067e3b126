"""Read a customer's phrase: numbers with units, traits, specials, and the remaining words."""

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from pydantic import Field

from servers.catalog.rulebook import Row
from servers.catalog.schemas import AttributeValue
from servers.toolkit.shipped import shipped

Comparison = Literal["=", ">=", "<="]

_FILE = shipped(__package__, "phrases")
DIMENSIONS: dict[str, list[str]] = _FILE["dimensions"]
"""What a unit in a phrase may speak of; the first attribute that a product has decides."""
_NUMBER = r"(?P<n>\d{1,3}(?:[.,]\d{3})+|\d+(?:[.,]\d+)?)"
_UNIT_PATTERNS = [
    (re.compile(rf"(?<![a-z0-9.,]){_NUMBER}\s*{unit}(?![a-z0-9])"), dimension, factor)
    for unit, dimension, factor in _FILE["units"]
]
_QUANTITY = re.compile(r"^\(?\d+\)?\s*(?:x|×|pcs?\.?|pieces?|stk\.?|stuck|units?|off|ea|of)\s+")
_AT_LEAST = re.compile(
    r"(?:at least|no less than|min(?:imum|\.)?|mindestens|au moins|al menos|almeno|>=?|over)\s*$"
)
_AT_MOST = re.compile(
    r"(?:at most|up to|max(?:imum|\.)?|hochstens|bis zu|au plus|como maximo|al massimo|<=?)\s*$"
)
_OR_MORE = re.compile(r"^\s*(?:or more|or above|oder mehr|ou plus|o mas|o piu|\+)")
_DAYS = re.compile(r"\b(?P<n>30|60|90|180|365)\s*(?:days?|tage|jours|dias|giorni)\b")
_GIGABIT = re.compile(r"\b(?P<n>1|10|25|40|100)g\b")
_PUNCTUATION = re.compile(r"[-–—_()\[\]\"';:/]+|(?<!\d),|,(?!\d)|[.!?](?=\s|$)")
_WORD = re.compile(r"[a-z0-9]+\+{0,2}")


class AttributeTest(Row):
    """An attribute that must be there and, when a value is given, have it (or hold it)."""

    attribute: str
    value: AttributeValue | None = None


class Trait(Row):
    """A yes-or-no thing that customers ask for, and the attributes that show it."""

    terms: tuple[str, ...]
    any_of: tuple[AttributeTest, ...]


class Vocabulary(Row):
    """The words customers use, as data: see `seed_data/catalog/vocabulary.json`."""

    words: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    families: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    traits: dict[str, Trait] = Field(default_factory=dict)
    specials: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    numbers: dict[str, int] = Field(default_factory=dict)
    stopwords: tuple[str, ...] = ()
    compound_heads: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    aside: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


@dataclass(frozen=True)
class Amount:
    """A number with its unit, and whether more or less would do as well."""

    value: Decimal
    dimension: str
    comparison: Comparison = "="

    def holds(self, found: int) -> bool:
        if self.comparison == ">=":
            return found >= self.value
        return found <= self.value if self.comparison == "<=" else found == self.value

    def __str__(self) -> str:
        sign = "" if self.comparison == "=" else f"{self.comparison} "
        return f"{sign}{self.value.normalize():f} {self.dimension}"


@dataclass(frozen=True)
class Wanted:
    """A phrase, read: what is asked for by number, trait and special, and the other words.

    The first `before` tokens stand before the phrase says what the thing is for; `head` are the
    other words of that part, `tail` those that come after.
    """

    tokens: tuple[str, ...]
    before: int = 0
    head: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()
    amounts: tuple[Amount, ...] = ()
    traits: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()
    specials: frozenset[str] = frozenset()
    loose: tuple[int, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """Every word to search for, the important ones first."""
        return (*self.head, *self.tail)


@lru_cache(maxsize=4096)  # a catalog's own words come up with every phrase
def plain(text: str) -> str:
    """Return text in lower case, without accents, with hyphens and brackets as spaces."""
    folded = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(c for c in folded if not unicodedata.combining(c))
    return " ".join(_PUNCTUATION.sub(" ", bare).split())


def stem(word: str) -> str:
    """Return a word without its English plural."""
    for ending, instead in (("ies", "y"), ("ches", "ch"), ("shes", "sh"), ("xes", "x")):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            return word[: -len(ending)] + instead
    if word.endswith("s") and len(word) > 3 and not word.endswith(("ss", "us", "is", "ups")):
        return word[:-1]
    return word


@lru_cache(maxsize=4096)
def words_of(text: str) -> tuple[str, ...]:
    return tuple(stem(word) for word in _WORD.findall(plain(text)))


def read(phrase: str, vocabulary: Vocabulary, quantity: Decimal | None = None) -> Wanted:
    """Read a phrase; the quantity's number in it says nothing about the product."""
    tokens = tuple(_WORD.findall(plain(phrase)))
    text = _QUANTITY.sub("", plain(phrase))
    text = _swap(text, {w: str(n) for w, n in vocabulary.numbers.items()})
    text = re.sub(r"\b24 7\b", "24x7", text)
    synonyms = {t: name for name, terms in vocabulary.words.items() for t in terms}
    text = _swap(_apart(text, vocabulary, synonyms), synonyms)
    main, aside = _cut(text, vocabulary.aside)
    before = len(_WORD.findall(_cut(plain(phrase), vocabulary.aside)[0]))
    if not _names_something(main, vocabulary):  # "could you quote ...": nothing was said so far
        main, aside, before = text, "", len(tokens)
    main, unwanted = _without(" ".join(main.split()), vocabulary)
    specials = _specials(f"{main} {aside}", vocabulary)
    main, amounts = _amounts(main)
    traits, main = _traits(main, vocabulary)
    main, extra = _cut(main, vocabulary.beside)
    stop = frozenset(vocabulary.stopwords)
    loose: list[int] = []
    head: list[str] = []
    for place, word in enumerate(_WORD.findall(main)):
        if word.isdecimal():
            if place and int(word) != quantity and len(word) < 7:
                loose.append(int(word))
        elif word not in stop and (len(word) > 1 or word in "uv"):
            head.append(stem(word))
    tail = [stem(w) for w in _WORD.findall(f"{extra} {aside}") if w not in stop and len(w) > 2]
    return Wanted(
        tokens=tokens,
        before=before,
        head=tuple(dict.fromkeys(head)),
        tail=tuple(dict.fromkeys(w for w in tail if not w.isdecimal())),
        amounts=tuple(amounts),
        traits=tuple(traits),
        unwanted=tuple(unwanted),
        specials=specials,
        loose=tuple(loose),
    )


@lru_cache(maxsize=64)
def _terms(terms: tuple[str, ...], before: str = "", after: str = "") -> re.Pattern[str]:
    """Return a pattern for any of some terms, the longest first, whole words only."""
    longest_first = sorted({plain(term) for term in terms}, key=lambda t: (-len(t), t))
    choice = "|".join(map(re.escape, longest_first))
    return re.compile(rf"(?<![a-z0-9]){before}({choice}){after}(?![a-z0-9+])")


def _swap(text: str, instead: dict[str, str]) -> str:
    """Replace terms by others, each place once."""
    if not instead:
        return text
    by_term = {plain(term): name for term, name in instead.items()}
    return _terms(tuple(by_term)).sub(lambda found: by_term[found[1]], text)


def _apart(text: str, vocabulary: Vocabulary, synonyms: dict[str, str]) -> str:
    """Take German compounds apart ("Glasfaserkabel"), but not those the vocabulary knows whole."""
    whole = {plain(term) for term in synonyms}
    heads = sorted((plain(head) for head in vocabulary.compound_heads), key=lambda h: -len(h))

    def split(word: str) -> str:
        head = next((h for h in heads if word.endswith(h) and len(word) > len(h) + 2), None)
        return word if head is None or word in whole else f"{word[: -len(head)]} {head}"

    return " ".join(split(word) for word in text.split())


def _specials(text: str, vocabulary: Vocabulary) -> frozenset[str]:
    """Return the specials that are asked for; terms may overlap, so each is looked for alone."""
    padded = f" {text} "
    return frozenset(
        name
        for name, terms in vocabulary.specials.items()
        if any(f" {plain(term)} " in padded for term in terms)
    )


def _cut(text: str, aside: tuple[str, ...]) -> tuple[str, str]:
    """Split a phrase where it starts to say what the thing is for."""
    if not aside:
        return text, ""
    pattern = rf"\s(?:{'|'.join(map(re.escape, aside))})\s"
    parts = re.split(pattern, text, maxsplit=1)
    return parts[0], parts[1] if len(parts) > 1 else ""


def _trait_names(vocabulary: Vocabulary) -> dict[str, str]:
    return {plain(t): name for name, trait in vocabulary.traits.items() for t in trait.terms}


def _names_something(text: str, vocabulary: Vocabulary) -> bool:
    """Say whether a text holds any word that the vocabulary knows, or a number with a unit."""
    terms = [*vocabulary.words, *_trait_names(vocabulary)]
    terms += [term for group in (vocabulary.families, vocabulary.specials) for term in group]
    terms += [term for nouns in vocabulary.families.values() for term in nouns]
    terms += [term for names in vocabulary.specials.values() for term in names]
    if _terms(tuple(terms), after="(?:e?s)?").search(text):
        return True
    return any(pattern.search(text) for pattern, _, _ in _UNIT_PATTERNS)


def _without(text: str, vocabulary: Vocabulary) -> tuple[str, list[str]]:
    """Take out what is explicitly not wanted ("without PoE")."""
    names = _trait_names(vocabulary)
    if not names or not vocabulary.without:
        return text, []
    no = "|".join(re.escape(plain(word)) for word in vocabulary.without)
    pattern = _terms(tuple(names), before=f"(?:{no}) ")
    unwanted = [names[found[1]] for found in pattern.finditer(text)]
    return pattern.sub(" ", text), list(dict.fromkeys(unwanted))


def _traits(text: str, vocabulary: Vocabulary) -> tuple[list[str], str]:
    names = _trait_names(vocabulary)
    if not names:
        return [], text
    pattern = _terms(tuple(names), after="s?")
    found = [names[match[1]] for match in pattern.finditer(text)]
    return list(dict.fromkeys(found)), pattern.sub(" ", text)


def _amounts(text: str) -> tuple[str, list[Amount]]:
    amounts: list[Amount] = []

    def take(pattern: re.Pattern[str], dimension: str, factor: int) -> None:
        nonlocal text
        while (found := pattern.search(text)) is not None:
            before, after = text[: found.start()], text[found.end() :]
            comparison: Comparison = "="
            if _AT_LEAST.search(before) or _OR_MORE.match(after):
                comparison = ">="
                before, after = _AT_LEAST.sub("", before), _OR_MORE.sub("", after)
            elif _AT_MOST.search(before):
                comparison = "<="
                before = _AT_MOST.sub("", before)
            amounts.append(Amount(_value(found["n"]) * factor, dimension, comparison))
            text = f"{before} {after}"

    for pattern, dimension, factor in _UNIT_PATTERNS:
        take(pattern, dimension, factor)
    take(_DAYS, "days", 1)
    take(_GIGABIT, "Gbit/s", 1)
    return text, amounts


def _value(number: str) -> Decimal:
    """Return a written number; 1.500 and 1,500 are fifteen hundred, 0.480 and 2,5 are not."""
    if re.fullmatch(r"[1-9]\d{0,2}(?:[.,]\d{3})+", number):
        return Decimal(re.sub(r"[.,]", "", number))
    return Decimal(number.replace(",", "."))
