"""Finance's schema history."""

HEAD = "0010_regions"
