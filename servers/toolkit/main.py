"""Run one server from a console script: over stdio for a desktop client, or over HTTP."""

import argparse
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from servers.profiles import PROFILES, profile_grant
from servers.registry import open_server
from servers.toolkit.errors import DomainError, StorageError
from servers.toolkit.grants import GrantError, PublicKey
from servers.toolkit.person_tokens import PREFIX
from servers.toolkit.starting import data_home, start_quickly, started

if TYPE_CHECKING:
    from fastmcp import FastMCP

    from servers.toolkit.app import Server

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def quiet() -> None:
    """Keep stdout for the protocol and stderr for people: no banner, no tracebacks, no update."""
    os.environ.setdefault("FASTMCP_ENABLE_RICH_LOGGING", "false")
    os.environ.setdefault("FASTMCP_LOG_LEVEL", "CRITICAL")
    os.environ.setdefault("FASTMCP_SHOW_SERVER_BANNER", "false")
    os.environ.setdefault("FASTMCP_CHECK_FOR_UPDATES", "off")


def run_server(name: str, arguments: list[str] | None = None) -> None:
    """Parse the command line of `dealdesk-<name>`, the process's own without one, and serve.

    Nothing heavy is imported before the command line is understood.
    """
    run_command(f"dealdesk-{name}", lambda options: serve(name, options), arguments)


def run_command(
    program: str,
    serve_with: Callable[[argparse.Namespace], None],
    arguments: list[str] | None = None,
) -> None:
    """Parse a server command line and serve with it; every problem is one line and a code."""
    options = _parser(program).parse_args(arguments)
    quiet()
    if arguments is None:  # the process is ours
        os.umask(0o077)
        start_quickly()
    try:
        serve_with(options)
    except DomainError as problem:
        sys.stderr.write(f"{program}: {problem}\n")
        raise SystemExit(3) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def serve(name: str, options: argparse.Namespace) -> None:
    """Serve with parsed options: `transport`, `host`, `port`, `profile`, `home`, `database`."""
    home = data_home(options.home)
    url = options.database or database_url(name, home)
    keys = home / "keys"
    token = os.environ.get("DEALDESK_GRANT")
    if options.transport == "http":
        check_exposure(options)
        without = profile_grant(name, options.profile) if options.profile else None
        if without is None:
            PublicKey.load(keys)  # without a key nobody could ever come in: say so now
        server = _opened(name, url)
        server.database.keys = keys
        face = server.http_view(lambda: PublicKey.load(keys), without_token=without)
        where = {"host": options.host, "port": options.port}
        serve_view(face, transport="http", allowed_hosts=options.allowed_host or (), **where)
        return
    key = None if token is None else PublicKey.load(keys)
    server = _opened(name, url)
    server.database.keys = keys
    if token is None or key is None:
        face = server.view(profile_grant(name, options.profile or "read"))
    else:
        _say_grant_is_useless(name, token, key)
        face = server.view(token, key)
    leave_when_told(server)
    serve_view(face)


def _say_grant_is_useless(name: str, token: str, key: PublicKey) -> None:
    """Tell whoever starts the server that its grant opens nothing, and that no profile replaces it.

    The protocol says no more than it says to any stranger.
    """
    try:
        if not token.startswith(PREFIX):  # a person's token: the server looks it up
            key.verify(token, name)
    except GrantError:
        sys.stderr.write(
            f"dealdesk-{name}: the grant in DEALDESK_GRANT opens nothing here. Try: a new one for "
            f"{name} (`dealdesk grant mint`), or unset it to serve a profile.\n"
        )


def serve_view(
    view: "FastMCP[Any]",
    *,
    transport: Literal["stdio", "http"] = "stdio",
    host: str = "127.0.0.1",
    port: int = 8000,
    allowed_hosts: Sequence[str] = (),
) -> None:
    """Serve one view of a server until stopped: the entry for a program of your own.

        server = create_server(Database.open("crm.db", "crm"))
        serve_view(server.view(grant))                                  # a client started us
        serve_view(server.http_view(lambda: key), transport="http")     # clients connect to us

    The bare server is closed to everybody. `http` is streamable HTTP at `/mcp`, without sessions;
    a request that names a host neither allowed nor loopback is refused (DNS rebinding).
    """
    if transport == "stdio":
        view.run(transport="stdio", show_banner=False)
        return
    view.run(
        transport="http",
        host=host,
        port=port,
        path="/mcp",
        stateless_http=True,
        host_origin_protection=True,
        allowed_hosts=list(allowed_hosts) or None,
        show_banner=False,
        uvicorn_config={"log_level": "error", "server_header": False},
    )


def database_url(name: str, home: Path) -> str:
    """Return a server's database: `DEALDESK_<NAME>_URL`, or the file in the data folder."""
    return os.environ.get(f"DEALDESK_{name.upper()}_URL") or str(home / f"{name}.db")


def leave_when_told(*servers: "Server") -> None:
    """End on Ctrl-C or SIGTERM, although a thread still waits for stdin."""

    def leave(number: int, _frame: object) -> None:
        for server in servers:
            writing = threading.Thread(target=server.ledger.audit.flush, daemon=True)
            writing.start()
            writing.join(1)
        os._exit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, leave)


def _opened(name: str, url: str) -> "Server":
    server, _ = open_server(name, url)
    logging.getLogger("fastmcp").setLevel(logging.CRITICAL)
    started()
    return server


def check_exposure(options: argparse.Namespace) -> None:
    """Refuse an address that is open to others without a token, or that nobody can reach."""
    if options.host not in LOOPBACK and options.profile:
        raise StorageError(
            f"--profile serves without tokens, and {options.host} can be reached by others",
            fix="bind to 127.0.0.1, or leave out --profile and use grants",
        )
    if options.host not in LOOPBACK and not options.allowed_host:
        raise StorageError(
            f"{options.host} can be reached by others and no host name is allowed",
            fix="name the public host with --allowed-host",
        )
    try:
        found = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        with socket.socket(family, kind, protocol) as probe:
            if os.name == "posix":  # as uvicorn does; elsewhere it would share a taken port
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (OSError, OverflowError) as problem:
        raise StorageError(
            f"cannot listen on {options.host} port {options.port}",
            fix="stop what listens there, or give another --host or --port",
        ) from problem


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 0 < int(text) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: give 1 to 65535")
    return int(text)


def _parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=program,
        description=f"{program}, an MCP server for any MCP client. A grant comes in "
        "DEALDESK_GRANT (stdio) or as each request's Bearer token (http).",
    )
    add = parser.add_argument
    about = "stdio (default) for a client that starts it, http for clients that connect"
    add("--transport", choices=("stdio", "http"), default="stdio", help=about)
    add("--host", default="127.0.0.1", help="address to bind (default: %(default)s)")
    add("--port", type=_port, default=8000, help="port to bind (default: %(default)s)")
    about = "components for a local user without a token (stdio default: read)"
    add("--profile", choices=sorted(PROFILES), help=about)
    about = "data folder (default: DEALDESK_HOME or the platform's)"
    add("--home", metavar="FOLDER", help=about)
    about = "database file or URL instead of the one in the folder"
    add("--database", metavar="URL", help=about)
    add("--allowed-host", action="append", metavar="NAME", help="host name to accept over HTTP")
    return parser
