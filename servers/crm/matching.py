"""Which account a text means: normalised names first, then contacts, then likeness.

Pure functions over small tuples, so that the order of precedence can be tested as a table.
A legal form ("GmbH", "plc") is set apart before names are compared, because it makes short names
look alike; two different ones for the same name are two companies, and nothing guesses between.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from rapidfuzz import fuzz

from servers.toolkit.shipped import shipped

EXACT, MAIL, CONTACT, NAMED, SHORT, FIRST_NAME = 100, 98, 95, 92, 86, 80
FUZZY_FLOOR, ALMOST, RESOLVE_FLOOR, MARGIN, OTHER_FORM = 84, 87, 76, 8, 70

_FILE = shipped(__package__, "matching")
FREE_MAIL = frozenset(_FILE["free_mail"].split())
_FORMS: Mapping[str, str] = {
    form: group for group, forms in _FILE["forms"].items() for form in forms
}
_LONGEST_FORM = max(len(form.split()) for form in _FORMS)
_FILLERS = frozenset(("the", "der", "die", "das", "la", "le", "el", "and", "und", "et", "y", "e"))
_COMMON = frozenset(_FILE["common"].split())
_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "Ø": "o", "æ": "ae", "đ": "d", "ł": "l", "Ł": "l"})
_MAIL = re.compile(r"[\w.+-]{1,64}@([\w-]{1,63}(?:\.[\w-]{1,63}){1,5})")
_DOMAIN = re.compile(r"(?:https?://)?(?:www\.)?((?:[a-z0-9-]{1,63}\.){1,4}[a-z]{2,24})\b/?")


@dataclass(frozen=True)
class Name:
    """A name in the form names are compared in, and its legal form apart."""

    core: str
    form: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(self.core.split())


@dataclass(frozen=True)
class Known:
    """What matching needs to know about an account."""

    account_id: str
    names: tuple[Name, ...]
    contacts: tuple[tuple[str, str], ...] = ()
    """Pairs of a contact's name and e-mail address."""
    initials: frozenset[str] = frozenset()
    """Names that are a few capitals ("A&F"); inside a phrase they count only as written."""

    @property
    def people_first(self) -> frozenset[str]:
        """The first names of its contacts, folded, those long enough to mean somebody."""
        firsts = (_fold_person(person).partition(" ")[0] for person, _ in self.contacts)
        return frozenset(first for first in firsts if len(first) >= 4)

    @property
    def forms(self) -> frozenset[str]:
        return frozenset(name.form for name in self.names if name.form)


@dataclass(frozen=True)
class Match:
    """How well an account fits a text, and why."""

    account_id: str
    score: int
    reason: str
    words: frozenset[str] = frozenset()
    """The words of the text that the account answers."""
    named_by: frozenset[str] = frozenset()
    """The words of the text that name it or one of its contacts, whichever way they do."""


@dataclass(frozen=True)
class Ranking:
    """Accounts in order, the one that is clearly meant, and by how much it leads."""

    matches: tuple[Match, ...] = ()
    resolved: str | None = None
    margin: int = 0


@dataclass
class _Best:
    found: dict[str, Match] = field(default_factory=dict)
    named_by: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def offer(
        self,
        account_id: str,
        score: int,
        reason: str,
        words: Iterable[str] = (),
        person: Iterable[str] = (),
    ) -> None:
        if score >= RESOLVE_FLOOR:
            self.named_by[account_id].update(words, person)
        if score > (self.found[account_id].score if account_id in self.found else 0):
            self.found[account_id] = Match(account_id, score, reason, frozenset(words))


def fold(text: str) -> str:
    """Return text without case, accents and punctuation; `&` and `+` read as `and`."""
    text = re.sub(r"[&+]", " and ", text.translate(_LETTERS))
    plain = "".join(
        c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c)
    )
    return " ".join(re.sub(r"['’`´]", "", plain).translate(_PUNCTUATION).split())


class _Punctuation(dict[int, str]):
    """Turns every character that is neither letter nor digit into a blank."""

    def __missing__(self, key: int) -> str:
        self[key] = chr(key) if chr(key).isalnum() else " "
        return self[key]


_PUNCTUATION = _Punctuation()


