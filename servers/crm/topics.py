"""How well an opportunity answers a query: words of the query against its names and texts. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from servers.crm.matching import fold
from servers.toolkit.shipped import shipped

MAX_WORDS = 16
WEIGHTS = {"name": 100, "need": 90, "subject": 80, "account": 70, "text": 60}
_SMALL = frozenset(shipped(__package__, "topics")["small"].split())


@dataclass(frozen=True)
class Topic:
    """What an opportunity is about, by where it says so."""

    name: str
    account: str = ""
    needs: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    text_words: frozenset[str] = frozenset()
    """The words of the query that the index finds in its messages and documents."""


def query_words(query: str) -> list[str]:
    """Return the words of a query that say something, folded; "the" and "last week" do not."""
    words = [
        word
        for word in fold(query).split()
        if word not in _SMALL and len(word) > 1 and not word.isdecimal()
    ]
    return list(dict.fromkeys(words))[:MAX_WORDS]


def score(words: Sequence[str], topic: Topic) -> tuple[int, list[str]]:
    """Return 0 to 100, the average over the query's words, and where each was found."""
    if not words:
        return 0, []
    places = {
        "name": fold(topic.name).split(),
        "need": fold(" ".join(topic.needs)).split(),
        "subject": fold(" ".join(topic.subjects)).split(),
        "account": fold(topic.account).split(),
    }
    known = {place: frozenset(found) for place, found in places.items()}
    total, reasons = 0, []
    for word in words:
        for place, weight in WEIGHTS.items():
            if word in topic.text_words if place == "text" else _holds(word, known[place]):
                total += weight
                reasons.append(f"{word!r} in the {place}")
                break
    return total // len(words), reasons


def _holds(word: str, known: frozenset[str]) -> bool:
    if word in known:
        return True
    stem = stem_of(word)
    if any(stem_of(other) == stem for other in known):
        return True
    if len(stem) >= 5 and any(stem in other for other in known):
        return True  # compounds: "switch" in "industrieswitches"
    return len(word) >= 5 and any(fuzz.ratio(word, o) >= 87 for o in known)


def stem_of(word: str) -> str:
    """Return a word without the plural endings of our customers' languages."""
    for ending in ("es", "en", "er", "s", "n", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word
