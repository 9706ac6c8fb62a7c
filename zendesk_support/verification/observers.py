"""How a verification reads: what a table has, and what Zendesk has of it. Nothing is loaded and no position moves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from zendesk_support.api.rate_limiter import ACCOUNT, BucketSpec
from zendesk_support.api.transport import Request
from zendesk_support.loading.account import Session
from zendesk_support.loading.encoders import TableShape
from zendesk_support.loading.positions import Positions
from zendesk_support.loading.row_checks import values
from zendesk_support.loading.subscription import Subscription
from zendesk_support.loading.sync_modes import DEFAULT
from zendesk_support.loading.target import Target
from zendesk_support.reading.base import ANSWERED_WITHIN, Chunk, Endpoint, Job, PageSize, Position
from zendesk_support.records.arrow import Names
from zendesk_support.records.json_rows import Row, Rows, number, seconds, tokens
from zendesk_support.streams.base import Feed, Stream
from zendesk_support.warehouse.snapshot import (
    DELETED_AT,
    Array,
    Condition,
    Destination,
    SnapshotDiff,
    compact,
    holds,
    ids_of,
    keys_digest,
)

PAGES = 10
TICKETS_A_PAGE = 10
NAMED = 5
REMEMBERED = 1000
NO_KEYS: Array = np.array([], np.int64)


@dataclass(frozen=True)
class LastSync:
    """What the last sync reported of a stream."""

    status: str
    message: str | None
    asked_at: int | None
    table_keys: str | None


@dataclass(frozen=True)
class Loaded:
    """A stream with its table.

    Attributes:
        keeps: rows stay though Zendesk lists them no longer.
        start: facts older than this are not compared; Unix seconds.
        since: rows of any stream with a cursor that are older than this are not compared; Unix seconds.
        begun_later: the table's first sync had a later `start_date` than is set now.
        end: exclusive, where a bounded period is compared.
        positions: where the next sync starts, by feed.
    """

    stream: Stream
    destination: Destination
    keeps: bool
    start: int
    begun_later: bool
    end: int | None
    positions: Positions
    last: LastSync | None
    since: int | None = None

    @property
    def is_bounded(self) -> bool:
        """Whether only rows of a period are compared."""
        return self.stream.cursor is not None and (self.stream.fact or self.since is not None)

    def versions(self) -> tuple[Array, Array]:
        """The table's keys in order, and each row's version in Unix seconds; nothing where rows have none."""
        column, cursor = self.stream.version, self.stream.cursor
        since = (cursor, self.start) if cursor is not None and self.is_bounded else None
        found = self.destination.rows((*self.stream.key, column), since) if column else None
        if found is None or column is None:
            return NO_KEYS, NO_KEYS
        ids, versions = ids_of(found, self.stream.key), unix(found.column(column))
        order = np.argsort(ids, kind="stable")
        return ids[order], versions[order]

    @property
    def unfinished(self) -> bool:
        """Whether the last sync did not read the stream to its end."""
        return self.last is not None and self.last.status in ("failed", "stopped")

    @property
    def asked_at(self) -> int | None:
        """The second, as Zendesk counts, before which everything was there for the last sync to read."""
        if self.last is None or self.last.asked_at is None:
            return None
        return self.last.asked_at - ANSWERED_WITHIN

    def position(self, feed: Feed) -> dict[str, Any]:
        """Where the next sync starts; with no saved position, when the last one asked."""
        position = self.positions.of(feed.name)
        at = position.get("at", self.asked_at)
        if at is None:
            newest = self.newest()
            at = int(newest.timestamp()) if newest else self.start
        return {"at": self.end} if self.end is not None and at > self.end else {**position, "at": at}

    def keys(self, *conditions: Condition) -> Array:
        """The table's keys within the period that is compared, in order; undated rows count as within it."""
        key, period = self.stream.key, self._period
        ids = self.destination.ids(key, [*conditions, *period])
        if not period:
            return ids
        undated = self.destination.ids(key, [*conditions, Condition(period[0].column, "IS NULL", ())])
        return np.sort(np.concatenate([ids, undated]))

    def among(self, ids: Array) -> Array:
        """Those of some integer keys that the whole table has, however old its rows are."""
        parts = [ids[i : i + REMEMBERED].tolist() for i in range(0, len(ids), REMEMBERED)]
        found = (
            self.destination.ids(
                self.stream.key, [Condition(self.stream.key[0], f"IN ({', '.join(['%s'] * len(part))})", part)]
            )
            for part in parts
        )
        return np.concatenate([NO_KEYS, *found])

    def newest(self) -> datetime | None:
        """The time of the newest row in the table."""
        column = time_column(self.stream)
        value = self.destination.newest(column, self._period) if column else None
        return moment(value)

    @property
    def _period(self) -> list[Condition]:
        cursor, bound = self.stream.cursor, self.destination.bound
        if not self.is_bounded or cursor is None:
            return []
        until = [bound(cursor, "<", self.end)] if self.end is not None else []
        return [bound(cursor, ">=", self.start), *until]


