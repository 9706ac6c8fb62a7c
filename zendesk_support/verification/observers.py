"""How a verification reads: what a table has, and what Zendesk has of it. Nothing is loaded and no position moves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np

from zendesk_support.loading.account import Session
from zendesk_support.loading.encoders import NestedTablesEncoder
from zendesk_support.loading.subscription import Subscription
from zendesk_support.loading.sync_modes import DEFAULT
from zendesk_support.loading.target import Target
from zendesk_support.reading.base import WHOLE, Chunk, Job
from zendesk_support.records.arrow import Names
from zendesk_support.records.json_rows import Row, Rows, number, seconds, tokens
from zendesk_support.streams.base import Feed
from zendesk_support.verification.loaded import NAMED, NO_KEYS, REMEMBERED, Loaded, time_column
from zendesk_support.warehouse.keys import Array, holds, ids_of, keys_digest
from zendesk_support.warehouse.loaded_table import DELETED_AT, LoadedTable
from zendesk_support.warehouse.snapshot import SnapshotDiff

UNUSED = NestedTablesEncoder(Names((), (), str), frozenset(), str)


class Observer(Subscription):
    """Takes part in a run as a stream does, but looks at the rows and loads none."""

    def __init__(
        self,
        session: Session,
        loaded: Loaded,
        feed: Feed,
        saved: dict[str, Any],
        destination: LoadedTable,
        parts: dict[str, dict[str, Any]] | None = None,
    ) -> None:
        name, settings = loaded.stream.name, session.account.settings
        period = settings if loaded.stream.fact else replace(settings, end=None)
        target = Target(name, name, DEFAULT, period, is_bounded=settings.end is not None)
        queue = session.batches()
        super().__init__(loaded.stream, feed, saved, loaded.start, target, destination, queue, UNUSED, parts)
        self.loaded = loaded
        self.newest = 0
        self.rows_read = 0
        self.whole = False

    def accept(self, chunk: Chunk) -> None:
        """Look at a chunk."""
        self.whole = chunk.complete
        self.rows_read += len(chunk.rows)
        super().accept(chunk)

    def look(self, rows: Rows) -> None:
        """Look at rows that a sync would load."""

    def note_newest(self, rows: Rows) -> None:
        """Remember the time of the newest row."""
        column = time_column(self.stream)
        if rows and column:
            self.newest = max(self.newest, int(seconds(rows, column).max()))

    def emit(self, rows: Rows, position: dict[str, Any], part: str = WHOLE, *, ends_part: bool = False) -> None:
        """Look at rows in place of queueing them."""
        if rows:
            self.look(rows)


class KeyScan(Observer):
    """Reads an export, or a list since a time, as a first sync does, and compares its keys with the table's."""

    def __init__(
        self,
        session: Session,
        loaded: Loaded,
        feed: Feed,
        table: Array,
        versions: tuple[Array, Array] = (NO_KEYS, NO_KEYS),
    ) -> None:
        super().__init__(session, loaded, replace(feed, refresh=None), {}, LoadedTable())
        self._table = table
        self._versioned, self._versions = versions
        self._stale: list[Array] = []
        self.tickets: set[int] = set()
        self._met = np.zeros(len(table), bool)
        self._missing: list[Array] = []
        self._names = Keys()

    def look(self, rows: Rows) -> None:
        """Compare rows of the period in question."""
        if self.loaded.is_bounded and self.stream.cursor:
            times = seconds(rows, self.stream.cursor)
            rows = [rows[i] for i in np.flatnonzero((times >= self.loaded.start) | (times == 0))]
        ids = self.keys_of(rows)
        there = holds(self._table, ids)
        if self.stream.version is not None and len(self._versioned):
            places = np.minimum(np.searchsorted(self._versioned, ids), len(self._versioned) - 1)
            is_older = self._versions[places] < seconds(rows, self.stream.version)
            self._stale.append(ids[(self._versioned[places] == ids) & is_older])
        self._met[np.searchsorted(self._table, ids[there])] = True
        self._missing.append(ids[~there])
        if not self.stream.has_integer_key:
            differing = np.flatnonzero(np.isin(ids, np.concatenate([self._missing[-1], *self._stale[-1:]])))
            self._names.add(ids[differing], (key_name(rows[i], self.stream.key) for i in differing))
        self.note_newest(rows)
        if "body" in self.stream.columns and "ticket_id" in self.stream.columns:
            self.tickets |= {number(row, "ticket_id") or 0 for row in rows}

    def named(self, ids: Array) -> tuple[str, ...]:
        """Names of some keys that Zendesk has; those that are no integer only among the first that differed."""
        return self.loaded.named(ids) if self.stream.has_integer_key else self._names.named(ids)

    @property
    def met(self) -> int:
        """Rows of the table that Zendesk has."""
        return int(self._met.sum())

    @property
    def missing(self) -> Array:
        """Keys that Zendesk has and the table lacks."""
        return np.unique(np.concatenate([NO_KEYS, *self._missing]))

    @property
    def stale(self) -> Array:
        """Keys of which the table has an older version than Zendesk."""
        return np.unique(np.concatenate([NO_KEYS, *self._stale]))

    @property
    def surplus(self) -> Array:
        """Keys that only the table has, or that it has twice; none unless all was read."""
        return self._table[~self._met] if self.whole else NO_KEYS


