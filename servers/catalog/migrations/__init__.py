"""The catalog's schema history."""

HEAD = "0003_external_ids"
