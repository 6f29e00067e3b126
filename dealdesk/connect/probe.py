"""Start a configured server once, as its client will, and count its tools.

A desktop program hands on next to nothing of a shell's environment, so neither does this: a
server that needs more than that would be broken for the client too.
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

from dealdesk.connect.entries import how_to_reach

SAFE = (
    ("HOME", "LOGNAME", "USER", "SHELL", "TMPDIR")
    if sys.platform != "win32"
    else (
        *("APPDATA", "HOMEDRIVE", "HOMEPATH", "LOCALAPPDATA", "PATH", "PATHEXT"),
        *("PROCESSOR_ARCHITECTURE", "SYSTEMDRIVE", "SYSTEMROOT", "TEMP", "USERNAME", "USERPROFILE"),
    )
)
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
"""What a program has that was not started from a shell."""
PATIENCE = 60.0


class ProbeProblem(Exception):  # noqa: N818 - the name says what happened
    """A server did not start, or did not answer; the words say why."""


def scrubbed() -> dict[str, str]:
    kept = {name: os.environ[name] for name in SAFE if name in os.environ}
    return kept if sys.platform == "win32" else {**kept, "PATH": PATH}


async def count_tools(entry: Any, *, token: str | None = None, patience: float = PATIENCE) -> int:
    """Initialize an entry's server within `patience` seconds, list its tools, and let go of it."""
    try:
        command, arguments, url = how_to_reach(entry)
    except ValueError as problem:
        raise ProbeProblem(f"the entry {problem}") from None
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        try:
            async with asyncio.timeout(patience):
                if command:
                    return await _by_command(command, arguments, entry, said)
                return await _by_address(url, token)
        except TimeoutError:
            raise ProbeProblem(f"no answer after {patience:.0f} s") from None
        except FileNotFoundError:
            raise ProbeProblem(f"{command} is not there") from None
        except PermissionError:
            raise ProbeProblem(f"{command} may not be run") from None
        except Exception as problem:  # noqa: BLE001 - whatever a transport raises
            said.seek(0)
            where = "" if command else f"no MCP server lets us in at {url}: "
            raise ProbeProblem(where + (_last_words(said.read()) or _inner(problem))) from None


async def _by_command(command: str, arguments: Sequence[str], entry: Any, said: Any) -> int:
    from mcp import Client, StdioServerParameters, stdio_client

    given = entry.get("env") or entry.get("envs") or {}
    parameters = StdioServerParameters(
        command=command,
        args=list(arguments),
        env={**scrubbed(), **{name: str(value) for name, value in given.items()}},
        cwd=os.path.abspath(os.sep),
    )
    # the handshake that today's desktop clients begin with
    async with Client(stdio_client(parameters, errlog=said), mode="legacy") as client:
        return await _count(client)


async def _by_address(url: str, token: str | None) -> int:
    from fastmcp import Client
    from fastmcp.client.transports import StreamableHttpTransport

    async with Client(StreamableHttpTransport(url, auth=token)) as client:
        return len(await client.list_tools())


async def _count(client: Any) -> int:
    found, cursor = 0, None
    while True:
        page = await client.list_tools(cursor=cursor)
        found, cursor = found + len(page.tools), page.next_cursor
        if not cursor:
            return found


def _last_words(said: str) -> str:
    """Return a server's own reason: its last line that says so, or else its last line."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    return (errors or lines or [""])[-1]


def _inner(problem: BaseException) -> str:
    while isinstance(problem, BaseExceptionGroup):
        problem = problem.exceptions[0]
    return str(problem) or type(problem).__name__
