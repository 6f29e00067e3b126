"""The second migration's part about prices."""


def upgrade() -> None:
    """Change nothing yet."""
