"""Settings in JSON are edited where it is meant and nowhere else, whatever they look like."""

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dealdesk.connect.json_edit import TextProblem, cut, parse, put, servers

KEY = "mcpServers"
CRM = {"command": "/opt/dealdesk-crm", "args": ["--profile", "read", "--home", "/data ü"]}
FINANCE = {"command": "/opt/dealdesk-finance", "args": ["--profile", "read"]}
OURS = {"dealdesk-crm": CRM, "dealdesk-finance": FINANCE}


def add(text: str, entries: dict[str, Any] | None = None) -> str:
    return put(text, KEY, OURS if entries is None else entries, comments=True)


def remove(text: str) -> str:
    return cut(text, KEY, list(OURS), comments=True)


SHAPES = {
    "empty object": "{}",
    "empty object and a line end": "{}\n",
    "something else": '{\n  "theme": "dark"\n}\n',
    "another server": '{\n  "mcpServers": {\n    "x": {"command": "x"}\n  }\n}\n',
    "four spaces": '{\n    "mcpServers": {\n        "x": {\n            "a":1\n        }\n    }\n}',
    "tabs": '{\n\t"mcpServers": {\n\t\t"x": {}\n\t},\n\t"n": 1\n}\n',
    "carriage returns": '{\r\n  "mcpServers": {\r\n    "x": {}\r\n  }\r\n}\r\n',
    "no last line end": '{\n  "mcpServers": {\n    "x": {}\n  }\n}',
    "minified": '{"a":1,"mcpServers":{"x":{"command":"x","args":[]}},"b":[1,2]}',
    "minified without": '{"a":1,"b":[1,2]}',
    "one line": '{ "a": 1, "mcpServers": { "x": { "command": "x" } } }',
    "one line inside many": '{\n  "mcpServers": {"x": {"command": "x"}},\n  "z": null\n}\n',
    "byte order mark": '\ufeff{\n  "mcpServers": {\n    "x": {}\n  }\n}\n',
    "the key elsewhere": '{\n  "projects": {"mcpServers": {"y": {}}},\n  "say": "{}"\n}\n',
    "comments": """// mine
{
  /* servers */
  "mcpServers": {
    // the first
    "x": {}, // after
    // "y": {},
  }, // "mcpServers"
}
// end""",
    "a comment at the end": '{\n  "mcpServers": {\n    "x": {} // no comma\n    // last\n  }\n}\n',
    "a comment after the last": '{"mcpServers": {"x": {} // why\n}}',
    "trailing commas": '{\n  "mcpServers": {\n    "x": {"args": [1,],},\n  },\n}\n',
    "trailing comma on one line": '{"mcpServers":{"x":{},},}',
    "the brace on the line": '{"a": 1,\n "mcpServers": {"x": {},\n   "y": {}}}',
    "blank lines": '\n\n{\n\n  "mcpServers": {\n\n    "x": {}\n\n  }\n\n}\n\n',
    "an address": '{\n  "mcpServers": {\n    "x": {"url": "https://a.example/mcp"}\n  }\n}\n',
    "escapes": '{"mcp\\u0053ervers": {"a\\"b\\\\": {"command": "\\ud83d\\ude00 { } // ,"}}}',
    "duplicates elsewhere": '{"mcpServers": {"x": {"a": 1, "a": 2}}, "b": 1, "b": 2}',
}  # fmt: skip


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES)
def test_add_then_remove_gives_the_same_text(text: str) -> None:
    added = add(text)
    data = parse(added, comments=True).data
    assert [data[KEY][name] for name in OURS] == [CRM, FINANCE]
    before = parse(text, comments=True).data
    assert {**data, KEY: None} == {**before, KEY: None}
    assert list(data[KEY]) == [*before.get(KEY, {}), *OURS]
    assert add(added) == added, "a second time changes nothing"
    assert remove(added) == text
    assert remove(text) == text, "and there is nothing to remove from it"


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES)
def test_every_character_stays_in_its_order(text: str) -> None:
    letters = iter(add(text))
    assert all(letter in letters for letter in text), "the old text is a subsequence of the new"


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES)
def test_a_changed_entry_is_replaced_in_place(text: str) -> None:
    changed = {"dealdesk-crm": {"url": "http://127.0.0.1:8000/mcp"}}
    again = add(add(text), changed)
    assert servers(again, KEY, comments=True)["dealdesk-finance"] == FINANCE
    assert servers(again, KEY, comments=True)["dealdesk-crm"] == changed["dealdesk-crm"]
    assert add(again, {"dealdesk-crm": CRM}) == add(text)
    assert remove(again) == text


def test_what_is_written_looks_like_its_surroundings() -> None:
    one = {"dealdesk-crm": {"command": "c", "args": ["a", "b"], "env": {"A": "1"}}}
    assert put("", KEY, one, comments=False) == (
        '{\n  "mcpServers": {\n    "dealdesk-crm": {\n      "command": "c",\n'
        '      "args": ["a", "b"],\n      "env": {\n        "A": "1"\n      }\n    }\n  }\n}\n'
    )
    assert add('{"a":1}', one) == (
        '{"a":1,"mcpServers":{"dealdesk-crm":{"command":"c","args":["a","b"],"env":{"A":"1"}}}}'
    )
    tabs = add('{\r\n\t"mcpServers": {\r\n\t\t"x": {}\r\n\t}\r\n}', {"dealdesk-crm": {"url": "u"}})
    assert tabs == (
        '{\r\n\t"mcpServers": {\r\n\t\t"x": {},\r\n\t\t"dealdesk-crm": {\r\n\t\t\t"url": "u"'
        "\r\n\t\t}\r\n\t}\r\n}"
    )
    assert '"x": {}, // why' in add(SHAPES["a comment after the last"])


