"""Rows ready to load, on their way from the reader of a stream to dlt."""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from typing import Any

from zendesk_support.errors import Cancelled
from zendesk_support.reading.base import WHOLE

QUEUED = 2
LOOK = 0.5
POLL = 0.05


@dataclass
class Batch:
    """Rows ready to load, and the position that holds once they are.

    Attributes:
        part: what that position is of.
        ends_part: there is no such part any more, nor a position of it.
    """

    data: Any
    rows: int
    position: dict[str, Any]
    part: str = WHOLE
    ends_part: bool = False


class News:
    """Tells the one thread that takes batches, dlt's, that some wait in a queue, or that a stream has ended."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting = 0

    def add(self, batches: int) -> None:
        """So many more batches wait; fewer where it is negative."""
        with self._changed:
            self._waiting += batches
            self._changed.notify_all()

    def wait(self, seconds: float) -> None:
        """Wait for the next change, unless batches wait already."""
        with self._changed:
            if self._waiting <= 0:
                self._changed.wait(seconds)


class Batches:
    """The batches of one stream: at most two, so that a reader that is ahead of dlt waits.

    Attributes:
        ended: no more will come.
    """

    def __init__(self, news: News, stop: threading.Event) -> None:
        self.ended = False
        self._news, self._stop = news, stop
        self._queue: queue.Queue[Batch] = queue.Queue(QUEUED)
        self._closed = False

    def put(self, batch: Batch) -> None:
        """Hand a batch over, waiting for room; it is dropped where nobody takes any more.

        Raises:
            Cancelled: the run has ended while it waited.
        """
        while not self._closed:
            try:
                self._queue.put(batch, timeout=LOOK)
            except queue.Full:
                if self._stop.is_set():
                    raise Cancelled from None
            else:
                self._news.add(1)
                if self._closed:  # since it waited
                    self.take_all()
                return

    def end(self) -> None:
        """Say that no more will come."""
        self.ended = True
        self._news.add(0)

    def close(self) -> None:
        """Take no more."""
        self._closed = True
        self.take_all()

    def take(self) -> Batch | None:
        """The next batch; None while there is none, after waiting a moment for any stream of the run."""
        if self._queue.empty() and not self.ended:
            self._news.wait(POLL)
        try:
            batch = self._queue.get_nowait()
        except queue.Empty:
            return None
        self._news.add(-1)
        return batch

    def take_positions(self) -> list[Batch]:
        """The batches without rows that wait before the first one with rows."""
        found = []
        while (head := self._head()) is not None and head.data is None and (batch := self.take()) is not None:
            found.append(batch)
        return found

    @property
    def has_rows(self) -> bool:
        """Whether the next batch has rows."""
        return (head := self._head()) is not None and head.data is not None

    def _head(self) -> Batch | None:
        """The next batch, left where it is; None while there is none."""
        with self._queue.mutex:
            return self._queue.queue[0] if self._queue.queue else None

    def take_all(self) -> list[Batch]:
        """The batches that wait now."""
        found = []
        while not self._queue.empty() and (batch := self.take()) is not None:
            found.append(batch)
        return found

    @property
    def exhausted(self) -> bool:
        """Whether every batch was taken, and no more will come."""
        return self.ended and self._queue.empty()