def unix(column: pa.ChunkedArray) -> Array:
    """A column of times as Unix seconds; 0 for null."""
    if not pa.types.is_integer(column.type):
        column = column.cast(pa.timestamp("us", "UTC"), safe=False).cast(pa.timestamp("s", "UTC"), safe=False)
    return np.asarray(pc.fill_null(column.cast(pa.int64()), 0))


def time_column(stream: Stream) -> str | None:
    """The column that tells which row of a stream is the newest."""
    return stream.cursor or next((name for name in ("updated_at", "created_at") if name in stream.columns), None)


def moment(value: Any) -> datetime | None:
    """A time column's value as UTC; integers are Unix seconds."""
    if not value:
        return None
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc) if value.tzinfo else value.replace(tzinfo=timezone.utc)
    return datetime.fromtimestamp(int(value), timezone.utc)


UNUSED = TableShape(Names((), (), str), frozenset(), str)


class Observer(Subscription):
    """A stream's part in a pass whose rows are looked at and not loaded."""

    def __init__(
        self, session: Session, loaded: Loaded, feed: Feed, saved: dict[str, Any], destination: Destination
    ) -> None:
        name, settings = loaded.stream.name, session.account.settings
        period = settings if loaded.stream.fact else replace(settings, end=None)
        target = Target(name, name, DEFAULT, period, is_bounded=settings.end is not None)
        super().__init__(loaded.stream, feed, saved, loaded.start, target, destination, session.batches(), UNUSED)
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

    def keys_of(self, rows: Rows) -> Array:
        """The rows' keys."""
        return compact([values(rows, name) for name in self.stream.key])

    def note_newest(self, rows: Rows) -> None:
        """Remember the time of the newest row."""
        column = time_column(self.stream)
        if rows and column:
            self.newest = max(self.newest, int(seconds(rows, column).max()))

    def emit(self, rows: Rows, position: dict[str, Any]) -> None:
        """Look at rows in place of queueing them."""
        if rows:
            self.look(rows)


class Survey(Observer):
    """Reads an export, or a list since a time, as a first sync does, and compares its keys with the table's."""

    def __init__(
        self,
        session: Session,
        loaded: Loaded,
        feed: Feed,
        table: Array,
        versions: tuple[Array, Array] = (NO_KEYS, NO_KEYS),
    ) -> None:
        super().__init__(session, loaded, replace(feed, refresh=None), {}, Destination())
        self._table = table
        self._versioned, self._versions = versions
        self._stale: list[Array] = []
        self.tickets: set[int] = set()
        self._met = np.zeros(len(table), bool)
        self._missing: list[Array] = []

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
        self.note_newest(rows)
        if "body" in self.stream.columns and "ticket_id" in self.stream.columns:
            self.tickets |= {number(row, "ticket_id") or 0 for row in rows}

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


class Upcoming(Observer):
    """What the next sync would write: what differs on account of that has changed since the last one."""

    def __init__(self, session: Session, loaded: Loaded, number: int) -> None:
        feed = loaded.stream.feeds[number]
        super().__init__(session, loaded, feed, loaded.position(feed), loaded.destination)
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


