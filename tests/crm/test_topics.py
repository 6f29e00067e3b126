import pytest

from servers.crm.topics import Topic, query_words, score


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("the switches they asked about last week", ["switches"]),
        ("die Kameras, nach denen sie gefragt haben", ["kameras", "denen"]),
        ("last week", []),
        ("PoE-Switches & cables", ["poe", "switches", "cables"]),
        ("", []),
    ],
)
def test_small_words_do_not_count(query: str, words: list[str]) -> None:
    assert query_words(query) == words


@pytest.mark.parametrize(
    ("words", "topic", "fit"),
    [
        (["switches"], Topic("Switch renewal"), 100),
        (["switch"], Topic("Industrieswitches"), 100),
        (["swiches"], Topic("Switches"), 100),
        (["kamera"], Topic("Kameras Werk 2"), 100),
        (["switches"], Topic("Line 3", needs=("12 switches",)), 90),
        (["switches"], Topic("Line 3", subjects=("Switches?",)), 80),
        (["switches"], Topic("Line 3", text_words=frozenset(("switches",))), 60),
        (["larkspur"], Topic("Line 3", account="Larkspur Tools"), 70),
        (["switches", "cork"], Topic("Switches"), 50),
        (["cables"], Topic("Switches"), 0),
        ([], Topic("Switches"), 0),
    ],
)
def test_where_a_word_stands_decides_how_much_it_counts(
    words: list[str], topic: Topic, fit: int
) -> None:
    found, reasons = score(words, topic)
    assert found == fit
    assert bool(reasons) is (fit > 0)
