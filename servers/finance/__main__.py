"""`dealdesk-finance`, or `python -m servers.finance`, serves finance.

Nothing heavy is imported before the command line is understood.
"""

from servers.toolkit.main import run_server


def main(arguments: list[str] | None = None) -> None:
    """Run the command line given, or the process's own."""
    run_server("finance", _prepare, arguments)


def _prepare(url: str) -> object:
    from servers.finance.server import open_server

    return open_server(url)[0]


if __name__ == "__main__":
    main()
