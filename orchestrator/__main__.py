"""Let `python -m orchestrator` be `dealdesk`."""

from orchestrator.cli.main import main

main()
