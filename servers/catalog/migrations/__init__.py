"""The catalog's schema history."""

HEAD = "0001_first"
