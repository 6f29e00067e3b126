"""How well a product answers a phrase: points, and the reasons for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rapidfuzz.distance import OSA

from servers.catalog.phrases import DIMENSIONS, Amount, AttributeTest, Vocabulary, Wanted, words_of
from servers.catalog.schemas import Product
from servers.catalog.selection import number

MISFIT = 66
"""The most a product gets that differs from what was asked for; too little to be resolved."""
STRANGER = 35
"""The most a product gets that shares no word with the phrase's main part."""

_AMOUNT, _TRAIT, _WORD, _LOOSE, _TAIL = 20, 15, 10, 7, 2
_UNASKED = 14
_MAX_UNASKED = 28
_LACKING, _MISSING = 18, 6
_MAX_LACKING = 36
_PREFIX = 90


@dataclass
class Score:
    """A product with its points and the reasons for them."""

    product: Product
    points: int = 0
    reasons: list[str] = field(default_factory=list)
    misfit: bool = False
    named: bool = False


def named(wanted: Wanted, known: Mapping[str, Product], tokens: Sequence[str]) -> list[Score]:
    """Return the products whose SKU stands in some tokens, whole or as a clear beginning."""
    spans: dict[str, tuple[int, int]] = {}
    begun: dict[str, tuple[int, int]] = {}
    for sku in known:
        segments = sku.lower().split("-")
        if (span := _find(segments, tokens)) is not None:
            spans[sku] = span
        for count in range(len(segments) - 1, 1, -1):
            part = segments[:count]
            if any(c.isdigit() for c in "".join(part)) and (found := _find(part, tokens)):
                begun[sku] = found
                break
    whole = [
        sku
        for sku, span in spans.items()
        if not any(_inside(span, other) for other in spans.values())
    ]
    if whole:
        return [literal(wanted, known[sku]) for sku in whole]
    longest = max((end - start for start, end in begun.values()), default=0)
    return [
        _begun(wanted, known[sku]) for sku, (start, end) in begun.items() if end - start == longest
    ]


def _find(segments: Sequence[str], tokens: Sequence[str]) -> tuple[int, int] | None:
    """Find a SKU's segments in a phrase's tokens: `SW-P8-120`, `sw p8 120` or `swp8120`.

    Token boundaries must be segment boundaries, so that "sent 4" does not name SEN-T4.
    """
    text = "".join(segments)
    edges = {0}
    for segment in segments:
        edges.add(max(edges) + len(segment))
    for start in range(len(tokens)):
        joined = ""
        for end in range(start, min(start + len(segments), len(tokens))):
            joined += tokens[end]
            if not text.startswith(joined) or len(joined) not in edges:
                break
            if joined == text:
                return start, end + 1
    return None


def _inside(span: tuple[int, int], other: tuple[int, int]) -> bool:
    return other != span and other[0] <= span[0] and span[1] <= other[1]


def literal(wanted: Wanted, product: Product) -> Score:
    score = Score(product, 100, [f"the phrase names {product.sku}"], named=True)
    for amount in wanted.amounts:
        found = _numbers(product, amount)
        if found and not any(amount.holds(n) for n in found):
            score.points, score.misfit = MISFIT, True
            score.reasons.append(f"but asks for {amount}, and it has {found[0]}")
    return score


def _begun(wanted: Wanted, product: Product) -> Score:
    score = Score(product, _PREFIX, [f"the phrase names the beginning of {product.sku}"])
    score.points -= _unasked(wanted, product, score.reasons)
    return score


def score_of(
    wanted: Wanted,
    product: Product,
    vocabulary: Vocabulary,
    family_specials: frozenset[str] = frozenset(),
) -> Score:
    """Return the share of the phrase that a product answers, in points from 0 to 100.

    `family_specials` is what its family offers; lacking one of these weighs more.
    """
    score = Score(product)
    got = possible = 0
    for amount in wanted.amounts:
        possible += _AMOUNT
        got += _AMOUNT * _amount_fits(amount, product, score)
    for name in (*wanted.traits, *wanted.unwanted):
        fits = _trait_fits(name, product, vocabulary, score, wanted=name in wanted.traits)
        possible += _TRAIT
        got += _TRAIT * fits
    for special in sorted(wanted.specials & set(product.specials)):
        score.reasons.append(f"asked for: {special}")
    words = _Words.of(product, vocabulary)
    tenths = [words.tenths(word, wanted.head) for word in wanted.head]
    got += sum(_WORD * t for t in tenths) // 10
    possible += _WORD * len(tenths)
    score.reasons += [f"'{w}'" for w, t in zip(wanted.head, tenths, strict=True) if t >= 5]
    for word in wanted.tail:
        possible += _TAIL
        got += _TAIL * words.tenths(word, wanted.tail) // 10
    for loose in wanted.loose:
        possible += _LOOSE
        if any(number(product, name) == loose for names in DIMENSIONS.values() for name in names):
            got += _LOOSE
            score.reasons.append(f"has {loose}")
    score.points = got * 100 // possible if possible else 0
    score.points -= _unasked(wanted, product, score.reasons, family_specials)
    if tenths and max(tenths) < 5:
        score.points = min(score.points, STRANGER)
    if score.misfit:
        score.points = min(score.points, MISFIT)
    score.points = max(0, score.points)
    return score


