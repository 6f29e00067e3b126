"""`dealdesk serve`: one server, or all three, for any MCP client."""

from typing import Annotated, Literal

from dealdesk.cli.options import Home, doc


def serve(
    server: Annotated[
        Literal["crm", "catalog", "finance", "all"],
        doc(
            "Which one. `all` is one server with everything over stdio, and three paths "
            "(/crm/mcp, /catalog/mcp, /finance/mcp) over HTTP."
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
    """Run a server, or all three, for any MCP client."""
    import importlib

    words = ["--transport", transport, "--host", host, "--port", str(port)]
    for name, value in (("--profile", profile), ("--home", home), ("--database", database)):
        words += [name, value] if value else []
    for name in allowed_host or ():
        words += ["--allowed-host", name]
    module = "servers.together" if server == "all" else f"servers.{server}.__main__"
    importlib.import_module(module).main(words)
