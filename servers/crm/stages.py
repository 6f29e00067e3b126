"""The CRM's rules: which stage and which outcome may follow."""

from collections.abc import Mapping

from servers.crm.schemas import Outcome, Stage
from servers.toolkit.errors import ConflictError, RuleViolationError

OPEN_STAGES: tuple[Stage, ...] = tuple(s for s in Stage if not s.value.startswith("closed"))
_PROPOSAL = OPEN_STAGES.index(Stage.PROPOSAL)
CLOSED_STAGES = frozenset((Stage.CLOSED_WON, Stage.CLOSED_LOST))
OPEN_OUTCOMES = frozenset((Outcome.DRAFT, Outcome.ISSUED))

_CLOSED = (Outcome.WITHDRAWN, Outcome.REJECTED, Outcome.SUPERSEDED)
_OUTCOMES: Mapping[Outcome, frozenset[Outcome]] = {
    Outcome.DRAFT: frozenset((Outcome.ISSUED, *_CLOSED)),
    Outcome.ISSUED: frozenset((Outcome.ACCEPTED, Outcome.EXPIRED, *_CLOSED)),
}


def next_stages(stage: Stage) -> list[Stage]:
    """Return where an opportunity may go: any later open stage, one back, won late, lost always."""
    if stage in CLOSED_STAGES:
        return []
    place = OPEN_STAGES.index(stage)
    back = OPEN_STAGES[place - 1 : place] if place else ()
    won = (Stage.CLOSED_WON,) if stage in (Stage.PROPOSAL, Stage.NEGOTIATION) else ()
    return [*back, *OPEN_STAGES[place + 1 :], *won, Stage.CLOSED_LOST]


def check_stage(current: Stage, wanted: Stage, outcomes: frozenset[Outcome]) -> None:
    """Refuse a move that the stages do not allow, or the outcomes of the opportunity's quotes."""
    if current in CLOSED_STAGES:
        raise RuleViolationError(
            f"the opportunity is {current.value} and can no longer change",
            fix="open a new opportunity",
        )
    allowed = next_stages(current)
    if wanted not in allowed:
        names = ", ".join(stage.value for stage in allowed)
        raise RuleViolationError(
            f"{current.value} cannot become {wanted.value}", fix=f"one of {names}"
        )
    if wanted is Stage.CLOSED_LOST and Outcome.ACCEPTED in outcomes:
        raise RuleViolationError(
            "a quote of this opportunity was accepted, so it cannot be lost", fix="closed_won"
        )


def stage_after(stage: Stage, outcome: Outcome, *, offered: bool) -> Stage:
    """Return where a deal stands after an outcome; `offered`: another of its quotes is open."""
    if stage in CLOSED_STAGES:
        return stage
    if outcome is Outcome.ACCEPTED:
        return Stage.CLOSED_WON
    before, late = stage in OPEN_STAGES[:_PROPOSAL], stage in OPEN_STAGES[_PROPOSAL:]
    if outcome is Outcome.ISSUED and before:
        return Stage.PROPOSAL
    if late and not offered and outcome not in OPEN_OUTCOMES:
        return OPEN_STAGES[_PROPOSAL - 1]
    return stage


def closes(outcome: Outcome) -> frozenset[Outcome]:
    """Return what the deal's earlier quotes stand at that give way to one with this outcome."""
    if outcome is Outcome.DRAFT:
        return frozenset((Outcome.DRAFT,))  # an issued one is open until its revision is issued
    return OPEN_OUTCOMES if outcome in (Outcome.ISSUED, Outcome.ACCEPTED) else frozenset()


def check_open(stage: Stage) -> None:
    """Refuse to change the needs of a closed opportunity, or to open one that is closed."""
    if stage in CLOSED_STAGES:
        raise RuleViolationError(
            f"the opportunity is {stage.value}; its needs can no longer change",
            fix="open a new opportunity",
        )


def check_outcome(current: Outcome, wanted: Outcome) -> None:
    """Refuse an outcome that cannot follow the one on record: none goes back, a final one stays."""
    if wanted is not current and wanted not in _OUTCOMES.get(current, ()):
        raise RuleViolationError(
            f"a quote that is {current.value} cannot become {wanted.value}",
            fix="record the outcome under a new revision",
        )


def check_version(expected: int, found: int) -> None:
    """Refuse a change to a row that somebody changed in between."""
    if expected != found:
        raise ConflictError(
            f"expected version {expected}, but it is {found} now", fix="read it again first"
        )