@pytest.mark.parametrize("text", ["", " \n", "\ufeff", "\r\n\t"])
def test_a_blank_file_is_an_empty_one(text: str) -> None:
    assert servers(text, KEY, comments=False) == {}
    assert servers(add(text), KEY, comments=False) == OURS
    assert remove(text) == text


BROKEN = {
    '{\n  "mcpServers": {\n    "x": {}\n    "y": {}\n  }\n}': "line 4: a comma or } is expected",
    '{\n  "a": 1,\n}': "line 2: a comma before the end",
    '{\n  // why\n  "a": 1\n}': "line 2: a comment",
    '{\n  "a": [1,\n 2\n': "line 2: is not closed",
    '{"a": nope}': "line 1: a value is expected",
    '{"a": "x\n"}': "line 1: a value is expected",
    '{"a" 1}': "line 1: a colon is expected",
    "{1: 2}": "line 1: a key in quotes is expected",
    "{}\n\n{}": "line 3: something follows the end",
    '{"a": 01}': "line 1: a comma or } is expected",
    '{"a": NaN}': "line 1: a value is expected",
    '{"a":': "line 1: it ends too early",
    "\n[]": "line 2: is not an object",
    '{\n"mcpServers": []\n}': "line 2: 'mcpServers' is not an object",
    '{"mcpServers": {},\n "mcpServers": {}}': "more than once, on lines 1 and 2",
    '{"mcpServers": {"dealdesk-crm": {},\n "dealdesk-crm": 1}}': "more than once, on lines 1 and 2",
    "[" * 100_000: "nested too deeply",
}


@pytest.mark.parametrize(("text", "said"), BROKEN.items(), ids=range(len(BROKEN)))
def test_what_is_not_valid_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(TextProblem, match=re.escape(said)):
        put(text, KEY, OURS, comments=False)


def test_comments_are_only_for_clients_that_have_them() -> None:
    assert parse('{"a": 1, /* b */ }', comments=True).data == {"a": 1}
    with pytest.raises(TextProblem):
        parse('{"a": 1 /* b */ }', comments=False)


# ------------------------------------------------------------------------------- any text at all

WORDS = st.sampled_from(
    ["a", "b", "mcpServers", "servers", "x y", 'q"', "\\", "//", "/*", "{", ",", "ä", "\u2028", ""]
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    WORDS,
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
BLANKS = ["", "", "", " ", "\n", "\n  ", "\r\n\t", "\t"]
COMMENTS = ["// c, }\n", '/* { " */', "\n  // mcpServers\n  ", "/**/"]


@st.composite
def texts(draw: st.DrawFn, root: Any, *, comments: bool) -> str:
    """Write a value with any blanks, comments and trailing commas between its tokens."""
    fillers = st.sampled_from(BLANKS + (COMMENTS if comments else []))

    def gap() -> str:
        return draw(fillers)

    def closing(items: bool) -> str:
        return gap() + ("," + gap() if comments and items and draw(st.booleans()) else "")

    def write(value: Any) -> str:
        if isinstance(value, dict):
            members = [
                f"{gap()}{json.dumps(k, ensure_ascii=draw(st.booleans()))}{gap()}:{gap()}{write(v)}"
                for k, v in value.items()
            ]
            return "{" + f"{gap()},".join(members) + closing(bool(members)) + "}"
        if isinstance(value, list):
            items = [gap() + write(item) for item in value]
            return "[" + f"{gap()},".join(items) + closing(bool(items)) + "]"
        return json.dumps(value, ensure_ascii=draw(st.booleans()))

    return draw(st.sampled_from(["", "\ufeff"])) + gap() + write(root) + gap()


ROOTS = st.dictionaries(WORDS.filter(lambda w: w != KEY), VALUES, max_size=3)
OTHERS = st.dictionaries(WORDS, VALUES, min_size=1, max_size=3)


@settings(max_examples=60)
@given(st.data(), ROOTS, st.none() | OTHERS, st.booleans())
def test_any_settings_get_our_entries_and_lose_only_them(
    data: st.DataObject, root: dict[str, Any], others: dict[str, Any] | None, comments: bool
) -> None:
    root = root if others is None else {**root, KEY: others}
    text = data.draw(texts(root, comments=comments))
    assert parse(text, comments=comments).data == root
    if not comments:
        assert json.loads(text.removeprefix("\ufeff")) == root
    added = put(text, KEY, OURS, comments=comments)
    assert parse(added, comments=comments).data == {**root, KEY: {**(others or {}), **OURS}}
    letters = iter(added)
    if root:
        assert all(letter in letters for letter in text)
    back = cut(added, KEY, list(OURS), comments=comments)
    assert parse(back, comments=comments).data == root
    if root and (KEY not in root or others):
        assert back == text


@given(st.text(alphabet='{}[]",:/* \n\\a1-.et', max_size=30))
def test_any_text_is_read_as_json_reads_it(text: str) -> None:
    try:
        meant = json.loads(text)
    except ValueError:
        with pytest.raises(TextProblem):
            parse(text, comments=False)
    else:
        assert parse(text, comments=False).data == meant
