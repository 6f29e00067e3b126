"""Names as screening compares them: without case, accents, punctuation and legal form."""

import re
import unicodedata
from functools import lru_cache


def _table(letters: str, plains: str) -> dict[str, str]:
    """Return what each letter becomes; a dash is nothing."""
    pairs = zip(letters.split(), plains.split(), strict=True)
    return {letter: "" if plain == "-" else plain for letter, plain in pairs}


LETTERS = str.maketrans(_table("ß ø æ œ ł đ ð þ ħ ı ŋ ŧ ĸ", "ss o ae oe l d d th h i n t k"))
"""Latin letters that Unicode does not take apart into a plain letter and a mark."""

DIGRAPHS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
"""The other way in which the same letters are written: Müller is Mueller, Ågård is Aagaard."""

_CYRILLIC = "а б в г д е ё ж з и й к л м н о п р с т у ф х ц ч ш щ ъ ы ь э ю я і ї є ґ ј љ њ ћ ђ џ"
_LATIN = (
    "a b v g d e e zh z i j k l m n o p r s t u f h ts ch sh shch - y - e yu ya i i e g j lj nj c "
    "d dz"
)
_GREEK = "α β γ δ ε ζ η θ ι κ λ μ ν ξ ο π ρ σ ς τ υ φ χ ψ ω"
_GREEK_LATIN = "a v g d e z i th i k l m n x o p r s s t y f ch ps o"
ALPHABETS = str.maketrans(_table(_CYRILLIC, _LATIN) | _table(_GREEK, _GREEK_LATIN))
"""Cyrillic and Greek letters in Latin ones; a simple scheme, the same for both sides."""

SUFFIXES = frozenset(
    (
        *("ab", "ag", "aps", "as", "asa", "bhd", "bv", "bvba", "ca", "co", "company", "corp"),
        *("corporation", "cv", "cvba", "da", "doo", "dd", "eeig", "eg", "ehf", "ek", "ev", "eurl"),
        *("fze", "fzc", "fzco", "fzllc", "gbr", "ges", "gie", "gmbh", "hf", "inc", "incorporated"),
        *("jsc", "kabushiki", "kaisha", "kb", "kft", "kg", "kgaa", "kk", "ks", "lda", "limited"),
        *("limitada", "llc", "llp", "lp", "ltd", "ltda", "mbh", "nv", "nyrt", "oao", "ohg", "ood"),
        *("ooo", "ou", "oy", "oyj", "pao", "pjsc", "plc", "pllc", "private", "pte", "pty", "pvt"),
        *("pt", "public", "pwc", "qsc", "rt", "sa", "sae", "sal", "sapi", "sarl", "sas", "sasu"),
        *("sca", "scs", "sdn", "se", "sia", "sicav", "sl", "slu", "snc", "spa", "spzoo", "spj"),
        *("sro", "srl", "stiftung", "tbk", "tov", "uab", "ug", "vof", "wll", "zao", "zrt"),
    )
)
"""Legal forms of many countries, which say nothing about who a company is."""

JOINED = (
    (re.compile(r"\bsp\s?z\s?o\s?o\b"), "spzoo"),
    (re.compile(r"\bs de rl(?: de cv)?\b"), "srl"),
    (re.compile(r"\bde cv\b"), "cv"),
    (re.compile(r"\b(?:haftungsbeschränkt|haftungsbeschrankt|haftungsbeschraenkt)\b"), "ug"),
    (re.compile(r"\bd o o\b"), "doo"),
    (re.compile(r"\bs a r l\b"), "sarl"),
    (re.compile(r"\bs r l\b"), "srl"),
    (re.compile(r"\bs p a\b"), "spa"),
    (re.compile(r"\bs r o\b"), "sro"),
)
"""Legal forms that are written in several words."""

INSIDE = re.compile(r"(?<=\b\w)[./](?=\w\b)|(?<=\w)['’](?=\w)")
"""The dots of S.r.l., the stroke of A/S, the apostrophe of O'Neill."""


def normalise(name: str, *, digraphs: bool = False) -> str:
    """Return a name without accents, punctuation, legal form and case.

    A name that is nothing but a legal form keeps it.
    """
    small = unicodedata.normalize("NFC", name).casefold()
    if digraphs:
        small = small.translate(DIGRAPHS)
    flat = unicodedata.normalize("NFKD", small.translate(LETTERS).translate(ALPHABETS))
    letters = "".join(c for c in flat if not unicodedata.combining(c)).casefold()
    letters = INSIDE.sub("", letters.translate(LETTERS).translate(ALPHABETS))
    spaced = " ".join(re.findall(r"[^\W_]+", letters))
    for pattern, form in JOINED:
        spaced = pattern.sub(form, spaced)
    words = spaced.split()
    kept = [word for word in words if word not in SUFFIXES]
    return " ".join(kept or words)


@lru_cache(maxsize=20_000)
def forms(name: str) -> frozenset[str]:
    """Return the ways in which a name may be written in plain letters."""
    return frozenset(
        form for form in (normalise(name), normalise(name, digraphs=True)) if form.strip()
    )
