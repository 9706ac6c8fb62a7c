"""How far a first load with `order = "newest"` has come: what of a feed is older than what has been read so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zendesk_support.errors import ConfigurationError
from zendesk_support.loading.sync_modes import DEFAULT, FULL
from zendesk_support.loading.target import Target
from zendesk_support.reading.base import WHOLE, Chunk, Position
from zendesk_support.reading.below import Below
from zendesk_support.reading.exports import CursorExport
from zendesk_support.reading.page_size import EXPORT_PAGE
from zendesk_support.reading.parents import DAY
from zendesk_support.reading.time_export import TimeExport
from zendesk_support.reading.windows import OLDER, Window
from zendesk_support.records.json_rows import Rows, pack, row_hash, unpack
from zendesk_support.streams.base import Feed, Stream

Saved = Mapping[str, Any]
REFUSED = ("again", "began")
"""What a position says of parents that were refused, wherever they were met."""


class Backfill:
    """The windows of one feed that are still to be read, the newest of them first.

    An export has a row once, at the time of its last change: one that changes meanwhile leaves its window and comes
    with what is new. Windows and what is new are read in turn, never side by side: what comes later is never older.

    Attributes:
        window: that is read next, or now.
        before: where that began.
        oldest: no row of what is read now is older, Unix seconds.
        told: by ticket, the second before which events are out of date, as all below it was read anew.
        is_saved: a position of it has been handed over.
    """

    def __init__(self, window: Window, saved: Saved | None = None, beside: Saved | None = None) -> None:
        """Begin, or go on from a saved position and that of what is new, which may know more."""
        self.window = window
        self.is_saved = saved is not None
        self._saved: dict[str, Any] = dict(saved or {})
        both = (self._saved, beside or {})
        self.told: dict[int, int] = {id: at for known in both for id, at in known.get("told", ())}
        self._newer: set[bytes] = {digest for known in both for digest in unpack(known.get("newer"))}
        self._own: set[bytes] = unpack(self._saved.get("own"))
        self.begin()

    def begin(self) -> Position:
        """Where reading the window begins, or goes on."""
        self.oldest = self.window.until
        self.before = Position.of(self._saved, self.window.since)
        return self.before

    def wants(self, chunk: Chunk) -> bool:
        """Whether a chunk is of what is new, or of the window."""
        self.oldest = self.window.until if chunk.window is None else self.window.since
        return chunk.window in (None, self.window)

    @property
    def opening(self) -> dict[str, Any]:
        """Its position before anything of it was read."""
        self.is_saved = True
        refused = {name: self._saved[name] for name in REFUSED if name in self._saved}
        self._saved = {"at": self.window.since, **refused, **self._of_window}
        return self._saved

    @property
    def known(self) -> dict[str, Any]:
        """What any position of the feed is to keep meanwhile."""
        found = {"told": [[id, at] for id, at in self.told.items()], "newer": pack(self._newer)}
        return {name: value for name, value in found.items() if value}

    @property
    def _of_window(self) -> dict[str, Any]:
        own = {"own": pack(self._own)} if self._own else {}
        return {"window": [self.window.since, self.window.until, self.window.start], **own, **self.known}

    def unplaced(self, chunk: Chunk) -> Rows:
        """Rows that have no place in the order of their export, less those that came with a newer window."""
        digests = [row_hash(row) for row in chunk.rows]
        if chunk.window is None:
            if len(self._newer) < EXPORT_PAGE:
                self._newer.update(digests)
            return chunk.rows
        rows = [row for row, digest in zip(chunk.rows, digests) if digest not in self._newer]
        if len(self._own) < EXPORT_PAGE:
            self._own.update(digest for digest in digests if digest not in self._newer)
        return rows

    def after(self, chunk: Chunk, position: Saved) -> dict[str, Any] | None:
        """The position after a chunk of the window; None once the oldest one is read."""
        if not chunk.complete:
            self._saved = {**position, **self._of_window} if position else self._saved
            return self._saved if position else {}
        following = self.window.following(is_empty=chunk.is_empty)
        if following is None:
            return None
        self._saved = {**self._saved, **position}
        # A page of the next window may reach beyond the end of it, as far as a page has rows.
        self._newer = self._own if len(self._own) >= EXPORT_PAGE else self._own | self._newer
        self.window, self._own = following, set()
        return self.opening


def backfill_of(
    stream: Stream, feed: Feed, target: Target, parts: Mapping[str, Saved], start: int, now: int
) -> Backfill | None:
    """What of a feed is left to be read in windows; None where it is read from its position on.

    A backfill that has begun goes on, whatever `order` says by now.

    Args:
        stream: whose feed.
        feed: that is read.
        target: how its rows reach the table.
        parts: its saved positions.
        start: of the oldest row that is wanted, Unix seconds.
        now: the same for all streams of a run, Unix seconds.

    Raises:
        ConfigurationError: the stream is loaded only once it is read whole.
    """
    settings = target.settings
    if not is_windowed(stream, feed):
        return None
    if settings.order == "newest" and target.mode in FULL:
        raise ConfigurationError(
            f'order = "newest" is not for sync_mode = "{target.mode}" of {stream.name}, which is loaded only once it '
            f'is read whole. Example: sync_mode = "{DEFAULT}", or order = "oldest".'
        )
    if target.is_stateless:
        return None
    if saved := parts.get(OLDER):
        return Backfill(Window(*saved["window"]), saved, parts.get(WHOLE))
    if settings.order != "newest" or parts.get(WHOLE):
        return None
    seconds = settings.newest_days * DAY
    window = Window.before(now - seconds, 2 * seconds, start)
    return Backfill(window) if window is not None else None


def is_windowed(stream: Stream, feed: Feed) -> bool:
    """Whether a feed can be read in windows: an export of facts, or below one; that begins at any time."""
    endpoint = feed.endpoint.parents if isinstance(feed.endpoint, Below) else feed.endpoint
    is_export = isinstance(endpoint, (CursorExport, TimeExport))
    return is_export and stream.fact and stream.cursor is not None and not feed.refreshes_only


def complete_since(parts: Mapping[str, Saved]) -> int | None:
    """The second from which on a feed is loaded, while older rows are still to be read."""
    saved = parts.get(OLDER)
    return int(saved["window"][1]) if saved else None
