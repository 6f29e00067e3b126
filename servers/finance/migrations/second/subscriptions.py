"""The second migration's part about subscriptions."""


def upgrade() -> None:
    """Change nothing yet."""
