"""Goose's settings in YAML are edited where it is meant and nowhere else."""

import re
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dealdesk.connect.json_edit import TextProblem
from dealdesk.connect.yaml_edit import cut, put, servers

KEY = "extensions"
CRM = {"enabled": True, "type": "stdio", "cmd": "/opt/dealdesk-crm", "args": ["--home", "/d ü"]}
FINANCE = {"enabled": True, "type": "streamable_http", "uri": "http://127.0.0.1:8000/finance/mcp"}
OURS = {"dealdesk-crm": CRM, "dealdesk-finance": FINANCE}

SHAPES = {
    "something else": "GOOSE_PROVIDER: anthropic\n",
    "usual": (
        "GOOSE_MODE: auto\nextensions:\n  developer:\n    bundled: true\n    enabled: true\n"
        "    name: developer\n    type: builtin\nGOOSE_MODEL: x\n"
    ),
    "at the end": "a: 1\nextensions:\n  memory:\n    args:\n    - one\n    - two\n",
    "no last line end": "extensions:\n  memory:\n    enabled: true",
    "comments": (
        "# mine\nextensions: # servers\n  # the first\n  memory: {enabled: true} # flow\n"
        "  # another:\n  #   enabled: true\n\n# the rest\nb: 2 # end\n\n"
    ),
    "carriage returns": "a: 1\r\nextensions:\r\n    memory:\r\n        enabled: true\r\nb: 2\r\n",
    "block text": "extensions:\n  x:\n    say: |\n      # not a comment\n      two\n\n\nb: 2\n",
    "block text at the end": "extensions:\n  x:\n    say: >-\n      one\n      two",
    "block text without an extension": "say: |\n  one\n\n  two\n",
    "an alias last": "a: &a {k: 1}\nextensions:\n  x: {}\n  y: *a\nb: 2\n",
    "nothing last": "extensions:\n  x:\n  y:\nb: 2\n",
    "a document's start": "---\nextensions:\n  x: {}\n",
    "quotes over lines": 'extensions:\n  x:\n    say: "one\n      two"\n# end\n',
    "the key elsewhere": "a:\n  extensions:\n    x: 1\nextensions:\n  'y z': {}\n",
    "keys with question marks": "extensions:\n  ? ''\n  : 'a'\n  x y: []\n? ''\n: []\n",
    "byte order mark": "\ufeffextensions:\n  x: {}\n",
}


def remove(text: str) -> str:
    return cut(text, KEY, list(OURS))


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES)
def test_add_then_remove_gives_the_same_text(text: str) -> None:
    before = yaml.safe_load(text)
    added = put(text, KEY, OURS)
    assert yaml.safe_load(added) == {**before, KEY: {**before.get(KEY, {}), **OURS}}
    assert list(servers(added, KEY))[-2:] == list(OURS)
    assert put(added, KEY, OURS) == added, "a second time changes nothing"
    assert remove(added) == text
    assert remove(text) == text, "and there is nothing to remove from it"
    letters = iter(added)
    assert all(letter in letters for letter in text)
    changed = put(added, KEY, {"dealdesk-crm": FINANCE})
    assert servers(changed, KEY)["dealdesk-crm"] == FINANCE
    assert put(changed, KEY, OURS) == added


def test_what_is_written_looks_like_its_surroundings() -> None:
    assert put("", KEY, {"dealdesk-crm": CRM}) == (
        "extensions:\n  dealdesk-crm:\n    enabled: true\n    type: stdio\n"
        "    cmd: /opt/dealdesk-crm\n    args: [--home, /d ü]\n"
    )
    assert put("extensions:\r\n    x: {}\r\n", KEY, {"y": {"a": 1, "b": [1]}}) == (
        "extensions:\r\n    x: {}\r\n    y:\r\n      a: 1\r\n      b: [1]\r\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# mine\n",
        "---\n",
        "extensions:\n",
        "extensions: {} # none\nb: 1\n",
        "a: 1\nextensions: {}",
    ],
)
def test_a_place_that_is_empty_is_filled(text: str) -> None:
    added = put(text, KEY, OURS)
    assert servers(added, KEY) == OURS
    assert servers(remove(added), KEY) == {}
    assert all(line in added for line in text.splitlines() if line.startswith(("#", "b")))


BROKEN = {
    "a: 1\nb: [1\n": "line 3: ",
    "a: 1\n\tb: 2\n": "line 2: ",
    "- a\n- b\n": "line 1: is not a mapping",
    "a: 1\n---\nb: 2\n": "line 2: ",
    "extensions: 5\n": "'extensions' is not a mapping",
    "extensions: {x: {}}\n": "line 1: writes 'extensions' in braces",
    "{a: 1}\n": "line 1: is written in braces",
    "extensions:\n  x: {}\nextensions:\n  y: {}\n": "line 3: has 'extensions' more than once",
    "a: \x00": "is not YAML that can be read",
    "a: !own 1\n": "line 1: ",
}


@pytest.mark.parametrize(("text", "said"), BROKEN.items(), ids=range(len(BROKEN)))
def test_what_cannot_be_edited_is_refused(text: str, said: str) -> None:
    with pytest.raises(TextProblem, match=re.escape(said)):
        put(text, KEY, OURS)


class Plain(yaml.SafeDumper):
    """Writes the same thing twice rather than an alias for it."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - its interface
        return True


def test_an_alias_for_all_extensions_is_refused() -> None:
    with pytest.raises(TextProblem, match="cannot be edited safely"):
        put("a: &a\n  x: {}\nextensions: *a\n", KEY, OURS)


WORDS = st.sampled_from(["a", "b", "extensions", "on", "x y", "#", ": ", "ä", "- c", "", "1"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
ROOTS = st.dictionaries(WORDS.filter(lambda w: w != KEY), VALUES, min_size=1, max_size=3)
OTHERS = st.dictionaries(WORDS, VALUES, min_size=1, max_size=3)


@settings(max_examples=30)
@given(ROOTS, st.none() | OTHERS, st.integers(2, 6), st.booleans())
def test_any_settings_get_our_entries_and_lose_only_them(
    root: dict[str, Any], others: Any, indent: int, last: bool
) -> None:
    if others is not None:
        root = {**root, KEY: others} if last else {KEY: others, **root}
    text = yaml.dump(
        root,
        Dumper=Plain,
        sort_keys=False,
        indent=indent,
        default_flow_style=False,
        allow_unicode=True,
    )
    added = put(text, KEY, OURS)
    assert yaml.safe_load(added) == {**root, KEY: {**(others or {}), **OURS}}
    assert remove(added) == text
