"""`dealdesk tools`: exactly what each agent may use."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from dealdesk.cli.options import Json, doc
from dealdesk.cli.output import print_json, table
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from orchestrator.workflow import AgentSpec


def tools(
    *, agent: Annotated[str | None, doc("Show one agent only.")] = None, json: Json = False
) -> None:
    """Show which agent may use which tool, bound to what."""
    from orchestrator.workflows import load_all

    agents = [spec for workflow in load_all() for spec in workflow.agents]
    chosen = [spec for spec in agents if agent in (None, spec.name)]
    if not chosen:
        names = ", ".join(spec.name for spec in agents)
        raise UsageError(f"no agent {agent!r}", fix=f"one of: {names}")
    rows = [
        {
            "agent": spec.name,
            "tools": list(spec.tools),
            "bound": dict(spec.bind),
            "reads_untrusted": spec.reads_untrusted,
            "writes": spec.writes,
        }
        for spec in chosen
    ]
    if json:
        print_json(rows)
        return
    table(
        ("agent", "tool", "bound to the run", "outside text", "writes"),
        [cells for spec in chosen for cells in _cells(spec)],
    )


def _cells(spec: "AgentSpec") -> Iterator[tuple[str, ...]]:
    """Yield a row per tool; what is said of the agent stands in the first."""
    words = ["yes" if said else "no" for said in (spec.reads_untrusted, spec.writes)]
    name, *about = spec.name, ", ".join(sorted(spec.bind)), *words
    for tool in spec.tools:
        yield name, tool, *about
        name, about = "", ["", "", ""]
