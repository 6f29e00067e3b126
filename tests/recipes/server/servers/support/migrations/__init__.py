"""Support's schema history."""

HEAD = "0001_schema"
