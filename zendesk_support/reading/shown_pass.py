"""A pass over an export that one reader shows to another, which hangs below its rows, so that it is read once."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from zendesk_support.errors import Cancelled
from zendesk_support.reading.base import Chunk, Position
from zendesk_support.records.json_rows import NULL, Row, Rows, raw, row_hash

MOST_WAITING = 50_000
"""Rows that may wait to be asked below, some 20 MB: a reader that is further behind goes on by itself."""


@dataclass(frozen=True)
class Wanted:
    """What who reads below the rows of an export wants of its chunks: the names of those that may have children.

    Attributes:
        name: the column that names a row.
        time: that of its time, where a row is named again and again.
        asked: whether a row may have children.
        edge: digests of rows that were loaded before.
        again: rows that were refused before; beside the others stand those of them that have no children any more.
    """

    name: str
    time: str
    asked: Callable[[Row], bool]
    edge: frozenset[bytes]
    again: tuple[int | str, ...]

    def __call__(self, chunk: Chunk, began: int | None, until: int | None = None) -> Chunk:
        """A chunk of a pass that began at a time of the server's, with what is wanted of it, of a window up to its end.

        What follows the window came with a newer one, and was asked below then.
        """
        missed = set(map(bytes, map(raw, self.again)))
        rows: Rows = []
        others: Rows = []
        for row in chunk.rows if until is None else chunk.before(until):
            if self.edge and row_hash(row) in self.edge:
                continue
            is_asked = self.asked(row)
            if is_asked or bytes(row.get(self.name, NULL)) in missed:
                (rows if is_asked else others).append(self._named(row))
        return replace(chunk, rows=rows, times=None, side=others, began=began)

    def _named(self, row: Row) -> Row:
        """A row with nothing but its name and time, lest it keeps the whole answer."""
        return {column: row[column].copy() for column in (self.name, self.time) if column in row}


class ShownPass:
    """The chunks of a pass, from one reader to another: with the rows that this one wants, and no more of them.

    The first reader never waits. Where it ends early, or is too far ahead, the other one reads the rest itself.
    """

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._changed = threading.Condition()
        self._chunks: deque[Chunk] = deque()
        self._waiting = 0
        self._ended = self._is_whole = False

    def add(self, chunk: Chunk, began: int | None) -> None:
        """Show a chunk of a pass that began at a time of the server's."""
        if self._ended:
            return
        try:
            found = self._wanted(chunk, began, chunk.window.until if chunk.window is not None else None)
        except Exception:  # the second reader meets it as well, and tells of it
            self.end(is_whole=False)
            return
        if chunk.complete and chunk.window is None and chunk.reread is not None:
            # The next pass over what is new begins before its end.
            self._wanted = replace(self._wanted, edge=chunk.reread.edge)
        with self._changed:
            self._chunks.append(found)
            self._waiting += len(found.rows)
            self._changed.notify_all()
        if self._waiting > MOST_WAITING:
            self.end(is_whole=False)

    def end(self, *, is_whole: bool) -> None:
        """Show no more; the first end counts."""
        with self._changed:
            if not self._ended:
                self._ended, self._is_whole = True, is_whole
            self._changed.notify_all()

    def chunks(
        self, position: Position, alone: Callable[[Position], Iterator[Chunk]], stopped: threading.Event
    ) -> Iterator[Chunk]:
        """Yield what is shown, and then the rest.

        Args:
            position: at which the pass begins.
            alone: reads from a position on.
            stopped: ends the waiting.

        Raises:
            Cancelled: the run ended while waiting.
        """
        while (chunk := self._next(stopped)) is not None:
            position = position.after(chunk)
            yield chunk
        if not self._is_whole:
            yield from alone(position)

    def _next(self, stopped: threading.Event) -> Chunk | None:
        """The next chunk; None at the end."""
        with self._changed:
            while not self._chunks and not self._ended:
                if stopped.is_set():
                    raise Cancelled
                self._changed.wait(0.5)
            if not self._chunks:
                return None
            chunk = self._chunks.popleft()
            self._waiting -= len(chunk.rows)
            return chunk
