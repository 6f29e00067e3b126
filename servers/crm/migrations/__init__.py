"""The CRM's schema history."""

HEAD = "0006_found_by_index"
