"""How well an opportunity answers a query: words of the query against its names and texts. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from servers.crm.matching import fold

MAX_WORDS = 16
WEIGHTS = {"name": 100, "need": 90, "subject": 80, "account": 70, "text": 60}
_SMALL = frozenset(
    re.findall(
        r"\S+",
        """a about again all also am an and any are as ask asked at be been but by can could deal
        discount percent rabatt sconto did do does for from get got had has have he her him his i if in is it its just last make me
        month my need needed needs new of off offer on one opportunity or order our out please price
        quarter quote quoted quotes request send she so some talked than that the their them then
        they this those to today told us wanted wants was we week were what when which who with
        would year yesterday you your
        ab aber alle als am an angebot auch auf aus bei bitte das dem den der des die diese dieser
        ein eine einen einer er es fur gefragt haben hat ich ihr im in ist kunde letzte letzten
        letzter fuer furs bis mit monat nach nicht oder sie sind und uns vom von war was wegen wir woche
        wollen zu zum zur
        al antes con de del el en haz la las los para por una un
        des du et la le les pour sur une avec devis
        alla che da dei il lo per una offerta
        een en het met van voor""",
    )
)


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
