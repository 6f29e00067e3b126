"""Points for a product, one reason at a time; and the limits at which a match is shown or made."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from servers.catalog import matching
from servers.catalog.matching import MARGIN, RESOLVE, SHOW, match
from servers.catalog.phrases import Amount, AttributeTest, Trait, Vocabulary, Wanted
from servers.catalog.rulebook import SalesGoal, Selector
from servers.catalog.schemas import Product
from servers.catalog.scoring import MISFIT, STRANGER, Score, named, score_of

from .conftest import TODAY

WORDS = Vocabulary(
    families={"switches": ("switch",)},
    traits={
        "poe": Trait(terms=("poe",), any_of=(AttributeTest(attribute="poe_standard"),)),
        "din": Trait(terms=("din",), any_of=(AttributeTest(attribute="mount", value="din"),)),
    },
)


def product(sku: str = "SW-P8-120", name: str = "Switch", **more: Any) -> Product:
    fields = {"sku": sku, "name": name, "family": "switches", "kind": "goods"}
    return Product.model_validate({**fields, "base_uom": "each", "lifecycle": "active", **more})


def wanted(*head: str, **more: Any) -> Wanted:
    return Wanted(tokens=(), head=head, **more)


def points(asked: Wanted, offered: tuple[str, ...] = (), **more: Any) -> int:
    return score_of(asked, product(**more), WORDS, frozenset(offered)).points


WATTS = Amount(Decimal(120), "W")
ODD = {"name": "Zz", "family": "none", "sku": "QQ-1"}


@pytest.mark.parametrize(
    ("asked", "more", "expected"),
    [
        (wanted("switch"), {}, 100),
        (wanted("switch", "rugged"), {}, 50),
        (wanted("switch", "rugged"), {"aliases": ["rugged box"]}, 75),
        (wanted("switch", "rugged", "box"), {"aliases": ["rugged box"]}, 100),
        (wanted("switch", "cabinet"), {"name": "Switch for cabinet"}, 75),
        (wanted("switch", "sturdy"), {"description": "A sturdy one."}, 65),
        (wanted("switch", "swicth"), {}, 90),
        (wanted("switch", tail=("rugged",)), {}, 83),
        (wanted("switch", tail=("switch",)), {}, 100),
        (wanted("switch", loose=(120,)), {"attributes": {"poe_watts": 120}}, 100),
        (wanted("switch", loose=(120,)), {"attributes": {"poe_watts": 121}}, 58),
        (wanted("switch", amounts=(WATTS,)), {"attributes": {"poe_watts": 120}}, 100),
        (wanted("switch", amounts=(WATTS,)), {"attributes": {"poe_watts": 121}}, 33),
        (wanted("switch", amounts=(WATTS,)), {}, 33),
        (wanted("switch", traits=("poe",)), {"attributes": {"poe_standard": "af"}}, 100),
        (wanted("switch", traits=("poe",)), {}, 40),
        (wanted("switch", traits=("poe",)), {"name": "Switch PoE"}, 100),
        (
            wanted("switch", traits=("poe",)),
            {"name": "PoE", "attributes": {"poe_standard": ""}},
            40,
        ),
        (wanted("switch", unwanted=("poe",)), {}, 100),
        (wanted("switch", unwanted=("poe",)), {"attributes": {"poe_standard": "af"}}, 40),
        (wanted("switch", traits=("din",)), {"attributes": {"mount": "din"}}, 100),
        (wanted("switch", traits=("din",)), {"attributes": {"mount": ["din", "wall"]}}, 100),
        (wanted("switch", traits=("din",)), {"attributes": {"mount": "wall"}}, 40),
        (wanted(), {}, 0),
        (wanted(amounts=(WATTS,)), {"attributes": {"poe_watts": 120}}, 100),
    ],
)
def test_points_are_the_share_that_is_answered(
    asked: Wanted, more: dict[str, Any], expected: int
) -> None:
    assert points(asked, **more) == expected


@pytest.mark.parametrize(
    ("have", "asked", "offered", "lost"),
    [
        ((), (), (), 0),
        (("m12",), (), (), 14),
        (("m12", "lacquer"), (), (), 28),
        (("m12", "lacquer", "rail"), (), (), 28),
        (("m12",), ("m12",), (), 0),
        ((), ("m12",), (), 6),
        ((), ("m12",), ("m12",), 18),
        ((), ("m12", "lacquer"), ("m12", "lacquer"), 36),
        ((), ("m12", "lacquer", "rail"), ("m12", "lacquer", "rail"), 36),
        ((), ("m12", "lacquer", "rail"), ("m12", "lacquer"), 36),
        ((), ("m12", "lacquer"), ("m12",), 24),
        (("rail",), ("m12",), ("m12",), 32),
    ],
)
def test_specials_cost_points_when_unasked_or_missing(
    have: tuple[str, ...], asked: tuple[str, ...], offered: tuple[str, ...], lost: int
) -> None:
    said = wanted("switch", specials=frozenset(asked))
    assert points(said, offered, specials=list(have)) == 100 - lost


def test_a_product_that_differs_or_shares_no_word_stays_low() -> None:
    """However much else of it answers."""
    rest = tuple(Amount(Decimal(n), d) for n, d in ((8, "ports"), (16, "GB"), (2, "U"), (9, "m")))
    has = {"ports": 8, "memory_gb": 16, "rack_units": 2, "length_m": 9}
    misfit = score_of(wanted("switch", amounts=(*rest, WATTS)), product(attributes=has), WORDS)
    assert (misfit.points, misfit.misfit) == (MISFIT, True)
    assert MISFIT < RESOLVE
    assert points(wanted("camera", amounts=rest), attributes=has) == STRANGER < SHOW
    assert points(wanted("cabinet", amounts=rest), name="Box for cabinet", attributes=has) == 94
    assert points(wanted("switch", specials=frozenset("abcdef")), ("a", "b"), **ODD) == 0


@pytest.mark.parametrize(
    ("comparison", "found"),
    [
        ("=", {119: False, 120: True, 121: False}),
        (">=", {119: False, 120: True, 121: True}),
        ("<=", {119: True, 120: True, 121: False}),
    ],
)
def test_an_amount_is_exact_at_least_or_at_most(comparison: Any, found: dict[int, bool]) -> None:
    amount = Amount(Decimal(120), "W", comparison)
    assert {n: amount.holds(n) for n in found} == found


@pytest.mark.parametrize(
    ("tokens", "whole", "begun"),
    [
        ("sw p8 120", {"SW-P8-120"}, set()),
        ("an offer for swp8120 please", {"SW-P8-120"}, set()),
        ("sw p8 120 m12", {"SW-P8-120-M12"}, set()),
        ("sw p8 240 or sw p8 120", {"SW-P8-240", "SW-P8-120"}, set()),
        ("sw p8", set(), {"SW-P8-120", "SW-P8-240", "SW-P8-120-M12"}),
        ("the sw p8 121", set(), {"SW-P8-120", "SW-P8-240", "SW-P8-120-M12"}),
        *((words, set(), set()) for words in ("sw", "sw p", "swp 8120", "p8 120", "sen t5", "")),
    ],
)
def test_a_sku_is_named_whole_or_by_its_beginning(
    tokens: str, whole: set[str], begun: set[str]
) -> None:
    known = {s: product(s) for s in ("SW-P8-120", "SW-P8-240", "SW-P8-120-M12", "SEN-T4")}
    found = named(wanted(), known, tokens.split())
    assert {score.product.sku for score in found if score.named} == whole
    assert {score.product.sku for score in found if not score.named} == begun
    assert all(score.points == (100 if score.named else 90) for score in found)


def test_a_name_whose_number_differs_is_a_misfit() -> None:
    known = {"SW-P8-120": product(attributes={"poe_watts": 120})}
    for watts, least in ((120, 100), (121, MISFIT)):
        asked = wanted(amounts=(Amount(Decimal(watts), "W"),))
        (score,) = named(asked, known, ["sw", "p8", "120"])
        assert (score.points, score.misfit) == (least, least == MISFIT)
    (score,) = named(wanted(amounts=(Amount(Decimal(8), "ports"),)), known, ["sw", "p8", "120"])
    assert score.points == 100, "what is not on file contradicts nothing"


@pytest.mark.parametrize(
    ("word", "other", "alike"),
    [
        *(("abcd", "abce", False), ("abcde", "abcdf", True), ("abcdefgh", "abcdefgx", True)),
        *(("abcdefgh", "abcdefxy", False), ("abcdefghi", "abcdefgxy", True)),
        *(("abcdefghi", "abcdefxyz", False), ("abcde", "xbcde", False), ("abcde", "abcd", False)),
        *(("abcdef", "abcde", True), ("abcdefg", "abcde", False), ("abcde", "abdce", True)),
        *(("abcdef", "abdcfe", False), ("abcdefghi", "abdcefgih", True), ("abcde", "abcde", True)),
        *(("abcdefghi", "abcdefg", False), ("abcdefghijk", "abcdefghi", True)),
    ],
)
def test_a_slip_is_one_letter_in_five_and_two_in_nine(
    word: str, other: str, *, alike: bool
) -> None:
    """A word that is only alike is worth eight tenths of the word."""
    for asked, has in ((word, other), (other, word)):
        more = {"name": has.title(), "family": "none", "sku": "QQ-1"}
        expected = 100 if word == other else 90 if alike else 50
        assert points(wanted("qq", asked), **more) == expected


# the limits of a match


def ranked(*scores: int, **more: Any) -> Any:
    """A match among products that were given these points."""
    known = {f"SW-{n}": product(f"SW-{n}", **more.get(f"SW-{n}", {})) for n in range(len(scores))}
    given = {f"SW-{n}": value for n, value in enumerate(scores)}
    return known, given


def matched(
    monkeypatch: pytest.MonkeyPatch, *scores: int, day: date | None = TODAY, **more: Any
) -> Any:
    known, given = ranked(*scores, **{k: v for k, v in more.items() if k.startswith("SW-")})

    def score(_wanted: Any, one: Product, *_rest: Any) -> Score:
        return Score(one, given.get(one.sku, 0))

    monkeypatch.setattr(matching, "score_of", score)
    settings = {k: v for k, v in more.items() if not k.startswith("SW-")}
    return match(wanted("switch"), known.values(), WORDS, day=day, **settings)


@pytest.mark.parametrize(
    ("best", "next_", "resolved"),
    [
        (RESOLVE - 1, 0, False),
        (RESOLVE, 0, True),
        (RESOLVE, RESOLVE - MARGIN + 1, False),
        (RESOLVE, RESOLVE - MARGIN, True),
        (RESOLVE, RESOLVE - MARGIN - 1, True),
        (100, 100, False),
    ],
)
def test_the_best_is_resolved_when_it_is_good_enough_and_leads(
    monkeypatch: pytest.MonkeyPatch, best: int, next_: int, *, resolved: bool
) -> None:
    found = matched(monkeypatch, best, next_)
    assert found.resolved == ("SW-0" if resolved else None)
    assert found.margin == best - (next_ if next_ >= SHOW else 0)
    assert bool(found.findings) is not resolved


def test_what_is_shown_is_good_enough_and_no_more_than_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = matched(monkeypatch, SHOW - 1, SHOW, SHOW + 1, limit=5)
    assert [one.sku for one in found.candidates] == ["SW-2", "SW-1"]
    assert len(matched(monkeypatch, 50, 50, 50, limit=2).candidates) == 2
    none = matched(monkeypatch, SHOW - 1)
    assert [one.code for one in none.findings] == ["NO_MATCH"]


@pytest.mark.parametrize(
    ("goal", "first", "last", "order"),
    [
        ("push", None, None, ["SW-1", "SW-0"]),
        ("sunset", None, None, ["SW-0", "SW-1"]),
        ("hold", None, None, ["SW-0", "SW-1"]),
        ("push", TODAY, TODAY, ["SW-1", "SW-0"]),
        ("push", TODAY + timedelta(days=1), None, ["SW-0", "SW-1"]),
        ("push", None, TODAY - timedelta(days=1), ["SW-0", "SW-1"]),
    ],
)
def test_a_sales_goal_orders_equals_while_it_is_in_force(
    monkeypatch: pytest.MonkeyPatch,
    goal: Any,
    first: date | None,
    last: date | None,
    order: list[str],
) -> None:
    scope = Selector(skus=("SW-1",))
    one = SalesGoal(scope=scope, goal=goal, note="n", valid_from=first, valid_to=last)
    found = matched(monkeypatch, 60, 60, goals=[one])
    assert [candidate.sku for candidate in found.candidates] == order
    better = matched(monkeypatch, 61, 60, goals=[one])
    assert better.candidates[0].sku == "SW-0"


ENDED = {"lifecycle": "eol"}


@pytest.mark.parametrize(
    ("ended", "sold", "shown"),
    [
        (RESOLVE - 1, 0, False),
        (RESOLVE, 0, True),
        (RESOLVE, RESOLVE - MARGIN, True),
        (RESOLVE, RESOLVE - MARGIN + 1, False),
        (90, 90 - MARGIN, True),
        (90, 91 - MARGIN, False),
    ],
)
def test_what_has_ended_is_left_out_unless_clearly_meant(
    monkeypatch: pytest.MonkeyPatch, ended: int, sold: int, *, shown: bool
) -> None:
    found = matched(monkeypatch, ended, sold, **{"SW-0": ENDED})
    assert ("SW-0" in [one.sku for one in found.candidates]) is shown
    if shown:
        assert found.resolved is None
        assert [one.code for one in found.findings] == ["EOL"]


def test_a_successor_takes_the_place_of_what_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = {**ENDED, "successor_sku": "SW-1"}
    found = matched(monkeypatch, 100, 50, 60, limit=2, **{"SW-0": gone})
    assert found.resolved == "SW-1"
    assert [(one.sku, one.score) for one in found.candidates] == [("SW-2", 60), ("SW-1", 100)]
    assert [one.code for one in found.findings] == ["EOL_SUCCESSOR"]
    above = matched(monkeypatch, 120, limit=1, **{"SW-0": gone, "SW-1": {"lifecycle": "active"}})
    assert above.resolved is None, "a successor that was not found is not quoted"
    both = matched(monkeypatch, 120, 10, limit=3, **{"SW-0": gone})
    assert [(one.sku, one.score) for one in both.candidates] == [("SW-0", 100), ("SW-1", 100)]
    both = matched(monkeypatch, 100, 50, **{"SW-0": gone, "SW-1": ENDED})
    assert both.resolved is None
    planned = matched(monkeypatch, 100, day=None, **{"SW-0": {"lifecycle": "planned"}})
    assert [one.code for one in planned.findings] == ["EOL"]
    assert planned.findings[0].message == "SW-0 is not for sale yet; it has no successor."


def test_between_equals_it_is_said_what_would_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    near = {f"SW-{n}": {"attributes": {"ports": 8 * n, "managed": n > 0}} for n in range(3)}
    found = matched(monkeypatch, 60, 60 - MARGIN + 1, 60 - MARGIN, **near)
    (said,) = found.findings
    assert said.code == "AMBIGUOUS_MATCH"
    assert "SW-0, SW-1." in said.message
    assert said.fix == "ask for ports (0 or 8) and managed (no or yes)"
    alone = matched(monkeypatch, RESOLVE - 1)
    assert "is the nearest, but the phrase says too little" in alone.findings[0].message
