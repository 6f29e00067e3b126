"""`dealdesk serve`: one server, or all of them, for any MCP client."""

from typing import Annotated, Literal

from dealdesk.cli.options import Home, ServerOrAll, doc


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
