"""`dealdesk-catalog`, or `python -m servers.catalog`, serves the catalog.

Nothing heavy is imported before the command line is understood.
"""

from servers.toolkit.main import run_server


def main(arguments: list[str] | None = None) -> None:
    """Run the command line given, or the process's own."""
    run_server("catalog", _prepare, arguments)


def _prepare(url: str) -> object:
    from servers.catalog.server import open_server

    return open_server(url)[0]


if __name__ == "__main__":
    main()
