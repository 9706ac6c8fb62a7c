"""One stream's part in what a reader reads: its own position, its own rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from zendesk_support.api.request import Usage
from zendesk_support.loading.batches import Batch, Batches
from zendesk_support.loading.encoders import Encoder
from zendesk_support.loading.row_checks import check_keys, foreign, in_words, values
from zendesk_support.loading.row_functions import LoadedRow, LoadedRows, loaded_page
from zendesk_support.loading.sync_modes import FULL
from zendesk_support.loading.target import Target
from zendesk_support.loading.tombstones import Tombstones
from zendesk_support.reading.base import ANSWERED_WITHIN, Chunk, Job, Position
from zendesk_support.reading.since import within
from zendesk_support.records.json_rows import Rows, raw, row_hash, seconds
from zendesk_support.streams.base import Feed, Stream
from zendesk_support.warehouse.keys import ROW_ID, Array, compact, digest_text, holds, keys_digest
from zendesk_support.warehouse.loaded_table import LoadedTable
from zendesk_support.warehouse.snapshot import SnapshotDiff


class Subscription:
    """One stream's part in what a reader reads.

    A chunk goes one way through it: rows that were loaded before are left out, the stream's own rows are taken from
    the rest and masked, rows that did not change are left out, and what remains is queued with the position that then
    holds.

    Attributes:
        position: where the stream goes on.
        table: what the destination holds of it.
        batches: what is ready to load.
        usage: what it has cost.
        listed: rows read so far.
        reached: position of the newest chunk, Unix seconds.
        asked_at: the server's time of the first answer, Unix seconds.
        table_keys: number and digest of the table's keys once all is loaded; None for what is not listed whole.
        error: why it ended early.
        side: side-loaded rows of the chunk under way.
    """

    job: Job

    def __init__(
        self,
        stream: Stream,
        feed: Feed,
        saved: Mapping[str, Any],
        start: int,
        target: Target,
        table: LoadedTable,
        batches: Batches,
        encoder: Encoder,
    ) -> None:
        self.stream, self.feed, self.settings = stream, feed, target.settings
        self.position = Position.of(saved, start)
        self.batches = batches
        self.usage = Usage()
        self.listed = self.reached = 0
        self.asked_at: float | None = None
        self.table_keys: str | None = None
        self.error: BaseException | None = None
        self.side: Rows = []
        self._target, self._encoder = target, encoder
        self._tombstones = Tombstones(stream, table, target.mode, marks=target.settings.deletes == "mark")
        self._pending: dict[int, int] = dict(saved.get("amended", ()))
        self._refreshed: dict[int, int] = {}
        self._diff: SnapshotDiff | None = None
        self._written: list[Array] = []
        self._deleted: Rows = []

    @property
    def table(self) -> LoadedTable:
        """What the destination holds of the stream."""
        return self._tombstones.table

    @table.setter
    def table(self, table: LoadedTable) -> None:
        self._tombstones.table = table

    def prepare(self, job: Job) -> None:
        """Look up what the endpoint wants to know of the destination."""
        self.job = job
        if self.feed.endpoint.snapshot:
            key, compared = self.stream.key, self.feed.endpoint.compared
            found = self.table.rows(tuple(dict.fromkeys((*key, *compared, ROW_ID))))
            self._diff = job.diff = SnapshotDiff(found, key, compared)
            job.held = len(self._diff)
        if self._pending and self.feed.refresh is not None:
            # What the last run read before the change it met may have reached the destination after it.
            self.emit(self.feed.refresh.rows(self._pending, self), {})

    def accept(self, chunk: Chunk) -> None:
        """Turn a chunk into a batch of this stream's rows."""
        if self.asked_at is None:
            self.asked_at = self.job.transport.server_time
        self.listed += len(chunk.rows)
        self.reached = chunk.at or self.reached
        rows = self._own(self._unseen(chunk), chunk.side)
        if rows and self._diff is not None:
            rows = self._changed(rows, self._diff)
        elif rows and self._target.mode == "history":
            rows = [type(row)({**row, ROW_ID: raw(digest_text(row_hash(row)))}) for row in rows]
        self.emit(rows, self._position_after(chunk))

    def _unseen(self, chunk: Chunk) -> Rows:
        """The chunk's rows less those this stream has loaded before or was not asked for."""
        rows, times, end = chunk.rows, chunk.times, self.job.settings.end
        since, until, edge = self.position.since, self.position.until, self.position.edge
        if times is None:
            if end is not None and self.stream.cursor is not None:
                rows = [rows[i] for i in np.flatnonzero(seconds(rows, self.stream.cursor) < end)]
            return [row for row in rows if row_hash(row) not in edge] if edge else rows
        wanted = within(times, since, end)
        if edge:
            doubted = np.flatnonzero(wanted & (times <= until))
            wanted[[i for i in doubted if row_hash(rows[i]) in edge]] = False
        return rows if wanted.all() else [rows[i] for i in np.flatnonzero(wanted)]

    def _own(self, rows: Rows, side: Rows) -> Rows:
        """The stream's rows of an answer's, with what they mean for rows that were loaded before."""
        self.side, self._deleted = side, []
        if not rows:
            return rows
        found = self.stream.mask.rows(foreign(self.feed.transform(rows, self))) + self._deleted
        if self.feed.refresh is not None:
            parents = self.feed.refresh.parents(rows, self)
            # Of what changed before this run began, every row is either at the destination or still to be read.
            since = (self.job.transport.first_server_time or 0) - ANSWERED_WITHIN
            self._refreshed |= {id: at for id, at in parents.items() if at >= since}
            found += self.feed.refresh.rows(parents, self) if parents else []
        check_keys(found, self.stream)
        return found

    def _changed(self, rows: Rows, diff: SnapshotDiff) -> Rows:
        """Rows that differ from the destination's, each with its digest."""
        digests = [digest_text(row_hash(row)) for row in rows]
        ids = compact([values(rows, name) for name in self.stream.key])
        changed = diff.changed(ids, digests)
        if self.stream.fact:
            times, settings = seconds(rows, "updated_at"), self.job.settings
            loaded = holds(diff.ids, ids) & (settings.end is None)
            changed &= within(times, settings.start, settings.end) | loaded
        self._written.append(ids[changed])
        return [type(rows[i])({**rows[i], ROW_ID: raw(digests[i])}) for i in np.flatnonzero(changed)]

    def _position_after(self, chunk: Chunk) -> dict[str, Any]:
        """The position that holds once a chunk is loaded; none while a shared reader is behind this stream's own."""
        if chunk.at is None or chunk.at < self.position.at:
            return {}
        refreshed = {"amended": list(self._refreshed.items())} if self._refreshed else {}
        return {**chunk.saved, **refreshed}

    def loaded_rows(self, parents: Iterable[int], column: str = "ticket_id") -> Rows:
        """What the destination holds below some tickets (or users)."""
        return self.table.records(column, parents)

    def tombstones(self, parents: Mapping[int, int]) -> Rows:
        """Rows that delete what the destination holds of some tickets, given with their versions."""
        return self._tombstones.of_parents(parents)

    def marks(self, parents: Mapping[int, int]) -> Rows:
        """As `tombstones`, but a row that is only marked as deleted keeps its values."""
        return self._tombstones.marks_of_parents(parents)

    def tombstones_of_missing(self, column: str, parents: Iterable[int], listed: Rows) -> Rows:
        """Rows that delete what the destination holds below some parents and `listed` does not."""
        return self._tombstones.of_missing(column, parents, listed)

    def delete_missing(self, column: str, parents: Iterable[int], listed: Rows) -> None:
        """Let such rows go along with those of the answer that is being worked on."""
        self._deleted += self.tombstones_of_missing(column, parents, listed)

    def finish(self) -> None:
        """All is read: what was not listed is gone."""
        stays = self.stream.keeps or self._target.is_bounded or self._target.mode in FULL
        if self._diff is not None and not stays and (gone := self._diff.gone()).num_rows:
            keys = [{name: raw(value) for name, value in key.items()} for key in gone.to_pylist()]
            self.emit(self._tombstones.of_keys(keys), {})
        if self._diff is not None:
            staying = self._diff.ids if stays else self._diff.listed
            self.table_keys = keys_digest(np.unique(np.concatenate([staying, *self._written])))
        self.batches.end()

    def fail(self, error: BaseException) -> None:
        """It ended early."""
        self.error = in_words(self.stream, error)
        self.batches.end()

    @property
    def done(self) -> bool:
        """Whether nothing more is read for it."""
        return self.batches.ended

    def emit(self, rows: Rows, position: dict[str, Any]) -> None:
        """Queue rows, those that were read back apart: users' steps pass them by."""
        held: Rows = [row for row in rows if type(row) is LoadedRow]
        fresh = [row for row in rows if type(row) is not LoadedRow] if held else rows
        if fresh or (position and not held):
            data = self._encoder.encode(fresh) if fresh else None
            self.batches.put(Batch(data, len(fresh), {} if held else position))
        if held:
            data = self._encoder.encode(held)
            item = loaded_page(data) if isinstance(data, pa.Table) else LoadedRows(data)
            self.batches.put(Batch(item, len(held), position))
