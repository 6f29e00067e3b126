"""The CRM's schema history."""

HEAD = "0009_found_by_index"
