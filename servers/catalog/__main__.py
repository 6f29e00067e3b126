"""`dealdesk-catalog`, or `python -m servers.catalog`, serves the catalog."""

from servers.toolkit.main import run_server


def main(arguments: list[str] | None = None) -> None:
    """Run the command line given, or the process's own."""
    run_server("catalog", arguments)


if __name__ == "__main__":
    main()
