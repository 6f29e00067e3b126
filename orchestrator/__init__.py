"""The thin orchestrator: small scoped agents over the MCP servers."""