class Listed(Observer):
    """Reads a list as a sync does, and finds the keys that it would add or remove.

    While the table is just as the last sync left it, a difference has come since; a row that is older than that sync
    has not.
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
        column = "updated_at" if self.stream.fact else "created_at"
        asked_at = self.loaded.asked_at
        if asked_at is None or column not in self.stream.columns:
            return np.full(len(rows), self.as_synced)
        times = seconds(rows, column)
        undated = (times == 0) | (self.feed.endpoint.is_dated)
        return np.asarray((times >= asked_at) | (undated & self.as_synced))


class Keys:
    """Keys as numbers; the first ones by name too."""

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


class Tally(Observer):
    """Zendesk's own count of a stream's rows."""

    def __init__(self, session: Session, loaded: Loaded) -> None:
        super().__init__(session, loaded, Feed(Counts(loaded.stream.counts)), {}, Destination())
        self.total = 0
        self.refreshed: list[int] = []

    def accept(self, chunk: Chunk) -> None:
        """Add up the counts, whose rows are none of the stream's."""
        self.total += sum(values(chunk.rows, "value"))
        self.refreshed += seconds(chunk.rows, "refreshed_at").tolist()


@dataclass(frozen=True)
class Counts(Endpoint):
    """Count endpoints. Beyond 100,000 a count is a day old, or 100,000 without a time while Zendesk is counting."""

    paths: tuple[str, ...]
    path = "counts"
    limits = (ACCOUNT,)

    def read(self, job: Job) -> Iterator[Chunk]:
        """Yield each count as a row."""
        decode = msgspec.json.Decoder(CountAnswer).decode
        for path in self.paths:
            request = Request(f"/api/v2/{path}", route=path.partition("?")[0])
            yield Chunk([job.transport.get(request, decode, job.usage).count])

    def probe(self, job: Job) -> None:
        """Ask for the counts."""
        for _ in self.read(job):
            pass


class CountAnswer(msgspec.Struct):
    """The answer of a count endpoint."""

    count: Row


@dataclass(frozen=True)
class Sample(Endpoint):
    """Some pages of an export: one after the other if the table's rows fit in them, else spread over time.

    Attributes:
        rows: of the table.
        until: the time up to which the pages are spread, Unix seconds.
    """

    export: Endpoint
    rows: int = field(compare=False)
    until: int = field(compare=False)

    @property
    def limits(self) -> tuple[BucketSpec, ...]:
        """The export's."""
        return self.export.limits

    def read(self, job: Job) -> Iterator[Chunk]:
        """Yield the pages; the last is complete if they join up from the start to the end."""
        job = replace(job, single=True)
        if self.export.fans_out:
            job.page_size = PageSize(TICKETS_A_PAGE)
        spots: list[int] = []
        unbroken = True
        for page in range(PAGES):
            at = job.position.at
            (chunk,) = self.export.read(job)
            yield replace(chunk, complete=chunk.complete and unbroken)
            if chunk.complete:
                return
            reached = max(at, chunk.at or 0)
            if page == 0:
                last = self.until if len(chunk.rows) * PAGES < self.rows else reached
                spots = np.linspace(reached, last, PAGES).astype(int).tolist()
            following = max(reached, spots[min(page + 1, PAGES - 1)])
            unbroken = unbroken and at < reached == following
            job.position = Position(following if following > at else at + 1)

    def probe(self, job: Job) -> None:
        """Ask for one row."""
        self.export.probe(job)


def key_name(row: Row, key: Iterable[str]) -> str:
    """A row's key in words."""
    return "/".join(str(msgspec.json.decode(row[name])) for name in key)


def joined(observers: Iterable[Upcoming], *names: str) -> Array:
    """Keys that several observers have found, each under some names."""
    found = (ids for observer in observers for name in names for ids in getattr(observer, name))
    return np.concatenate([NO_KEYS, *found])


def numbers(ids: Array) -> tuple[str, ...]:
    """Names of some integer keys."""
    return tuple(map(str, ids[:NAMED].tolist()))
