"""The catalog's schema history."""

HEAD = "0003_key_owner"
