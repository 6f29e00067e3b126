"""The CRM's schema history."""

HEAD = "0005_found_by_index"
