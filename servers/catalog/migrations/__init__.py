"""The catalog's schema history."""

HEAD = "0005_indexes"
