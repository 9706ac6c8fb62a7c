"""Windows of older time, which a first load reads one after the other, back from what is new."""

from __future__ import annotations

from dataclasses import dataclass

OLDER = "older rows"
"""The part of a feed that is read in windows; other parts are named by keys, in which no space can be."""


@dataclass(frozen=True)
class Window:
    """A period of an export's rows; times are Unix seconds.

    Each window is twice as long as the one before, so that few of them reach back far: each costs up to a page more
    than its rows do.

    Attributes:
        since: inclusive.
        until: exclusive: rows from there on are another window's.
        start: of the oldest row that is wanted.
    """

    since: int
    until: int
    start: int

    @classmethod
    def before(cls, until: int, seconds: int, start: int) -> Window | None:
        """The window that ends at a time; longer where little would be left before it, None where nothing is."""
        if until <= start:
            return None
        since = until - seconds
        return cls(start if since - start < seconds // 2 else since, until, start)

    def following(self, *, is_empty: bool = False) -> Window | None:
        """The next older window; all that is older where this one is empty; None where this is the oldest."""
        seconds = self.since - self.start if is_empty else 2 * (self.until - self.since)
        return Window.before(self.since, seconds, self.start)
