"""From a phrase to a product: candidates with reasons, resolved only when one is clearly ahead.

A SKU that is written out decides. Otherwise each product is scored by how much of the phrase it
answers: numbers weigh most, then traits, then words. What was asked for as a number or trait and
is not so keeps a product from being resolved; a special that nobody asked for (M12 plugs, a
lacquered board) costs points, so that the plain model wins a plain request.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import pairwise

from servers.catalog.compatibility import sold
from servers.catalog.phrases import Vocabulary, Wanted
from servers.catalog.rulebook import SalesGoal
from servers.catalog.schemas import Candidate, MatchResult, Product
from servers.catalog.scoring import Score, literal, named, score_of
from servers.toolkit.findings import Finding, Severity

RESOLVE = 70
"""A candidate below this is never resolved."""
MARGIN = 8
"""Points by which the best must lead the next."""
SHOW = 40
"""A candidate below this is not shown."""
DECIDING = (
    "form measures ports poe_watts poe_standard managed tunnels memory_gb storage_gb length_m "
    "rack_units mount capacity_w output_voltage va battery_wh plug tier hours mode medium "
    "connector radio megapixel days data_gb screen_inch seats channels reach_m material"
)
"""Attributes a person can be asked about, the most telling first."""


def match(
    wanted: Wanted,
    products: Iterable[Product],
    vocabulary: Vocabulary,
    *,
    day: date | None = None,
    limit: int = 5,
    goals: Sequence[SalesGoal] = (),
    phrase: str = "",
) -> MatchResult:
    """Rank products for a phrase and resolve the one that is clearly meant.

    `products` are what a search for its words and SKUs found; more does no harm. The order date
    says what is still sold; without it the lifecycle alone does. Sales goals order equals. A
    `phrase` that is a SKU and nothing else means it, however short: 7 is no number then.
    """
    known = {product.sku: product for product in products}
    asked = phrase.strip().casefold()
    scores = [literal(wanted, p) for p in known.values() if p.sku.casefold() == asked]
    scores = scores or named(wanted, known, wanted.tokens[: wanted.before])
    if not scores:
        offered = _offered(known.values())
        scores = [
            score_of(wanted, product, vocabulary, offered[product.family])
            for product in known.values()
        ]
        scores = [s for s in scores if s.points >= SHOW]
    if not scores:  # "an offer for SW-P8-120": what stands before names no product of ours
        scores = named(wanted, known, wanted.tokens)
    nudges = {s.product.sku: _nudge(s, goals, day) for s in scores}
    scores.sort(key=lambda s: (-s.points, -nudges[s.product.sku], s.product.sku))
    return _answer(_drop_ended(scores, day), known, wanted, day, limit)


def _offered(products: Iterable[Product]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for product in products:
        found.setdefault(product.family, set()).update(product.specials)
    return {name: frozenset(specials) for name, specials in found.items()}


def _nudge(score: Score, goals: Sequence[SalesGoal], day: date | None) -> int:
    """Return 1, 0 or -1 from the sales goals: they order products that fit equally well."""
    for goal in goals:
        if goal.holds_on(day) and goal.scope.picks(score.product) and goal.goal != "hold":
            score.reasons.append(f"sales goal: {goal.goal} ({goal.note})")
            return 1 if goal.goal == "push" else -1
    return 0


def _ended(product: Product, day: date | None) -> bool:
    if day is not None:
        return not sold(product, day)
    return product.lifecycle in ("eol", "planned")


def _drop_ended(scores: list[Score], day: date | None) -> list[Score]:
    """Leave out what is no longer sold, unless it is what was clearly meant."""
    best = max((s.points for s in scores if not _ended(s.product, day)), default=0)
    return [
        s
        for s in scores
        if not _ended(s.product, day) or s.named or s.points >= max(best + MARGIN, RESOLVE)
    ]


def _answer(
    scores: list[Score], known: Mapping[str, Product], wanted: Wanted, day: date | None, limit: int
) -> MatchResult:
    shown = [_candidate(s.product, s.points, s.reasons) for s in scores[:limit]]
    if not scores:
        return MatchResult(candidates=[], margin=0, findings=[_no_match()])
    best = scores[0]
    margin = best.points - scores[1].points if len(scores) > 1 else best.points
    if best.points < RESOLVE or margin < MARGIN:
        unsure = _ambiguous(scores, wanted, margin)
        return MatchResult(candidates=shown, margin=margin, findings=[unsure])
    if not _ended(best.product, day):
        return MatchResult(candidates=shown, resolved=best.product.sku, margin=margin)
    successor = known.get(best.product.successor_sku or "")
    if successor is None or _ended(successor, day):
        return MatchResult(candidates=shown, margin=margin, findings=[_gone(best.product, None)])
    if all(c.sku != successor.sku for c in shown):
        why = f"the successor of {best.product.sku}"
        shown = [*shown, _candidate(successor, best.points, [why])][-limit:]
    gone = _gone(best.product, successor)
    return MatchResult(candidates=shown, resolved=successor.sku, margin=margin, findings=[gone])


def _candidate(product: Product, points: int, reasons: list[str]) -> Candidate:
    score = min(100, points)
    return Candidate(sku=product.sku, name=product.name, score=score, reasons=reasons[:8])


def _no_match() -> Finding:
    return Finding(
        code="NO_MATCH",
        severity=Severity.WARNING,
        message="No product answers this phrase.",
        rule_id="match.none",
        fix="other words for search_products, or ask the customer what is meant",
    )


def _gone(product: Product, successor: Product | None) -> Finding:
    last = product.last_order_date
    when = f" (last order date {last})" if last else ""
    said = "is not for sale yet" if product.lifecycle == "planned" else "can no longer be ordered"
    return Finding(
        code="EOL_SUCCESSOR" if successor else "EOL",
        severity=Severity.INFO if successor else Severity.WARNING,
        message=f"{product.sku} {said}{when}; "
        + (f"{successor.sku} takes its place." if successor else "it has no successor."),
        subject=product.sku,
        rule_id="match.end-of-life",
        evidence=[f"{product.sku}: last order date {last}"]
        + ([f"{successor.sku}: {successor.name}"] if successor else []),
        fix=f"quote {successor.sku} and say so" if successor else "suggest_substitutes",
    )


def _ambiguous(scores: Sequence[Score], wanted: Wanted, margin: int) -> Finding:
    """Return the finding that names the products it may be, and what tells them apart."""
    near = [s for s in scores if s.points > scores[0].points - MARGIN][:6]
    deciding = _deciding([s.product for s in near])
    skus = ", ".join(s.product.sku for s in near)
    misfit = all(s.misfit for s in near)
    if misfit:
        asked = ", ".join([*(str(a) for a in wanted.amounts), *wanted.traits])
        message = f"No product has everything that was asked for ({asked}); the nearest: {skus}."
    elif len(near) == 1:
        message = f"{skus} is the nearest, but the phrase says too little to be sure."
    else:
        message = f"The phrase fits several products equally well: {skus}."
    return Finding(
        code="NO_EXACT_MATCH" if misfit else "AMBIGUOUS_MATCH",
        severity=Severity.WARNING,
        message=message[:500],
        rule_id="match.ambiguous",
        evidence=[f"{s.product.sku}: {s.points} points, {s.product.name}" for s in near]
        + [f"margin {margin}, needed {MARGIN}; best {scores[0].points}, needed {RESOLVE}"],
        fix=f"ask for {' and '.join(deciding)}"[:300] if deciding else "ask which one is meant",
    )


def _deciding(products: Sequence[Product]) -> list[str]:
    """Return the attributes whose values tell the products apart, with the values."""
    told: list[str] = []
    for name in DECIDING.split():
        values = [product.attributes.get(name) for product in products]
        if any(a != b for a, b in pairwise(values)):
            known = dict.fromkeys(_show(value) for value in values if value is not None)
            told.append(f"{name.replace('_', ' ')} ({' or '.join(known)})")
    return told[:2]


def _show(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
