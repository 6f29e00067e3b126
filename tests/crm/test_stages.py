import pytest

from servers.crm.schemas import Outcome, Stage
from servers.crm.stages import (
    CLOSED_STAGES,
    check_outcome,
    check_stage,
    check_version,
    next_stages,
    stage_after,
)
from servers.toolkit.errors import ConflictError, RuleViolationError


@pytest.mark.parametrize(
    ("current", "wanted"),
    [
        (Stage.PROSPECTING, Stage.QUALIFICATION),
        (Stage.PROSPECTING, Stage.PROPOSAL),
        (Stage.PROPOSAL, Stage.PERCEPTION_ANALYSIS),
        (Stage.PROPOSAL, Stage.CLOSED_WON),
        (Stage.NEGOTIATION, Stage.CLOSED_LOST),
        (Stage.PROSPECTING, Stage.CLOSED_LOST),
    ],
)
def test_moves_that_are_allowed(current: Stage, wanted: Stage) -> None:
    check_stage(current, wanted, frozenset())


@pytest.mark.parametrize(
    ("current", "wanted", "words"),
    [
        (Stage.PROSPECTING, Stage.CLOSED_WON, "cannot become closed_won"),
        (Stage.NEGOTIATION, Stage.PROSPECTING, "cannot become prospecting"),
        (Stage.PROPOSAL, Stage.PROPOSAL, "cannot become proposal"),
        (Stage.CLOSED_WON, Stage.NEGOTIATION, "can no longer change"),
        (Stage.CLOSED_LOST, Stage.CLOSED_WON, "can no longer change"),
    ],
)
def test_moves_that_are_refused(current: Stage, wanted: Stage, words: str) -> None:
    with pytest.raises(RuleViolationError, match=words):
        check_stage(current, wanted, frozenset())


def test_a_deal_with_an_accepted_quote_cannot_be_lost() -> None:
    with pytest.raises(RuleViolationError, match="was accepted"):
        check_stage(Stage.PROPOSAL, Stage.CLOSED_LOST, frozenset((Outcome.ACCEPTED,)))


def test_every_open_stage_leads_on_and_no_closed_one_does() -> None:
    for stage in Stage:
        assert bool(next_stages(stage)) is (stage not in CLOSED_STAGES)
        assert stage not in next_stages(stage)


@pytest.mark.parametrize(
    ("current", "wanted", "allowed"),
    [
        (Outcome.DRAFT, Outcome.DRAFT, True),
        (Outcome.DRAFT, Outcome.ISSUED, True),
        (Outcome.DRAFT, Outcome.ACCEPTED, False),
        (Outcome.ISSUED, Outcome.ACCEPTED, True),
        (Outcome.ISSUED, Outcome.DRAFT, False),
        (Outcome.WITHDRAWN, Outcome.ISSUED, False),
        (Outcome.ACCEPTED, Outcome.REJECTED, False),
        (Outcome.REJECTED, Outcome.REJECTED, True),
        (Outcome.ISSUED, Outcome.SUPERSEDED, True),
        (Outcome.ISSUED, Outcome.EXPIRED, True),
        (Outcome.DRAFT, Outcome.EXPIRED, False),
        (Outcome.SUPERSEDED, Outcome.ISSUED, False),
        (Outcome.EXPIRED, Outcome.ACCEPTED, False),
    ],
)
def test_outcomes_only_go_forward(current: Outcome, wanted: Outcome, allowed: bool) -> None:
    if allowed:
        check_outcome(current, wanted)
    else:
        with pytest.raises(RuleViolationError):
            check_outcome(current, wanted)


def test_a_version_that_moved_on_is_a_conflict() -> None:
    check_version(2, 2)
    with pytest.raises(ConflictError, match="it is 3 now"):
        check_version(2, 3)


@pytest.mark.parametrize(
    ("stage", "outcome", "offered", "after"),
    [
        (Stage.QUALIFICATION, Outcome.DRAFT, False, Stage.QUALIFICATION),
        (Stage.PERCEPTION_ANALYSIS, Outcome.ISSUED, False, Stage.PROPOSAL),
        (Stage.PROPOSAL, Outcome.ISSUED, True, Stage.PROPOSAL),
        (Stage.NEGOTIATION, Outcome.ISSUED, True, Stage.NEGOTIATION),
        (Stage.QUALIFICATION, Outcome.ACCEPTED, False, Stage.CLOSED_WON),
        (Stage.NEGOTIATION, Outcome.WITHDRAWN, False, Stage.PERCEPTION_ANALYSIS),
        (Stage.PROPOSAL, Outcome.EXPIRED, False, Stage.PERCEPTION_ANALYSIS),
        (Stage.PROPOSAL, Outcome.WITHDRAWN, True, Stage.PROPOSAL),
        (Stage.QUALIFICATION, Outcome.REJECTED, False, Stage.QUALIFICATION),
        (Stage.CLOSED_LOST, Outcome.ACCEPTED, False, Stage.CLOSED_LOST),
    ],
)
def test_the_stage_follows_the_quotes(
    stage: Stage, outcome: Outcome, after: Stage, *, offered: bool
) -> None:
    assert stage_after(stage, outcome, offered=offered) is after
