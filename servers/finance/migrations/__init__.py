"""Finance's schema history."""

HEAD = "0009_indexes"
