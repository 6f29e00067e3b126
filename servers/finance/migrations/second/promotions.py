"""The second migration's part about promotions."""


def upgrade() -> None:
    """Change nothing yet."""
