"""The dealdesk command, one module per command group."""
