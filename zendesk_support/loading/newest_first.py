"""Reads an export from what is new backwards: what is new, then in turn a window of older time and what came since."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import islice
from typing import Any

from zendesk_support.loading.backfill import Backfill
from zendesk_support.loading.subscription import Subscription
from zendesk_support.reading.base import Chunk, Job, Position
from zendesk_support.reading.windows import OLDER, Window

Read = Callable[[Job], Iterator[Chunk]]
PAGES_AT_ONCE = 300
"""Pages after which a long window waits while what is new is read: that costs up to three requests, 1 %."""


def newest_first(read: Read, job: Job, subscriptions: Sequence[Subscription]) -> Iterator[Chunk]:
    """Yield what is new, and the windows that the subscriptions still want, each followed by what came since.

    Args:
        read: reads an export from a job's position on.
        job: with the position of what is new.
        subscriptions: those of a reader; one that fails meanwhile is taken out.
    """
    position = yield from _new(read, job)
    while (window := _next_window(subscriptions)) is not None:
        yield from _older(read, job, window, _backfills(subscriptions, window))
        for subscription in subscriptions:
            subscription.position = position
        position = yield from _new(read, replace(job, position=position, began=None))


def _new(read: Read, job: Job) -> Generator[Chunk, Any, Position]:
    """Yield what is new; returns the position after it."""
    position = job.position
    for chunk in read(job):
        position = position.after(chunk)
        yield chunk
    return position


def _older(read: Read, job: Job, window: Window, backfills: Sequence[Backfill]) -> Iterator[Chunk]:
    """Yield a window from where it was left, or a good part of it."""
    position = earliest([backfill.begin() for backfill in backfills])
    reading: Any = read(replace(job, position=position, until=window.until, began=None))
    with closing(reading):
        may_be_empty = position.cursor is None and position.since == window.since
        for chunk in islice(reading, PAGES_AT_ONCE):
            may_be_empty = may_be_empty and not chunk.before(window.until)
            yield replace(chunk, part=OLDER, window=window, is_empty=may_be_empty)


def _next_window(subscriptions: Sequence[Subscription]) -> Window | None:
    """The newest window that any subscription still wants."""
    windows = [found.backfill.window for found in subscriptions if found.backfill is not None]
    return max(windows, key=lambda window: (window.until, window.since), default=None)


def _backfills(subscriptions: Sequence[Subscription], window: Window) -> list[Backfill]:
    """Those that read a window."""
    found = (subscription.backfill for subscription in subscriptions)
    return [backfill for backfill in found if backfill is not None and backfill.window == window]


def place_of_window(subscriptions: Sequence[Subscription]) -> tuple[Window, Position] | None:
    """The window that is read next, and where in it; None where none is left."""
    window = _next_window(subscriptions)
    return (window, earliest([each.before for each in _backfills(subscriptions, window)])) if window else None


def earliest(positions: Sequence[Position]) -> Position:
    """The earliest of some positions; a cursor only where they agree on it."""
    cursors = {position.cursor for position in positions}
    first = min(positions, key=lambda position: position.since)
    return replace(first, cursor=cursors.pop() if len(cursors) == 1 else None)
