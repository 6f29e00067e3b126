"""Finance's schema history."""

HEAD = "0002_grant_expiry"
