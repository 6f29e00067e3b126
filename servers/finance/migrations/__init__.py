"""Finance's schema history."""

HEAD = "0008_external_ids"
