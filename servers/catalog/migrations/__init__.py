"""The catalog's schema history."""

HEAD = "0004_external_ids"
