"""`dealdesk serve|worker`: what runs until it is stopped, a server or who plays the queue."""

import asyncio
import logging
import signal
import sys
from contextlib import suppress
from typing import Annotated, Literal

from dealdesk.cli.options import Home, Model, ServerOrAll, doc
from dealdesk.settings import load_settings
from servers.toolkit.starting import started


def serve(
    server: Annotated[
        ServerOrAll,
        doc(
            "Which one. `all` is one server with everything over stdio, and a path for each "
            "(/crm/mcp and so on) over HTTP."
        ),
    ],
    /,
    *,
    transport: Annotated[
        Literal["stdio", "http"],
        doc("stdio for a desktop client that starts it, http for clients that connect."),
    ] = "stdio",
    profile: Annotated[
        Literal["read", "sales", "admin"] | None,
        doc("What a local user without a grant may use (stdio default: read)."),
    ] = None,
    host: Annotated[
        str, doc("Address to bind; other than loopback only with grants and --allowed-host.")
    ] = "127.0.0.1",
    port: Annotated[int, doc("Port to bind.")] = 8000,
    home: Home = None,
    database: Annotated[
        str | None, doc("Database file or URL instead of the one in the data folder.")
    ] = None,
    allowed_host: Annotated[list[str] | None, doc("Host name to accept over HTTP.")] = None,
) -> None:
    """Run a server, or all of them, for any MCP client."""
    from servers import together
    from servers.toolkit.main import run_server

    words = ["--transport", transport, "--host", host, "--port", str(port)]
    for name, value in (("--profile", profile), ("--home", home), ("--database", database)):
        words += [name, value] if value else []
    for name in allowed_host or ():
        words += ["--allowed-host", name]
    if server == "all":
        together.main(words)
    else:
        run_server(server, words)


async def worker(*, model: Model = None, home: Home = None) -> None:
    """Play what is queued, and what dead workers left, until stopped.

    Several workers, on one machine or many, share a PostgreSQL database (DEALDESK_ENGINE_URL and
    the servers' URLs name it); each run is played by one of them. A worker plays the runs that
    were queued for its model. SIGTERM or Ctrl-C stops it; what it was at, another goes on with.
    """
    from dealdesk.desk import Desk
    from dealdesk.expiries import QUARTER, tell_expired
    from dealdesk.models import chosen_model

    _log_to_stderr()
    settings = load_settings(home=home, model=model)
    async with Desk.open(settings, sweep=True) as desk:
        started()
        if desk.created:
            print(desk.created, file=sys.stderr)
        print(f"Working as {chosen_model(settings)}; Ctrl-C stops.", file=sys.stderr, flush=True)
        stop = _stop_asked()
        while not stop.is_set():
            await tell_expired(desk)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), QUARTER.total_seconds())
    print("Stopped.", file=sys.stderr)


def _log_to_stderr() -> None:
    log = logging.getLogger("dealdesk")
    log.addHandler(logging.StreamHandler())
    log.setLevel(logging.INFO)


def _stop_asked() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    with suppress(NotImplementedError):  # Windows: Ctrl-C ends it as a kill would
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, stop.set)
    return stop
