"""`dealdesk-finance`, or `python -m servers.finance`, serves finance."""

from servers.toolkit.main import run_server


def main(arguments: list[str] | None = None) -> None:
    """Run the command line given, or the process's own."""
    run_server("finance", arguments)


if __name__ == "__main__":
    main()
