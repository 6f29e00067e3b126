"""Tasks are found by who does them and until when, and duplicates by what they were merged into."""

from alembic import op

revision = "0007_task_indexes"
down_revision = "0006_indexes"


def upgrade() -> None:
    """Add the indexes."""
    for table, column in (("task", "owner"), ("task", "due"), ("account", "merged_into")):
        op.create_index(f"ix_{table}_{column}", table, [column])
