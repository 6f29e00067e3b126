"""Count what really runs inside a server: every body of a tool, resource, template and prompt.

In this process, `counting` gives the list. In another, this file starts a server with a count:
`python counted.py FILE crm --transport http ...` is `dealdesk-crm --transport http ...` that
appends a line to FILE for every body that ran. The count knows nothing of the gate or its audit.
"""

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fastmcp.prompts.function_prompt import FunctionPrompt
from fastmcp.resources.function_resource import FunctionResource
from fastmcp.resources.template import FunctionResourceTemplate
from fastmcp.server.dependencies import get_context
from fastmcp.tools.function_tool import FunctionTool

from servers.toolkit import scope

BODIES = (
    (FunctionTool, "run"),
    (FunctionResource, "read"),
    (FunctionResourceTemplate, "read"),
    (FunctionPrompt, "render"),
)


@dataclass(frozen=True)
class Ran:
    """One body that ran, for which grant, and in which protocol version it was asked for."""

    kind: str
    name: str
    grant: str
    era: str


@contextmanager
def counting(note: Callable[[Ran], None] | None = None) -> Iterator[list[Ran]]:
    """Collect what runs in this process while the block lasts."""
    ran: list[Ran] = []
    kept = [(part, method, getattr(part, method)) for part, method in BODIES]
    for part, method, inner in kept:
        setattr(part, method, _counted(inner, note or ran.append))
    try:
        yield ran
    finally:
        for part, method, inner in kept:
            setattr(part, method, inner)


def _counted(inner: Any, note: Callable[[Ran], None]) -> Any:
    async def body(self: Any, *arguments: Any, **named: Any) -> Any:
        grant = scope.current_grant.get()
        name = getattr(self, "uri_template", None) or getattr(self, "uri", None) or self.name
        note(Ran(type(self).__name__, str(name), grant.id if grant else "nobody", _era()))
        return await inner(self, *arguments, **named)

    return body


def _era() -> str:
    asked = get_context().request_context
    return asked.protocol_version if asked is not None else ""


def command(file: Path, server: str) -> list[str]:
    """Return the command that starts a server with a count."""
    return [sys.executable, __file__, str(file), server]


def read(file: Path) -> list[Ran]:
    """Return what ran so far in servers started by `command`."""
    if not file.exists():
        return []
    return [Ran(**json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines()]


def main(file: str, server: str, *arguments: str) -> None:
    """Serve, and append to the file."""

    def note(ran: Ran) -> None:
        with Path(file).open("a", encoding="utf-8") as out:
            out.write(json.dumps(asdict(ran)) + "\n")

    with counting(note):
        importlib.import_module(f"servers.{server}.__main__").main(list(arguments))


if __name__ == "__main__":
    main(*sys.argv[1:])
