"""`dealdesk serve all`: every server of the list in one process.

Over stdio they are one server with the components of all, which is what a person's client wants:
one entry, one start. Over HTTP each has a path, `/crm/mcp` and so on, because a grant is for one
server. Nothing heavy is imported before the command line is understood.
"""

import argparse
import asyncio
import logging
import os
from typing import TYPE_CHECKING

from servers.profiles import profile_grant
from servers.registry import NAMES, open_server
from servers.toolkit.errors import StorageError
from servers.toolkit.grants import PublicKey
from servers.toolkit.main import (
    check_exposure,
    database_url,
    leave_when_told,
    run_command,
    serve_view,
)
from servers.toolkit.starting import data_home, started

if TYPE_CHECKING:
    from servers.toolkit.app import Server


def main(arguments: list[str] | None = None) -> None:
    run_command("dealdesk serve all", serve, arguments)


def serve(options: argparse.Namespace) -> None:
    """Serve all with parsed options, as `toolkit.main.serve` does one."""
    if options.database:
        raise StorageError(
            f"--database names one database, and there are {len(NAMES)}",
            fix=f"set {', '.join(f'DEALDESK_{name.upper()}_URL' for name in NAMES)}",
        )
    if options.transport == "http":
        _serve_http(options)
    else:
        _serve_stdio(options)


def _serve_stdio(options: argparse.Namespace) -> None:
    if "DEALDESK_GRANT" in os.environ:
        raise StorageError(  # a profile beside a grant would give its holder more than the grant
            "the grant in DEALDESK_GRANT is for one server",
            fix=f"serve that server ({', '.join(NAMES)}), or serve all without a grant",
        )
    from servers.toolkit.combined import combined_view

    servers = _open(options)
    profile = options.profile or "read"
    served = [(server, profile_grant(server.name, profile)) for server in servers]
    view = asyncio.run(combined_view("dealdesk", servers[0].version or "", served))
    leave_when_told(*servers)
    serve_view(view)


def _serve_http(options: argparse.Namespace) -> None:
    check_exposure(options)
    keys = data_home(options.home) / "keys"
    if not options.profile:
        PublicKey.load(keys)  # without a key nobody could ever come in: say so now
    import uvicorn

    from servers.toolkit.combined import combined_app

    faces = {
        server.name: server.http_view(
            lambda: PublicKey.load(keys),
            without_token=profile_grant(server.name, options.profile) if options.profile else None,
        )
        for server in _open(options)
    }
    uvicorn.run(
        combined_app(faces, options.allowed_host or ()),
        host=options.host,
        port=options.port,
        log_level="error",
        server_header=False,
        timeout_graceful_shutdown=2,
    )


def _open(options: argparse.Namespace) -> "list[Server]":
    logging.getLogger("fastmcp").setLevel(logging.CRITICAL)
    home = data_home(options.home)
    every = [open_server(name, database_url(name, home))[0] for name in NAMES]
    for server in every:
        server.database.keys = home / "keys"
    started()
    return every


if __name__ == "__main__":
    main()
