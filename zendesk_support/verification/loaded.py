"""A stream with its table: what it has, and where the next sync starts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from zendesk_support.loading.positions import Positions
from zendesk_support.reading.base import ANSWERED_WITHIN
from zendesk_support.streams.base import Feed, Stream
from zendesk_support.warehouse.keys import Array, holds, ids_of
from zendesk_support.warehouse.loaded_table import Condition, LoadedTable, as_typed, one_of

REMEMBERED = 1000
NAMED = 5
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
    destination: LoadedTable
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
    def counts(self) -> tuple[str, ...]:
        """Endpoints whose counts together are the table's rows; `{part}` stands for each part that was loaded."""
        parts = self.positions.parts(self.stream.feeds[0].name)
        paths = ((path, parts if "{part}" in path else [""]) for path in self.stream.counts)
        return tuple(path.format(part=part) for path, named in paths for part in named)

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
        """Those of some keys that the whole table has, however old its rows are."""
        if not self.stream.has_integer_key:
            return np.asarray(ids[holds(self.destination.ids(self.stream.key), ids)])
        parts = [ids[i : i + REMEMBERED].tolist() for i in range(0, len(ids), REMEMBERED)]
        found = (self.destination.ids(self.stream.key, [one_of(self.stream.key[0], part)]) for part in parts)
        return np.concatenate([NO_KEYS, *found])

    def named(self, ids: Array) -> tuple[str, ...]:
        """Names of some keys of the table."""
        if self.stream.has_integer_key or not len(ids):
            return tuple(map(str, ids[:NAMED].tolist()))
        found = self.destination.rows(self.stream.key)
        if found is None:
            return ()
        places = np.flatnonzero(np.isin(ids_of(found, self.stream.key), ids))[:NAMED]
        return tuple("/".join(map(str, key.values())) for key in found.take(pa.array(places)).to_pylist())

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
    """A column of times as Unix seconds, or of numbers without their fractions; 0 for null."""
    if pa.types.is_floating(column.type):
        column = pc.floor(column)
    elif not pa.types.is_integer(column.type):
        column = column.cast(pa.timestamp("us", "UTC"), safe=False).cast(pa.timestamp("s", "UTC"), safe=False)
    return np.asarray(pc.fill_null(column.cast(pa.int64()), 0))


def time_column(stream: Stream) -> str | None:
    """The column that tells which row of a stream is the newest."""
    return stream.cursor or next((name for name in ("updated_at", "created_at") if name in stream.columns), None)


def moment(value: Any) -> datetime | None:
    """A time column's value as UTC; integers are Unix seconds."""
    if not value:
        return None
    value = as_typed(value, "timestamp")
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc)
    return datetime.fromtimestamp(int(value), timezone.utc)
