"""The number a command ends with: one for every outcome and every kind of error."""

import pytest

from dealdesk.cli import main
from dealdesk.cli.exit_codes import OUTCOMES, code_of
from dealdesk.cli.run_result import WORDS
from orchestrator import errors
from servers.toolkit.errors import DomainError

KINDS = {
    "DealdeskError": 1,
    "UsageError": 2,
    "OtherPlayer": 2,
    "EnvironmentProblem": 3,
    "WorkflowError": 3,
    "ScopeError": 3,
    "CredentialsError": 4,
    "ToolRefused": 1,
    "WrongAnswer": 1,
    "AgentFailed": 1,
    "BudgetExceeded": 11,
    "ModelError": 1,
    "ModelUnavailable": 1,
    "ModelRefused": 1,
    "AnswerCutOff": 1,
    "ContextExceeded": 1,
}


def kinds() -> list[type[errors.DealdeskError]]:
    named = (kind for kind in vars(errors).values() if isinstance(kind, type))
    return [kind for kind in named if issubclass(kind, errors.DealdeskError)]


def test_every_kind_of_error_has_its_number() -> None:
    assert {kind.__name__: code_of(kind("no")) for kind in kinds()} == KINDS


def test_every_outcome_has_words_and_a_number() -> None:
    assert set(WORDS) == set(OUTCOMES)


def test_a_database_that_cannot_be_used_is_the_machines_and_a_mistake_of_ours_is_1() -> None:
    problem = DomainError("no")
    problem.code = "STORAGE"
    assert code_of(problem) == 3
    assert code_of(KeyError("x")) == 1


@pytest.mark.parametrize("problem", [errors.BudgetExceeded("too much", fix="less"), KeyError("x")])
def test_the_command_says_one_line_and_ends_with_the_number(
    problem: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails() -> None:
        raise problem

    monkeypatch.delenv("DEALDESK_DEBUG", raising=False)
    monkeypatch.setattr(main, "build", fails)
    with pytest.raises(SystemExit) as end:
        main.main(["doctor"])
    assert end.value.code == code_of(problem)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err in (
        "dealdesk: too much. Try: less.\n",
        "dealdesk: KeyError: 'x'. Try: DEALDESK_DEBUG=1 shows where.\n",
    )
