"""`python -m servers.support` serves support."""

from servers.toolkit.main import run_server


def main(arguments: list[str] | None = None) -> None:
    """Run the command line given, or the process's own."""
    run_server("support", arguments)


if __name__ == "__main__":
    main()
