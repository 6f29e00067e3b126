"""The CRM's schema history."""

HEAD = "0006_indexes"
