"""The CRM's schema history."""

HEAD = "0005_tasks"
