"""The closed words of a goal, from `vocabulary.toml`."""

import tomllib
from importlib.resources import files

_FILE = tomllib.loads((files(__package__) / "vocabulary.toml").read_text(encoding="utf-8"))

FIRM = frozenset(_FILE["limits"].split()) | frozenset(_FILE["counts"].split())
"""Words that change what is asked for: only the names of the account and the deal may hold them."""
SMALL = frozenset(_FILE["small"].split())
SAME: tuple[tuple[str, ...], ...] = tuple(tuple(line.split()) for line in _FILE["same"])
