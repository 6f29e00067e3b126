"""The days on which something holds."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Window:
    """The days on which a row holds, both ends included."""

    first: date | None = None
    last: date | None = None

    def covers(self, day: date) -> bool:
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)

    def ended(self, day: date) -> bool:
        return self.last is not None and self.last < day

    def meeting(self, other: "Window") -> "Window":
        firsts = [one.first for one in (self, other) if one.first is not None]
        lasts = [one.last for one in (self, other) if one.last is not None]
        return Window(max(firsts, default=None), min(lasts, default=None))

    def overlaps(self, other: "Window") -> bool:
        shared = self.meeting(other)
        return (shared.first or date.min) <= (shared.last or date.max)
