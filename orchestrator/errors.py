"""Everything that can end a run or a command, split by who must act.

`message` says what is wrong, `fix` what to do next; neither ever holds a key, a token or a
traceback. All of them survive pickling, because the engine stores the error of a failed step.
"""

# ruff: noqa: N818 - the names say what happened: "agent failed", "budget exceeded"

from typing import ClassVar


class DealdeskError(Exception):
    """Base of everything this package raises on purpose."""

    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix


class UsageError(DealdeskError):
    """What was asked for cannot be meant: an unknown name, a missing or contradictory option."""


class OtherPlayer(UsageError):
    """Another model than the one a run began with would play; with the right one it goes on."""

    retryable = True


class EnvironmentProblem(DealdeskError):
    """For whoever runs the machine: a file, a database or a server is not as it should be."""


class WorkflowError(EnvironmentProblem):
    """A workflow does not hold together, or does not fit the live servers."""


class ScopeError(EnvironmentProblem):
    """An allow-list or a binding names a tool or an argument that the servers do not have."""


class CredentialsError(DealdeskError):
    """There is no key for the model, or the endpoint does not accept it."""


class ToolRefused(DealdeskError):
    """A server said no to a call that the engine or a person made; the words are its own."""


class WrongAnswer(DealdeskError):
    """A server answered about another quote or deal than it was asked about."""


class AgentFailed(DealdeskError):
    """An agent gave no usable answer, although it was told what was wrong, or went in circles."""


class BudgetExceeded(DealdeskError):
    """An agent reached one of its limits; the message names it."""


class ModelError(DealdeskError):
    """The model's endpoint refused the request, or ended its answer in a way we cannot use."""


class ModelUnavailable(ModelError):
    """The endpoint is down, overloaded or rate limited, also after the client's own retries."""

    retryable = True


class ModelRefused(ModelError):
    """The model declined to answer."""


class AnswerCutOff(ModelError):
    """The answer ran into the limit of one answer; nothing of it was used."""


class ContextExceeded(ModelError):
    """What the agent has read no longer fits the model."""
