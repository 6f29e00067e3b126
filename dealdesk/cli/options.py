"""The options that many commands take, each declared once, with its help."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from cyclopts import Parameter

from servers.registry import NAMES


def doc(words: str, **more: Any) -> Parameter:
    """Return what `--help` says of an option; more as cyclopts's Parameter takes it."""
    return Parameter(help=words, **more)


if TYPE_CHECKING:  # a type checker takes no literal that is computed
    Server: TypeAlias = str
    ServerOrAll: TypeAlias = str
else:
    Server = Literal[NAMES]
    ServerOrAll = Literal[(*NAMES, "all")]
QuoteId = Annotated[str, doc("The quote: its id or its printed number.")]
RunId = Annotated[str, doc("The run.")]
LineId = Annotated[str | None, doc("One line of it, l1 say (default: all).")]
Home = Annotated[str | None, doc("The data folder.")]
Json = Annotated[bool, doc("Print one JSON document, nothing else.")]
View = Annotated[Literal["customer", "internal"], doc("What a customer may see, or everything.")]
Out = Annotated[
    str | None, doc("Folder for the quote's files (default: quotes in the data folder).")
]
Person = Annotated[
    str | None,
    doc(
        "Who does it: the person's id in finance (default: DEALDESK_PERSON). Their token proves "
        "it: typed at a terminal, or in DEALDESK_PERSON_TOKEN.",
        name="--as",
    ),
]
Model = Annotated[
    str | None, doc("Who plays the agents: playbook (rules, no key), claude, or a model id.")
]


@Parameter(name="*")
@dataclass(frozen=True)
class Acting:
    """A named person acts."""

    person: Person = None
    home: Home = None
    json: Json = False


@Parameter(name="*")
@dataclass(frozen=True)
class Asked(Acting):
    """A named person acts, and is asked once more at a terminal."""

    yes: Annotated[bool, doc("Do not ask again.")] = False


@Parameter(name="*")
@dataclass(frozen=True)
class Decision(Asked):
    """A named person decides about a quote, or about the run that waits with it."""

    note: Annotated[str, doc("Why.")] = ""
    rule: Annotated[list[str] | None, doc("A rule to decide, by its name; may be given again.")] = (
        None
    )
    every: Annotated[
        bool,
        doc(
            "Decide all rules that are shown; where nobody is asked, say this or --rule.",
            name="--all",
            negative=(),
        ),
    ] = False


@Parameter(name="*")
@dataclass(frozen=True)
class Playing:
    """How a run is played and shown."""

    model: Model = None
    out: Out = None
    home: Home = None
    json: Json = False
    ndjson: Annotated[bool, doc("Print every event as a line of JSON.")] = False


ACTING, ASKED, DECISION, PLAYING = Acting(), Asked(), Decision(), Playing()
"""What a command takes when nothing is said."""


def shown_default(value: object) -> str | None:
    """Return a default as `--help` shows it; nothing where leaving an option out says it all."""
    return None if value in (None, False, "", ()) else str(value)
