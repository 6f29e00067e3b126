"""The number the command ends with: one table for what came of a run, one for what went wrong.

0 is also a command that did its work, 130 one that was interrupted; a bad option is cyclopts's 2.
"""

from orchestrator import errors

FAILED, USAGE, ENVIRONMENT, WAITING, INTERRUPTED = 1, 2, 3, 10, 130
OUTCOMES = {
    "issued": 0,
    "done": 0,
    "existing": 0,
    "rejected": 0,
    "failed": FAILED,
    "expired": FAILED,
    "cancelled": FAILED,
    "plan_changed": FAILED,
    "no_quote": 5,
    "needs_input": 6,
    "waiting": WAITING,
    "out_of_budget": 11,
    "blocked": 12,
}
PROBLEMS = {
    errors.UsageError: USAGE,
    errors.EnvironmentProblem: ENVIRONMENT,
    errors.CredentialsError: 4,
    errors.BudgetExceeded: 11,
}


def code_of(problem: BaseException) -> int:
    """Return the number for an error: that of its kind or of the kind above it, else 1."""
    if getattr(problem, "code", "") == "STORAGE":  # a server's own word for its database
        return ENVIRONMENT
    return next((PROBLEMS[kind] for kind in type(problem).__mro__ if kind in PROBLEMS), FAILED)
