"""The days on which something holds."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Window:
    """The days on which a row holds, both ends included."""

    first: date | None = None
    last: date | None = None

    def covers(self, day: date) -> bool:
        """Say whether a day lies in the window."""
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)

    def ended(self, day: date) -> bool:
        """Say whether the window was over before a day."""
        return self.last is not None and self.last < day
