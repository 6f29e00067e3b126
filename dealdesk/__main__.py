"""Let `python -m dealdesk` be `dealdesk`."""

from dealdesk.cli.main import main

main()
