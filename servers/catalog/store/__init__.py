"""What the catalog reads from its database."""
