"""Finance's schema history."""

HEAD = "0007_own_houses"
