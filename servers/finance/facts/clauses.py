"""Clauses of the library, as approved texts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from servers.finance.facts.windows import Window

DEFAULT_LANGUAGE = "en"


@dataclass(frozen=True)
class Clause:
    """A clause in one version and language; `when` maps a key to the values of which one holds.

    `jurisdiction` is the country whose law the text was written for; empty is any.
    """

    clause_id: str
    version: int
    topic: str
    title: str
    text: str
    sha256: str
    window: Window
    when: Mapping[str, tuple[str, ...]]
    language: str = DEFAULT_LANGUAGE
    jurisdiction: str = ""
    status: str = "approved"
    mandatory: bool = False
    conflicts_with: tuple[str, ...] = ()
    owner: str = ""
    approved_by: str = ""
    approved_on: date | None = None
