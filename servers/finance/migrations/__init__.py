"""Finance's schema history."""

HEAD = "0004_embargo"
