"""Finance's schema history."""

HEAD = "0005_key_owner"
