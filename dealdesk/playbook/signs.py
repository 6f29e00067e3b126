"""The words by which texts are read: patterns that do not mind capitals."""

import re

from servers.toolkit.shipped import shipped

_FILE = shipped(__package__, "signs")


def sign(words: str) -> re.Pattern[str]:
    """Return the pattern of a sign, in capitals or not."""
    return re.compile(words, re.IGNORECASE)


def signs(kind: str) -> dict[str, re.Pattern[str]]:
    """Return the signs of a kind in `signs.toml`, by name."""
    return {name: sign("|".join(words)) for name, words in _FILE[kind].items()}
