"""What the next sync reads again, so that a row that becomes visible late is found.

A sync begins some minutes before its position (`lookback_minutes`). Rows of that time that were loaded before are
recognized by their digests, which the position carries, and are not written again, but for what is beyond the newest
`MOST_DIGESTS`: to lose a row costs more than to write it twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from zendesk_support.errors import ContractError
from zendesk_support.records.json_rows import Row, Rows, row_hash
from zendesk_support.warehouse.keys import Array

MOST_DIGESTS = 3000
"""Digests that a position carries, 34 KB of state; where the lookback has more rows, the older are written again."""
MOST_EMPTY_PAGES = 20
CLOCKS_DIFFER = 120
"""Seconds by which Zendesk's stamps may be ahead of its `Date` header before they count as wrong."""


@dataclass(frozen=True)
class Reread:
    """What of the rows before a position is read again.

    Attributes:
        since: the second from which on, Unix, inclusive.
        until: time of the newest row in `edge`; it may lie ahead of the position, where Zendesk's stamps do.
        edge: digests of the rows that were loaded of that time, the newest ones of many.
    """

    since: int
    until: int
    edge: frozenset[bytes]


NOTHING_LOADED = Reread(0, 0, frozenset())


class Overlap:
    """Rows that this pass and the next one both read: all that are not older than `since`."""

    def __init__(
        self, at: int, since: int, seconds: int, now: Callable[[], int], loaded: Reread = NOTHING_LOADED
    ) -> None:
        """Begin a pass.

        Args:
            at: its position, Unix seconds.
            since: the second that it reads from.
            seconds: how long before its end the next one is to begin.
            now: the server's time, Unix seconds.
            loaded: rows of earlier passes that this one reads again.
        """
        self.since, self._loaded = since, loaded
        self._start, self._seconds, self._now = at, seconds, now
        self._times: Array = np.array([], np.int64)
        self._digests: list[bytes] = []
        self._edge: frozenset[bytes] = frozenset()

    def go_on(self, edge: frozenset[bytes]) -> None:
        """Take digests of rows that were loaded before the pass was cut short: they are before its cursor."""
        self._digests = list(edge)
        self._times = np.full(len(edge), self._start, np.int64)
        self._edge = edge

    def position(self, top: int) -> int:
        """The position of rows up to `top`: no later than the server's time, however far ahead a row is stamped."""
        return max(self._start, min(top, self._now()))

    def add(self, rows: Sequence[Row], times: Array, at: int) -> None:
        """Take rows with their times, and the position after them."""
        self.since = max(self.since, at - self._seconds)
        kept = np.flatnonzero((self._times >= self.since) | (self._times == 0)).tolist()
        new = np.flatnonzero((times >= self.since) | (times == 0)).tolist()
        self._digests = [self._digests[i] for i in kept] + [row_hash(rows[i]) for i in new]
        self._times = np.concatenate([self._times[kept], times[new]])
        if len(self._digests) > MOST_DIGESTS:
            self._forget(at)
        if int(times.max(initial=0)) > self._loaded.until:
            self._loaded = NOTHING_LOADED  # all of them are behind
        self._edge = frozenset(self._digests)

    def _forget(self, at: int) -> None:
        """Keep the digests of the newest rows alone, and all of the position's own second."""
        newest = min(at, int(np.partition(self._times, -MOST_DIGESTS)[-MOST_DIGESTS]) + 1)
        kept = np.flatnonzero(self._times >= newest).tolist()
        self._digests = [self._digests[i] for i in kept]
        self._times = self._times[kept]

    def has(self, row: Row) -> bool:
        """Whether a row is among them."""
        return row_hash(row) in self._edge

    def reread(self, *, complete: bool = True) -> Reread:
        """What a position says of them; amid the pass, with what was loaded of the time that is still ahead."""
        until = int(self._times.max(initial=0))
        if complete or not self._loaded.edge:
            return Reread(self.since, until, self._edge)
        return Reread(self.since, max(until, self._loaded.until), self._edge | self._loaded.edge)


class Walk:
    """Follows one pass from page to page, and sees to it that it ends.

    Zendesk promises that each page leads on. A cursor that was asked for before, or page after page without a new row,
    ends the pass with an error instead of going on for ever.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._asked: set[str | int] = set()
        self._pages: set[tuple[int, bytes, bytes]] = set()
        self._empty = 0

    def goes_to(self, following: str | int) -> None:
        """Note what is asked for next.

        Raises:
            ContractError: it was asked for before.
        """
        if following in self._asked:
            raise ContractError(f"{self._path}: page after page leads to the same page again; nothing was skipped.")
        self._asked.add(following)

    def new(self, rows: Rows) -> bool:
        """Whether a page has not come before in this pass.

        Raises:
            ContractError: page after page brings nothing new.
        """
        seen = (len(rows), row_hash(rows[0]), row_hash(rows[-1])) if rows else None
        if seen is not None and seen not in self._pages:
            self._pages.add(seen)
            self._empty = 0
            return True
        self._empty += 1
        if self._empty > MOST_EMPTY_PAGES:
            raise ContractError(
                f"{self._path}: {self._empty} pages in a row brought no new row, and Zendesk says there is more; "
                "the position stays where rows were read."
            )
        return False


def in_order(times: Array, before: int, now: int) -> bool:
    """Whether times never step back, nor begin before a time; rows without one, or with one to come, say nothing."""
    known = dated(times, now)
    return not len(known) or (int(known[0]) >= before and bool((known[1:] >= known[:-1]).all()))


def dated(times: Array, now: int) -> Array:
    """The times that can be: not missing, and not beyond the server's own."""
    return times[(times > 0) & (times <= now + CLOCKS_DIFFER)]
