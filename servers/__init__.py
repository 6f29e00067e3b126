"""The three MCP servers of dealdesk and the toolkit they share."""