class NextSync(Observer):
    """Reads what the next sync would read, to tell changes since the last sync from rows that were lost."""

    def __init__(self, session: Session, loaded: Loaded, number: int) -> None:
        feed = loaded.stream.feeds[number]
        parts = loaded.positions.parts(feed.name) if feed.endpoint.is_parted else None
        saved = loaded.position(feed) if parts is None else {}
        super().__init__(session, loaded, feed, saved, loaded.destination, parts)
        self.brought: list[Array] = []
        self.ended: list[Array] = []
        self.removed: list[Array] = []

    def prepare(self, job: Job) -> None:
        """Read beyond a bounded period, to where its rows may have moved."""
        job.settings = replace(job.settings, end=None)
        super().prepare(job)

    def look(self, rows: Rows) -> None:
        """Sort rows into those to be written and those to be removed."""
        uncounted, ids = self.stream.uncounted, self.keys_of(rows)
        gone = np.array([DELETED_AT in row for row in rows])
        ended = np.array([text != b"null" for text in tokens(rows, uncounted)] if uncounted else [False] * len(rows))
        self.removed.append(ids[gone])
        self.ended.append(ids[ended & ~gone])
        self.brought.append(ids[~gone & ~ended])
        self.note_newest([row for row in rows if DELETED_AT not in row])


class ListScan(Observer):
    """Reads a list as a sync does, and finds the keys that it would add or remove.

    A row that only Zendesk has was lost if it is older than the last sync, and is new otherwise. Where rows have no
    time, it is new if the table is exactly as that sync left it.
    """

    def __init__(self, session: Session, loaded: Loaded, feed: Feed) -> None:
        super().__init__(session, loaded, feed, loaded.position(feed), loaded.destination)
        self.diff = SnapshotDiff(None, loaded.stream.key)
        self.added = Keys()
        self.gone = Keys()
        self._lost: list[Array] = []
        self.as_synced = False

    def prepare(self, job: Job) -> None:
        """Read the table's keys."""
        super().prepare(job)
        last = self.loaded.last
        assert job.diff is not None
        self.diff = job.diff
        self.as_synced = (
            last is not None and not self.loaded.unfinished and last.table_keys == keys_digest(self.diff.ids)
        )

    def accept(self, chunk: Chunk) -> None:
        """Look at a chunk."""
        self.note_newest(chunk.rows)
        super().accept(chunk)

    def look(self, rows: Rows) -> None:
        """Compare rows that are new or changed."""
        ids = self.keys_of(rows)
        new = ~holds(self.diff.ids, ids)
        self.added.add(ids[new], (key_name(rows[i], self.stream.key) for i in np.flatnonzero(new)))
        self._lost.append(ids[new & ~self._since(rows)])

    def finish(self) -> None:
        """The pass is complete: what it did not list is gone."""
        gone = self.diff.gone()
        names = ("/".join(map(str, key.values())) for key in gone.slice(0, REMEMBERED).to_pylist())
        self.gone.add(ids_of(gone, self.stream.key), names)
        self.batches.end()

    @property
    def missing(self) -> Array:
        """Keys that the last sync should have seen."""
        return np.unique(np.concatenate([NO_KEYS, *self._lost]))

    @property
    def surplus(self) -> Array:
        """Keys that have neither gone since the sync nor stay by design."""
        return NO_KEYS if self.as_synced or self.loaded.keeps else self.gone.ids

    def _since(self, rows: Rows) -> Array:
        """Which rows, if they are new, need not have been there for the last sync to load."""
        column = "updated_at" if self.stream.fact else self.stream.appears_by
        asked_at = self.loaded.asked_at
        if asked_at is None or column not in self.stream.columns:
            return np.full(len(rows), self.as_synced)
        times = seconds(rows, column)
        undated = (times == 0) | (self.feed.endpoint.is_dated)
        return np.asarray((times >= asked_at) | (undated & self.as_synced))


class Keys:
    """Keys of rows as numbers, and the first of them by name, for messages."""

    def __init__(self) -> None:
        self._ids: list[Array] = []
        self._names: dict[int, str] = {}

    def add(self, ids: Array, names: Iterable[str]) -> None:
        """Take keys with their names."""
        self._ids.append(ids)
        if len(self._names) < REMEMBERED:
            self._names |= dict(zip(ids.tolist(), names))

    @property
    def ids(self) -> Array:
        """The keys."""
        return np.unique(np.concatenate([NO_KEYS, *self._ids]))

    def named(self, ids: Array) -> tuple[str, ...]:
        """Names of some keys."""
        return tuple(self._names[id] for id in ids.tolist() if id in self._names)[:NAMED]


def key_name(row: Row, key: Iterable[str]) -> str:
    """A row's key in words."""
    return "/".join(str(msgspec.json.decode(row[name])) for name in key)


def joined(observers: Iterable[NextSync], *names: str) -> Array:
    """Keys that several observers have found, each under some names."""
    found = (ids for observer in observers for name in names for ids in getattr(observer, name))
    return np.concatenate([NO_KEYS, *found])
