"""When a sync pauses its streams so that what they brought is loaded, and when it ends."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import FrameType

from dlt.common import logger

from zendesk_support.report import Report

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """Ends one sync, or several that run side by side, at a signal.

    Attributes:
        received: the signal, if one has come.
    """

    def __init__(self) -> None:
        self.received: signal.Signals | None = None

    @contextmanager
    def heeding_signals(self) -> Iterator[None]:
        """Let the first SIGINT or SIGTERM end the sync at the next page; a second one ends it at once."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def receive(number: int, frame: FrameType | None) -> None:
            signal.signal(number, before[signal.Signals(number)])
            self.received = signal.Signals(number)
            logger.warning(f"{self.received.name}: stopping; what was read is being loaded. Once more to drop it.")

        before = {number: signal.getsignal(number) for number in SIGNALS}
        try:
            for number in SIGNALS:
                signal.signal(number, receive)
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


shared_stop: ContextVar[Stop | None] = ContextVar("shared_stop", default=None)
"""What ends the syncs that run side by side, each in a thread of its own: signals come to the main thread only."""


class Checkpoints:
    """The sync under way, as its streams see it: when they pause so that dlt loads what was read, and when they stop.

    Attributes:
        report: what each stream has done so far.
        going_on: streams that have more to read after this checkpoint.
        stop: ends the sync at a signal.
    """

    def __init__(self, report: Report, every: float, until: float | None, cadences: Collection[str] = ()) -> None:
        """Begin.

        Args:
            report: filled by the streams.
            every: seconds from one checkpoint to the next.
            until: seconds after which the sync ends, None for never.
            cadences: streams of which it is kept when they were read to their end.
        """
        self.report = report
        self.going_on: set[str] = set()
        self.stop = shared_stop.get() or Stop()
        self.cadences = cadences
        self._every = every
        self._end = time.monotonic() + until if until is not None else None
        self.begin()

    def begin(self, within: float | None = None) -> None:
        """Count towards the next checkpoint: after `every` and a page, or after so many seconds without one, too."""
        self.going_on = set()
        self._due = time.monotonic() + (self._every if within is None else within)
        self._progress = within is not None

    def took_page(self) -> None:
        """A page is on its way to the destination: there is something to load."""
        self._progress = True

    @property
    def reached(self) -> bool:
        """Whether streams pause here."""
        return self.over or (self._progress and time.monotonic() >= self._due)

    @property
    def over(self) -> bool:
        """Whether nothing more is to be read."""
        return self.received is not None or (self._end is not None and time.monotonic() >= self._end)

    @property
    def received(self) -> signal.Signals | None:
        """The signal that ends the sync, if one has come."""
        return self.stop.received

    @property
    def why_over(self) -> str:
        """What ended the sync before its time."""
        return self.received.name if self.received is not None else "max_minutes"


current_sync: ContextVar[Checkpoints | None] = ContextVar("current_sync", default=None)
