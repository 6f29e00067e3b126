"""The second migration's part about legal."""


def upgrade() -> None:
    """Change nothing yet."""
