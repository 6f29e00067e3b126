"""The one list of workflows: the command, the desk, contracts, docs and tests read it."""

from pkgutil import resolve_name

from orchestrator.errors import UsageError
from orchestrator.workflow import Workflow

WORKFLOWS = {
    "quote": "orchestrator.workflows.quote",
    "by_hand": "orchestrator.workflows.by_hand",
}
"""Per name, the package whose `WORKFLOW` it is; the first is what a goal is taken for."""


def load(name: str) -> Workflow:
    """Return a workflow by name.

    Raises:
        UsageError: there is none; the message names those there are.
    """
    if name not in WORKFLOWS:
        raise UsageError(f"no workflow {name!r}", fix=f"one of: {', '.join(WORKFLOWS)}")
    found: Workflow = resolve_name(f"{WORKFLOWS[name]}:WORKFLOW")
    return found


def load_all() -> list[Workflow]:
    return [load(name) for name in WORKFLOWS]
