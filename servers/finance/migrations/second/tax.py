"""The second migration's part about tax."""


def upgrade() -> None:
    """Change nothing yet."""
