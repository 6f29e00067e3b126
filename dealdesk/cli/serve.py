"""`dealdesk serve`: one server, or all three, for any MCP client."""

from typing import Annotated, Literal

from cyclopts import Parameter


def serve(
    server: Literal["crm", "catalog", "finance", "all"],
    /,
    *,
    transport: Literal["stdio", "http"] = "stdio",
    profile: Literal["read", "sales", "admin"] | None = None,
    host: str = "127.0.0.1",
    port: int = 8000,
    home: str | None = None,
    database: str | None = None,
    allowed_host: Annotated[list[str] | None, Parameter(negative="")] = None,
) -> None:
    """Run one server, or all three, for any MCP client.

    Parameters
    ----------
    server
        Which one. `all` is one server with everything over stdio, and three paths (/crm/mcp,
        /catalog/mcp, /finance/mcp) over HTTP.
    transport
        stdio for a desktop client that starts it, http for clients that connect.
    profile
        What a local user without a grant may use (stdio default: read).
    host
        Address to bind; other than loopback only with grants and --allowed-host.
    port
        Port to bind.
    home
        The data folder.
    database
        Database file or URL instead of the one in the data folder.
    allowed_host
        Host name to accept over HTTP.
    """
    import importlib

    words = ["--transport", transport, "--host", host, "--port", str(port)]
    for name, value in (("--profile", profile), ("--home", home), ("--database", database)):
        words += [name, value] if value else []
    for name in allowed_host or ():
        words += ["--allowed-host", name]
    module = "servers.together" if server == "all" else f"servers.{server}.__main__"
    importlib.import_module(module).main(words)
