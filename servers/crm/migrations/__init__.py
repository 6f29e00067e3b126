"""The CRM's schema history."""

HEAD = "0007_task_indexes"