@lru_cache(maxsize=65_536)
def normalize(text: str) -> Name:
    """Return a company name ready to compare: folded, fillers dropped, legal form set apart."""
    words = fold(text).split()
    form = ""
    for length in range(min(_LONGEST_FORM, len(words) - 1), 0, -1):
        if (ending := " ".join(words[-length:])) in _FORMS:
            words, form = words[:-length], _FORMS[ending]
            break
    kept = [word for word in words if word not in _FILLERS] or words
    return Name(" ".join(kept), form)


@lru_cache(maxsize=65_536)
def _fold_person(name: str) -> str:
    return fold(name)


def domain_of(address: str) -> str:
    """Return the domain of a mail address, in small letters."""
    return address.rpartition("@")[2].strip().lower()


def addresses_in(text: str) -> tuple[list[str], set[str]]:
    """Return the mail addresses of a text in small letters, and the domains it names."""
    mails = [m.group().lower() for m in _MAIL.finditer(text)]
    return mails, {domain_of(mail) for mail in mails} | set(_DOMAIN.findall(text.lower()))


def rank(text: str, accounts: Sequence[Known], limit: int = 5) -> Ranking:
    """Rank the accounts that a text may mean.

    Args:
        text: A company's name or short name, a person's name, a mail address, or a phrase
            that holds one of those.
        accounts: The accounts the caller may see.
    """
    best = _Best()
    ids = frozenset(re.findall(r"\bacc_[A-Za-z0-9_-]+", text))
    name, folded = normalize(text), fold(text)
    # words inside a phrase that are written like names
    inner = frozenset(fold(word) for word in text.split()[1:] if word[:1].isupper())
    mails, domains = addresses_in(text)
    for account in accounts:
        if account.account_id in ids:
            best.offer(account.account_id, EXACT, "the account id")
        initials = [
            word
            for short in account.initials
            if re.search(rf"(?<!\w){re.escape(short)}(?!\w)", text)
            for word in fold(short).split()
        ]
        if initials:
            best.offer(account.account_id, NAMED, "its initials", person=initials)
        _by_contact(best, account, folded, mails, domains - FREE_MAIL)
        if firsts := account.people_first & inner:
            best.offer(account.account_id, FIRST_NAME - 2, "a contact's first name", person=firsts)
        for known in account.names:
            _by_name(best, account, name, known)
    found = [
        replace(match, named_by=frozenset(best.named_by[match.account_id]))
        for match in best.found.values()
    ]
    matches = _without_parts(found)
    order = sorted(matches, key=lambda match: (-match.score, match.account_id))
    return _decide(order, limit)


def _decide(order: Sequence[Match], limit: int) -> Ranking:
    if not order:
        return Ranking()
    first, second = order[0], order[1].score if len(order) > 1 else 0
    margin = first.score - second
    # an exact name comes before every similar one, however similar
    clear = margin > 0 if first.score >= EXACT else margin >= MARGIN
    resolved = first.account_id if clear and first.score >= RESOLVE_FLOOR else None
    return Ranking(tuple(order[:limit]), resolved, margin)


def _without_parts(matches: Sequence[Match]) -> list[Match]:
    """Put back accounts that answer only some of the words that another one answers.

    "Contoso Pharma" holds the whole name of Contoso Ltd, and still means the other company.
    """
    kept = []
    for match in matches:
        fuller = [m.score for m in matches if match.words and match.words < m.words]
        ceiling = max(fuller, default=0) - MARGIN
        put_back = fuller and match.score > ceiling and match.score < EXACT
        kept.append(replace(match, score=max(1, ceiling)) if put_back else match)
    return kept


def _by_name(best: _Best, account: Known, name: Name, known: Name) -> None:
    if not known.core or not name.core:
        return
    score, reason, words = _likeness(name, known)
    other_form = name.form and account.forms and name.form not in account.forms
    if other_form and reason not in (HOLDS, HOLDS_ALMOST):
        score, reason = min(score, OTHER_FORM), f"{reason}, but another legal form"
    best.offer(account.account_id, score, reason, words)


HOLDS = "the text holds the name"
HOLDS_ALMOST = "the text holds a similar name"


