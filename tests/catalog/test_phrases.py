"""A phrase, read: every unit with its factor, what is wanted and what is not, words as one."""

from decimal import Decimal

import pytest

from servers.catalog.phrases import AttributeTest, Trait, Vocabulary, read, stem, words_of

WORDS = Vocabulary(
    words={"rugged": ("robust",)},
    families={"switches": ("switch",)},
    traits={"poe": Trait(terms=("poe",), any_of=(AttributeTest(attribute="poe_standard"),))},
    specials={"m12": ("m12 plugs",)},
    numbers={"eight": 8},
    stopwords=("the", "and"),
    compound_heads=("kabel",),
    beside=("with",),
    aside=("for",),
    without=("without", "ohne"),
)


@pytest.mark.parametrize(
    ("word", "one"),
    [
        *(("batteries", "battery"), ("dies", "die"), ("switches", "switch"), ("boxes", "box")),
        *(("bus", "bus"), ("gas", "gas"), ("pins", "pin"), ("glass", "glass"), ("axis", "axis")),
        *(("ups", "ups"), ("dishes", "dish"), ("ches", "che"), ("as", "as"), ("", "")),
    ],
)
def test_a_plural_is_counted_as_one(word: str, one: str) -> None:
    assert stem(word) == one


@pytest.mark.parametrize(
    ("phrase", "dimension", "value", "comparison"),
    [
        ("switch 120 W", "W", "120", "="),
        ("switch at least 120 W", "W", "120", ">="),
        ("switch 120 W or more", "W", "120", ">="),
        ("switch up to 120 W", "W", "120", "<="),
        ("UPS 1.5 kVA", "VA", "1500", "="),
        ("UPS 1.500 VA", "VA", "1500", "="),
        ("UPS 0.500 VA", "VA", "0.500", "="),
        ("storage 2 TB", "GB", "2000", "="),
        ("cable 2,5 m", "m", "2.5", "="),
        ("cable 1,500,000 m", "m", "1500000", "="),
        ("module 10g", "Gbit/s", "10", "="),
        ("fibre 2 km", "m reach", "2000", "="),
        ("battery 1.5 kWh", "Wh", "1500", "="),
        ("video 30 days", "days", "30", "="),
    ],
)
def test_a_number_with_its_unit_is_read(
    phrase: str, dimension: str, value: str, comparison: str
) -> None:
    (amount,) = read(phrase, WORDS).amounts
    assert (amount.dimension, amount.value, amount.comparison) == (
        *(dimension, Decimal(value)),
        comparison,
    )


@pytest.mark.parametrize(
    ("phrase", "quantity", "loose"),
    [
        ("switch 500", None, (500,)),
        ("switch 500", 500, ()),
        ("500 switch", None, ()),
        ("switch 123456", None, (123456,)),
        ("switch 1234567", None, ()),
    ],
)
def test_a_number_alone_may_mean_anything_but_the_quantity(
    phrase: str, quantity: int | None, loose: tuple[int, ...]
) -> None:
    assert read(phrase, WORDS, quantity).loose == loose


@pytest.mark.parametrize(
    ("unit", "dimension", "factor"),
    [
        *(("sfp ports", "SFP ports", 1), ("fibre slots", "SFP ports", 1), ("ports", "ports", 1)),
        *(("-port PoE+", "ports", 1), ("p", "ports", 1), ("tunnels", "tunnels", 1)),
        *(("channels", "channels", 1), ("kWh", "Wh", 1000), ("Wh", "Wh", 1), ("kVA", "VA", 1000)),
        *(("VA", "VA", 1), ("kW", "W", 1000), ("watts", "W", 1), ("TB", "GB", 1000)),
        *(("GB", "GB", 1), ("megapixels", "MP", 1), ("Gbit/s", "Gbit/s", 1)),
        *(("km", "m reach", 1000), ("metres", "m", 1), ("HE", "U", 1), ("volts", "V", 1)),
        *(("inch", "inch", 1), ("seats", "seats", 1), ("cores", "cores", 1), ("TOPS", "TOPS", 1)),
    ],
)
def test_every_unit_has_its_dimension_and_factor(unit: str, dimension: str, factor: int) -> None:
    joint = "" if unit.startswith("-") else " "
    (amount,) = read(f"switch 7{joint}{unit}", WORDS).amounts
    assert (amount.dimension, amount.value) == (dimension, 7 * factor)


@pytest.mark.parametrize("days", [30, 60, 90, 180, 365])
def test_days_are_those_that_are_sold(days: int) -> None:
    (amount,) = read(f"video {days} days", WORDS).amounts
    assert (amount.dimension, amount.value) == ("days", days)
    assert read(f"video {days + 1} days", WORDS).amounts == ()


@pytest.mark.parametrize("speed", [1, 10, 25, 40, 100])
def test_a_speed_may_be_written_in_short(speed: int) -> None:
    (amount,) = read(f"switch {speed}g", WORDS).amounts
    assert (amount.dimension, amount.value) == ("Gbit/s", speed)
    assert read("switch 3g", WORDS).amounts == ()


@pytest.mark.parametrize(
    ("phrase", "head", "tail"),
    [
        ("the robust switches", ("rugged", "switch"), ()),
        ("switch with a bracket", ("switch",), ("bracket",)),
        ("switch for the gatehouse", ("switch",), ("gatehouse",)),
        ("could you send for a switch", ("could", "you", "send", "for", "switch"), ()),
        ("switch x y u v", ("switch", "u", "v"), ()),
        ("switch with ab abc", ("switch",), ("abc",)),
        ("switch switch", ("switch",), ()),
        ("Glasfaserkabel", ("glasfaser", "kabel"), ()),
        ("abkabel", ("abkabel",), ()),
        ("abckabel", ("abc", "kabel"), ()),
        ("3 x switch", ("switch",), ()),
        ("24 7 switch", ("24x7", "switch"), ()),
    ],
)
def test_words_stand_for_the_thing_or_for_what_it_is_for(
    phrase: str, head: tuple[str, ...], tail: tuple[str, ...]
) -> None:
    found = read(phrase, WORDS)
    assert (found.head, found.tail) == (head, tail)
    assert found.words == (*head, *tail)


@pytest.mark.parametrize(
    ("phrase", "traits", "unwanted", "specials"),
    [
        ("PoE switch", ("poe",), (), set()),
        ("switch without PoE", (), ("poe",), set()),
        ("switch ohne PoE, PoE", ("poe",), ("poe",), set()),
        ("switch with m12 plugs", (), (), {"m12"}),
        ("switch for m12 plugs", (), (), {"m12"}),
        ("switch with m12 plug", (), (), set()),
    ],
)
def test_traits_and_specials_are_wanted_or_not(
    phrase: str, traits: tuple[str, ...], unwanted: tuple[str, ...], specials: set[str]
) -> None:
    found = read(phrase, WORDS)
    assert (found.traits, found.unwanted, found.specials) == (traits, unwanted, specials)


def test_numbers_may_be_words() -> None:
    (amount,) = read("eight-port switch", WORDS).amounts
    assert (amount.dimension, amount.value) == ("ports", 8)


def test_words_are_lower_case_without_accents_or_plural() -> None:
    assert words_of("Die Größeren Schalter-Boxes (PoE++)") == (
        *("die", "grosseren", "schalter", "box", "poe++"),
    )