def _unasked(
    wanted: Wanted,
    product: Product,
    reasons: list[str],
    family_specials: frozenset[str] = frozenset(),
) -> int:
    """Return the points a product loses for specials not asked for, or asked for and missing."""
    extra = [s for s in product.specials if s not in wanted.specials]
    reasons += [f"special that was not asked for: {special}" for special in extra]
    lost = min(_UNASKED * len(extra), _MAX_UNASKED)
    lacking = [
        _LACKING if special in family_specials else _MISSING
        for special in wanted.specials.difference(product.specials)
    ]
    return lost + min(sum(lacking), _MAX_LACKING)


def _numbers(product: Product, amount: Amount) -> list[int]:
    found = [number(product, name) for name in DIMENSIONS[amount.dimension]]
    return [n for n in found if n]


def _amount_fits(amount: Amount, product: Product, score: Score) -> int:
    found = _numbers(product, amount)
    if any(amount.holds(n) for n in found):
        score.reasons.append(str(amount))
        return 1
    score.misfit = True
    said = f"has {found[0]}" if found else "has none"
    score.reasons.append(f"asked for {amount}, {said}")
    return 0


def _trait_fits(
    name: str, product: Product, vocabulary: Vocabulary, score: Score, *, wanted: bool
) -> int:
    trait = vocabulary.traits[name]
    shown = any(_has(product, test) for test in trait.any_of)
    if not shown and wanted:
        names = {w for term in trait.terms for w in words_of(term)}
        known = any(test.attribute in product.attributes for test in trait.any_of)
        shown = not known and bool(names & set(words_of(product.name)))
    if shown == wanted:
        score.reasons.append(name if wanted else f"without {name}")
        return 1
    score.misfit = True
    score.reasons.append(f"not {name}" if wanted else f"has {name}, which is not wanted")
    return 0


def _has(product: Product, test: AttributeTest) -> bool:
    value = product.attributes.get(test.attribute)
    if test.value is None:
        return bool(value)
    return test.value in value if isinstance(value, list) else value == test.value


@dataclass(frozen=True)
class _Words:
    """The words that stand for a product, by how much they say."""

    strong: frozenset[str]
    weak: frozenset[str]
    faint: frozenset[str]
    aliases: tuple[frozenset[str], ...]

    @classmethod
    def of(cls, product: Product, vocabulary: Vocabulary) -> "_Words":
        name, _, purpose = product.name.partition(" for ")
        values = [v for v in product.attributes.values() if isinstance(v, str)]
        # a part "for" a server is not itself a server, even if its family has that name
        nouns = () if purpose else vocabulary.families.get(product.family, ())
        strong = {*words_of(name), *nouns, *words_of(" ".join(values)), *words_of(product.sku)}
        aliases = tuple(frozenset(words_of(alias)) for alias in product.aliases)
        weak = {*words_of(purpose), *(w for alias in aliases for w in alias)}
        faint = words_of(product.description)
        return cls(frozenset(strong), frozenset(weak), frozenset(faint), aliases)

    def tenths(self, word: str, among: Sequence[str]) -> int:
        """Return how well a word fits, 0 to 10; an alias counts in full when all of it is there."""
        if word in self.strong:
            return 10
        if any(word in alias and alias <= set(among) for alias in self.aliases):
            return 10
        if word in self.weak:
            return 5
        if any(_alike(word, other) for other in self.strong | self.weak):
            return 8
        return 3 if word in self.faint else 0


def _alike(word: str, other: str) -> bool:
    """Say whether a word is a slip of another: one letter in five to eight, two in more."""
    shorter = min(len(word), len(other))
    allowed = 0 if shorter < 5 else 1 if shorter < 9 else 2
    if not allowed or word[0] != other[0] or abs(len(word) - len(other)) > allowed:
        return False
    return OSA.distance(word, other, score_cutoff=allowed) <= allowed
