import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servers.crm.reading.cleaning import MASK, clean_line, clean_text, redact, tidy
from servers.crm.reading.html import html_to_text
from servers.crm.reading.replies import split_reply
from servers.toolkit.errors import InvalidInputError

ENGLISH = """Hi,

please quote 12 switches.

Regards
Orla

On Mon, 16 Nov 2026 at 09:12, Lena Brandt <lena@norvane.example> wrote:
> What do you need?
> Best, Lena"""
GERMAN = """Hallo,
wir brauchen 12 Stück.

Am Mo., 16. Nov. 2026 um 09:12 Uhr schrieb Lena Brandt <lena@norvane.example>:

> Was brauchen Sie?"""
OUTLOOK = """Passt so.

Von: Lena Brandt <lena@norvane.example>
Gesendet: Montag, 16. November 2026 09:12
An: Max Muster
Betreff: Angebot

Was brauchen Sie?"""
ORIGINAL = """Fine.

-----Original Message-----
From: Lena
Sent: Monday

What do you need?"""
BETWEEN = """On Mon, 16 Nov 2026, Lena wrote:
> How many?
12 please
> When?
In March"""
PLACES = """We need 12 units:
From: Dublin
To: Cork"""


@pytest.mark.parametrize(
    ("body", "text", "quoted"),
    [
        (ENGLISH, "please quote 12 switches.", "On Mon, 16 Nov"),
        (GERMAN, "wir brauchen 12 Stück.", "Am Mo., 16. Nov."),
        (OUTLOOK, "Passt so.", "Von: Lena"),
        (ORIGINAL, "Fine.", "-----Original"),
        ("12 please\n\n> How many?", "12 please", "> How many?"),
        ("nothing quoted", "nothing quoted", ""),
        (PLACES, "To: Cork", ""),
        ("- 12 switches\n- 3 cables\n\nthanks", "- 3 cables", ""),
    ],
)
def test_a_reply_is_split_from_what_it_quotes(body: str, text: str, quoted: str) -> None:
    split = split_reply(body)
    assert text in split.text
    assert split.quoted_text.startswith(quoted)
    assert "What do you need" not in split.text
    assert "Was brauchen" not in split.text
    assert bool(quoted) == bool(split.quoted_text)


def test_answers_between_quoted_lines_stay_with_their_questions() -> None:
    split = split_reply(BETWEEN)
    assert split.text == BETWEEN
    assert split.flags == ("interleaved",)


def test_a_forwarded_message_is_news() -> None:
    split = split_reply(OUTLOOK, subject="WG: Angebot")
    assert "Was brauchen Sie?" in split.text
    assert split.flags == ("forwarded",)


def test_a_message_that_only_quotes_keeps_its_text() -> None:
    assert split_reply("> How many?").text == "> How many?"


def test_a_signature_below_the_quote_is_no_answer() -> None:
    split = split_reply("12\n\nOn 1 May 2026, Lena wrote:\n> How many?\n\n--\nOrla")
    assert split.text == "12"


@given(st.lists(st.sampled_from(["On 1 May 2026, A wrote:", "> q", "words", "", "From: a@b"])))
def test_splitting_loses_no_line(lines: list[str]) -> None:
    body = tidy("\n".join(lines))
    split = split_reply(body)
    together = f"{split.text}\n{split.quoted_text}".split()
    assert together == body.split()


@pytest.mark.parametrize(
    "hostile",
    ["On " * 20_000, "\n".join(["On " + "x " * 90] * 300), "From:" + " \n" * 30_000, "> " * 30_000],
)
def test_hostile_bodies_are_split_quickly(hostile: str) -> None:
    assert split_reply(tidy(hostile)) is not None  # the suite's timeout is the judge


def test_text_is_normalised_and_freed_of_what_nobody_sees() -> None:
    hostile = "Gro\u0308ße\u200b \u202e99\u202c\U000e0041\ufeff \x1b[31mred\u2066\r\nnext\u2028end"
    assert clean_text(hostile) == "Größe 99 [31mred\nnext\nend"
    assert clean_line(" a \n b\t c ", 4) == "a b "


@pytest.mark.parametrize("bad", ["a\x00b", "half \ud800 pair"])
def test_what_is_no_text_is_refused(bad: str) -> None:
    with pytest.raises(InvalidInputError, match="not text"):
        clean_text(bad)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00")))
def test_cleaning_twice_changes_nothing(text: str) -> None:
    once = tidy(text)
    assert tidy(once) == once
    assert unicodedata.is_normalized("NFC", once)


def test_html_gives_visible_text_only() -> None:
    text, hidden = html_to_text(
        "<style>x</style><p>We need&nbsp;<b>12</b> units</p><ul><li>one<li>two</ul>"
        "<table><tr><td>A</td><td>3</td></tr></table><script>alert(1)</script>"
        '<p style="font-size:0">secret</p><blockquote>earlier words</blockquote>'
    )
    assert text.split("\n") == ["We need 12 units", "- one", "- two", "A | 3", "> earlier words"]
    assert hidden


@pytest.mark.parametrize(
    ("style", "hidden"),
    [
        ("display: none", True),
        ("color:#fff", True),
        ("color:white;background:#00f", False),
        ("background-color:#fff", False),
        ("opacity:0", True),
        ("opacity:0.5", False),
        ("", False),
    ],
)
def test_hidden_text_is_dropped_and_told(style: str, hidden: bool) -> None:
    text, told = html_to_text(f'<p>seen</p><p style="{style}">words</p>')
    assert told is hidden
    assert ("words" in text) is not hidden


def test_broken_html_is_read_as_far_as_it_goes() -> None:
    assert html_to_text("<p>12 <b>units</i></p></div><<td>")[0].startswith("12 units")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("card 4111 1111 1111 1111 ok", "card " + " ".join([MASK * 4] * 4) + " ok"),
        ("order 4111 1111 1111 1112", "order 4111 1111 1111 1112"),
        ("EAN 4006381333931", "EAN 4006381333931"),
        (
            "IBAN DE89 3704 0044 0532 0130 00",
            f"IBAN DE89 {MASK * 4} {MASK * 4} {MASK * 4} {MASK * 3}0 00",
        ),
        ("Password: hunter22", f"Password: {MASK * 8}"),
        ("SW-P8-120 12 pieces", "SW-P8-120 12 pieces"),
    ],
)
def test_secrets_are_masked_in_place(text: str, masked: str) -> None:
    assert redact(text) == masked
    assert len(redact(text)) == len(text)