def _likeness(name: Name, known: Name) -> tuple[int, str, Sequence[str]]:
    """Return score, reason and the words of the text that are answered."""
    if name.core == known.core:
        return EXACT, "the same name", name.words
    telling = len(name.core) >= 4 and not set(name.words) <= _COMMON
    if _inside(known.core, name.core) and len(known.core) >= 4:
        return NAMED, HOLDS, known.words
    begun = name.core if len(name.words) > 1 else f"{name.core} "
    if telling and f"{known.core} ".startswith(begun):
        return SHORT, "the name starts like this", name.words
    if set(name.words) < set(known.words) and len(name.core) >= 4:
        return (SHORT - 4 if telling else OTHER_FORM), "part of the name", name.words
    like = max(
        fuzz.token_sort_ratio(name.core, known.core),
        fuzz.ratio(name.core.replace(" ", ""), known.core.replace(" ", "")),
    )
    if like >= FUZZY_FLOOR and not _other_word(name.words, known.words):
        return round(like) - 2, "a similar name", name.words
    start = " ".join(known.words[: len(name.words)])
    if telling and len(name.core) >= 5 and fuzz.ratio(name.core, start) >= FUZZY_FLOOR:
        return SHORT - 6, "the name starts almost like this", name.words
    if words := _held_almost(name, known):
        return SHORT - 2, HOLDS_ALMOST, words
    return 0, "", ()


def _held_almost(name: Name, known: Name) -> Sequence[str]:
    """Return the words of a phrase that spell a name with a mistake, or none."""
    length = len(known.words)
    if len(name.words) <= length or len(known.core) < 6:
        return ()
    for place in range(len(name.words) - length + 1):
        words = name.words[place : place + length]
        alike = words[0][0] == known.core[0] and fuzz.ratio(" ".join(words), known.core) >= ALMOST
        if alike and not _other_word(words, known.words):
            return words
    return ()


def initials_of(names: Iterable[str]) -> frozenset[str]:
    """Return the names that are a few capitals and nothing else."""
    return frozenset(n for n in names if 2 <= len(n) <= 5 and n.isupper())


def _inside(part: str, whole: str) -> bool:
    return f" {part} " in f" {whole} "


def _other_word(left: Sequence[str], right: Sequence[str]) -> bool:
    """Say whether the names share words and differ in one that is no typing mistake."""
    rest, other = set(left) - set(right), set(right) - set(left)
    if len(rest) != 1 or len(other) != 1 or not set(left) & set(right):
        return False
    return fuzz.ratio(rest.pop(), other.pop()) < 60


def _by_contact(
    best: _Best, account: Known, folded: str, mails: Iterable[str], domains: Iterable[str]
) -> None:
    words, mine = folded.split(), account.account_id
    for person, address in account.contacts:
        if address and address.lower() in mails:
            best.offer(mine, EXACT, "a contact's mail address", person=fold(address).split())
        elif address and domain_of(address) in domains:
            best.offer(mine, MAIL, "a contact's mail domain")
        full = _fold_person(person)
        if not full:
            continue
        if " " in full and _inside(full, folded):
            best.offer(mine, CONTACT, "a contact's name", person=full.split())
        elif len(words) == len(full.split()) >= 2 and fuzz.token_sort_ratio(full, folded) >= 90:
            best.offer(mine, CONTACT - 6, "a name like a contact's", person=words)
        elif len(words) <= 2 and len(full.split()[0]) >= 3 and full.split()[0] in words[:1]:
            best.offer(mine, FIRST_NAME, "a contact's first name", person=words[:1])
        elif len(words) == 1 and len(words[0]) >= 4 and words[0] == full.split()[-1]:
            best.offer(mine, FIRST_NAME, "a contact's family name", person=words)


def looks_like(left: str, right: str) -> bool:
    """Say whether a mail domain could pose as another: a typing mistake, or the name with more."""
    if left == right or left.endswith(f".{right}"):
        return False
    looks = str.maketrans({"0": "o", "1": "l", "i": "l", "5": "s", "3": "e"})
    same = left.translate(looks).replace("rn", "m") == right.translate(looks).replace("rn", "m")
    label = right.split(".")[0]
    return same or (len(label) >= 5 and label in left) or fuzz.ratio(left, right) >= 90
