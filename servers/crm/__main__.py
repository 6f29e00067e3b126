"""`dealdesk-crm`, or `python -m servers.crm`, serves the CRM."""

from servers.toolkit.main import run_server


def main(arguments: list[str] | None = None) -> None:
    run_server("crm", arguments)


if __name__ == "__main__":
    main()
