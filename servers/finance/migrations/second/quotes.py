"""The second migration's part about quotes."""


def upgrade() -> None:
    """Change nothing yet."""
