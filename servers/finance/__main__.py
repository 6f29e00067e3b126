"""`dealdesk-finance`, or `python -m servers.finance`, serves finance."""

from servers.toolkit.main import run_server


def main(arguments: list[str] | None = None) -> None:
    run_server("finance", arguments)


if __name__ == "__main__":
    main()
