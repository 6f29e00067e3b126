"""Countries, languages, currencies, units, yes and no as people write them."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import lru_cache

from servers.toolkit.shipped import shipped

_FILE = shipped(__package__, "written_words")
CURRENCY_WORDS: dict[str, str] = _FILE["currencies"]
YES, NO = _FILE["yes"], _FILE["no"]
COUNTRY_WORDS = {word: code for code, words in _FILE["countries"].items() for word in words}
"""Usual spellings that no list of countries has, as `folded` gives them."""


@lru_cache(maxsize=4096)
def country(written: str) -> str:
    """Return the ISO 3166 code of a country's code or name; what is none comes back as it is."""
    if re.fullmatch("[A-Z]{2}", written) and written not in ("UK", "EL"):
        return written
    import pycountry

    with suppress(LookupError):
        return str(pycountry.countries.lookup(written).alpha_2)
    text = folded(written)
    return COUNTRY_WORDS.get(text) or _name_in(text, "territories") or written


def language(written: str) -> str:
    """Return the two letters of a language's code or name; what is none comes back as it is."""
    import pycountry

    if re.fullmatch("[a-z]{2}", written):
        return written
    code = re.match(r"([A-Za-z]{2,3})(?:[-_][A-Za-z]{2,4})?$", written)
    if code and (
        known := pycountry.languages.get(alpha_2=code[1].lower())
        or pycountry.languages.get(alpha_3=code[1].lower())
        or pycountry.languages.get(bibliographic=code[1].lower())
    ):
        return str(getattr(known, "alpha_2", written))
    return _name_in(folded(written), "languages") or written


def currency(written: str) -> str:
    return CURRENCY_WORDS.get(written.lower(), written.upper() if len(written) == 3 else written)


def yes_or_no(written: str) -> str:
    """Return `true` or `false`; what is neither comes back as it is."""
    word = written.casefold()
    return "true" if word in YES else "false" if word in NO else written


def folded(text: str) -> str:
    """Return a name as names are compared: no case, accents, dots, or article before it."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("&", " and "))
    letters = "".join(one for one in plain if not unicodedata.combining(one))
    return re.sub(r"[\W_]+", " ", letters).strip().removeprefix("the ")


def _name_in(text: str, kind: str) -> str:
    """Return the code of a name in English or German, else in any language there is."""
    if not text:
        return ""
    return _names(kind, ("en", "de")).get(text) or _names(kind, ()).get(text, "")


@lru_cache(maxsize=4)
def _names(kind: str, languages: tuple[str, ...]) -> dict[str, str]:
    """Return the codes of names, without those that mean two countries or languages."""
    import pycountry
    from babel import Locale, localedata

    every = languages or [one for one in localedata.locale_identifiers() if "_" not in one]
    names = [pair for locale in every for pair in getattr(Locale.parse(locale), kind).items()]
    if kind == "territories":
        for one in pycountry.countries:
            names += [(one.alpha_2, said) for kind, said in dict(one).items() if "name" in kind]
    meant: dict[str, set[str]] = {}
    for code, name in names:
        if len(code) == 2 and code.isalpha():
            meant.setdefault(folded(name), set()).add(code)
    return {name: next(iter(codes)) for name, codes in meant.items() if name and len(codes) == 1}


def words_of(known: Iterable[str], words: dict[str, str]) -> Callable[[str], str]:
    """Return what reads a word as one of those that are known; what is none stays as it is."""
    there = frozenset(known)

    def read(written: str) -> str:
        meant = words.get(written.casefold().rstrip("."), "")
        return meant if written not in there and meant in there else written

    return read
