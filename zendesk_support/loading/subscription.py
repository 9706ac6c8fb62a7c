"""One stream's part in what a reader reads: its own position, its own rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from zendesk_support.api.request import Usage
from zendesk_support.loading.backfill import Backfill
from zendesk_support.loading.batches import Batch, Batches
from zendesk_support.loading.encoders import Encoder
from zendesk_support.loading.row_checks import check_keys, foreign, in_words, values
from zendesk_support.loading.row_functions import LoadedRow, LoadedRows, loaded_page
from zendesk_support.loading.sync_modes import FULL
from zendesk_support.loading.target import Target
from zendesk_support.loading.tombstones import Tombstones
from zendesk_support.reading.base import ANSWERED_WITHIN, WHOLE, Chunk, Job, Position
from zendesk_support.reading.embedded import Side
from zendesk_support.reading.included import Included
from zendesk_support.reading.page_size import EXPORT_PAGE
from zendesk_support.reading.since import within
from zendesk_support.reading.windows import OLDER
from zendesk_support.records.json_rows import Rows, raw, row_hash, seconds
from zendesk_support.streams.base import Feed, Stream
from zendesk_support.warehouse.keys import ROW_ID, Array, compact, digest_text, holds, ids_of, keys_digest
from zendesk_support.warehouse.loaded_table import DELETED_AT, LoadedTable, one_of
from zendesk_support.warehouse.snapshot import SnapshotDiff


class Subscription:
    """One stream's part in what a reader reads.

    A chunk goes one way through it: rows that were loaded before are left out, the stream's own rows are taken from
    the rest and masked, rows that did not change are left out, and what remains is queued with the position that then
    holds.

    Attributes:
        position: where the stream goes on.
        parts: where each part of it goes on, of an endpoint that is read in parts.
        table: what the destination holds of it.
        batches: what is ready to load.
        usage: what it has cost.
        listed: rows read so far.
        reached: position of the newest chunk, Unix seconds.
        asked_at: the server's time of the first answer, Unix seconds.
        table_keys: number and digest of the table's keys once all is loaded; None for what is not listed whole.
        error: why it ended early.
        side: side-loaded rows of the chunk under way.
        backfill: what is older than what is read from the position on, while some of it is to be read.
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
        parts: Mapping[str, Mapping[str, Any]] | None = None,
        *,
        rewrites: bool = False,
        backfill: Backfill | None = None,
    ) -> None:
        self.stream, self.feed, self.settings = stream, feed, target.settings
        self.position = Position.of(saved, start)
        if backfill is not None:
            self.position.again = tuple(dict.fromkeys((*self.position.again, *backfill.before.again)))
        self.parts = parts or {}
        self.backfill = backfill
        self.batches = batches
        self.usage = Usage()
        self.listed = self.reached = 0
        self.asked_at: float | None = None
        self.table_keys: str | None = None
        self.error: BaseException | None = None
        self.side: Rows = []
        self._target, self._encoder, self._rewrites = target, encoder, rewrites
        self._tombstones = Tombstones(stream, table, target.mode, marks=target.settings.deletes == "mark")
        self._pending: dict[int, int] = {
            id: at for position in (saved, *self.parts.values()) for id, at in position.get("amended", ())
        }
        self._refreshed: dict[int, int] = {}
        self._diff: SnapshotDiff | None = None
        self._written: list[Array] = []
        self._listed_of: dict[str, list[Array]] = {}
        self._deleted: Rows = []

    @property
    def table(self) -> LoadedTable:
        """What the destination holds of the stream."""
        return self._tombstones.table

    @table.setter
    def table(self, table: LoadedTable) -> None:
        self._tombstones.table = table

    @property
    def included(self) -> Included:
        """What came of asking for the rows that stand within or beside those of the list."""
        name = self.feed.embedded.name if self.feed.embedded is not None else ""
        return self.job.included.get(name) or Included()

    @cached_property
    def _positions(self) -> dict[str, Position]:
        """Where each part went on before this pass."""
        return {part: Position.of(saved, self.position.at) for part, saved in self.parts.items()}

    def prepare(self, job: Job) -> None:
        """Look up what the endpoint wants to know of the destination."""
        self.job = job
        endpoint, key = self.feed.endpoint, self.stream.key
        if endpoint.snapshot:
            found = self.table.rows(tuple(dict.fromkeys((*key, *self.feed.compared, ROW_ID))))
            self._diff = job.diff = SnapshotDiff(found, key, self.feed.compared, is_stale=self._rewrites)
            job.held = max(job.held, len(self._diff))
            job.diffs.append(self._diff)
            if self.feed.embedded is not None:
                job.embedded.setdefault(self.feed.embedded.name, []).append(self._diff)
        elif (since := endpoint.compared_since(job)) is not None:
            column, _ = since
            found = self.table.rows(tuple(dict.fromkeys((*key, column, ROW_ID))), since)
            self._diff = job.diff = SnapshotDiff(found, key, (column,), is_stale=self._rewrites)
        if self._pending and self.feed.refresh is not None:
            # What the last run read before the change it met may have reached the destination after it.
            self.emit(self.feed.refresh.rows(self._pending, self), {})

    def accept(self, chunk: Chunk) -> None:
        """Turn a chunk into a batch of this stream's rows."""
        if not self._is_for_it(chunk):
            return
        if self.asked_at is None:
            self.asked_at = self.job.transport.server_time
        is_within = self.feed.embedded is not None and isinstance(chunk.side, Side)
        self.listed += len(chunk.side if is_within else chunk.rows)
        self.reached = chunk.at or self.reached
        if chunk.complete and (refusal := self.included.refusal) is not None:
            if not self.included.has_rows:
                raise refusal
            self.included.note(f"{refusal} What the table has of them stays.")
        position = self._position_before(chunk)
        rows = self._own(self._unseen(chunk, position), chunk.side)
        if chunk.lists_part:
            self._listed_of.setdefault(chunk.part, []).append(
                self.keys_of([row for row in rows if DELETED_AT not in row])
            )
            if chunk.complete:
                self._remove_unlisted(chunk.part)
        diff = self._loaded_below(rows) if self._diff is None and rows else self._diff
        if rows and diff is not None:
            rows = self._changed(rows, diff)
        elif rows and self._target.mode == "history":
            rows = [type(row)({**row, ROW_ID: raw(digest_text(row_hash(row)))}) for row in rows]
        following, is_gone = self._position_after(chunk, position), chunk.is_gone
        if chunk.window is not None and self.backfill is not None:
            of_older = self.backfill.after(chunk, following)
            is_gone = of_older is None
            following = following if of_older is None else of_older
            self.backfill = None if is_gone else self.backfill
        self.emit(rows, following, chunk.part, ends_part=is_gone)

    def _is_for_it(self, chunk: Chunk) -> bool:
        """Whether it wants a chunk; that there is older time to read is saved before anything is."""
        if not self.wants(chunk):
            return False
        if self.backfill is not None and not self.backfill.is_saved:
            self.emit([], self.backfill.opening, OLDER)
        return True

    def wants(self, chunk: Chunk) -> bool:
        """Whether a chunk is of what is new, or of the window that it reads next."""
        return self.backfill.wants(chunk) if self.backfill is not None else chunk.window is None

    def _position_before(self, chunk: Chunk) -> Position:
        """Where the part that a chunk is of went on before this pass."""
        if chunk.part == WHOLE:
            return self.position
        if self.backfill is not None:
            return self.backfill.before
        start = Position(self.position.at)
        return start if chunk.lists_part else self._positions.get(chunk.part, start)

    def _unseen(self, chunk: Chunk, position: Position) -> Rows:
        """The chunk's rows less those this stream has loaded before or was not asked for."""
        rows, times = chunk.rows, chunk.times
        end = chunk.window.until if chunk.window is not None else self.job.settings.end
        since, until, edge = position.since, position.until, position.edge
        if times is None:
            if self.backfill is not None:
                rows = rows if self.feed.endpoint.fans_out else self.backfill.unplaced(chunk)
            elif end is not None and self.stream.cursor is not None:
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
            began = self.job.shared.before or self.job.transport.first_server_time
            since = (began or 0) - ANSWERED_WITHIN
            self._refreshed |= {id: at for id, at in parents.items() if at >= since}
            if parents and not self.feed.refresh.is_late:
                found += self.feed.refresh.rows(parents, self)
        check_keys(found, self.stream)
        return found

    def _changed(self, rows: Rows, diff: SnapshotDiff) -> Rows:
        """Rows that differ from the destination's, each with its digest."""
        digests = [digest_text(row_hash(row)) for row in rows]
        ids = self.keys_of(rows)
        changed = diff.changed(ids, digests)
        if self.stream.fact and self.stream.snapshot:
            times, settings = seconds(rows, "updated_at"), self.job.settings
            loaded = holds(diff.ids, ids) & (settings.end is None)
            changed &= within(times, settings.start, settings.end) | loaded
        if self.stream.snapshot:
            self._written.append(ids[changed])
        return [type(rows[i])({**rows[i], ROW_ID: raw(digests[i])}) for i in np.flatnonzero(changed)]

    def keys_of(self, rows: Rows) -> Array:
        """The rows' keys."""
        return compact([values(rows, name) for name in self.stream.key])

    def _loaded_below(self, rows: Rows) -> SnapshotDiff | None:
        """What the table has below the parents of some rows; None where the two are not compared."""
        column, key = self.feed.endpoint.compared_below, self.stream.key
        if column is None:
            return None
        parents = list(dict.fromkeys(values(rows, column)))
        return SnapshotDiff(self.table.rows((*key, ROW_ID), where=[one_of(column, parents)]), key)

    def _remove_unlisted(self, part: str) -> None:
        """A part was listed whole: what the table has of it, and the list has not, is gone."""
        listed = np.concatenate(self._listed_of.pop(part))
        column = self.feed.endpoint.part_column
        found = self.table.rows(self.stream.key, where=[one_of(column, [part])]) if not self._stays else None
        if found is None:
            return
        gone = found.filter(pa.array(~np.isin(ids_of(found, self.stream.key), listed)))
        for start in range(0, gone.num_rows, EXPORT_PAGE):
            self._remove(gone.slice(start, EXPORT_PAGE))

    def _remove(self, keys: pa.Table) -> None:
        """Emit tombstones for keys."""
        rows = [{name: raw(value) for name, value in key.items()} for key in keys.to_pylist()]
        self.emit(self._tombstones.of_keys(rows), {})

    def _position_after(self, chunk: Chunk, before: Position) -> dict[str, Any]:
        """The position that holds once a chunk is loaded; none while a shared reader is behind this stream's own."""
        if chunk.at is None or chunk.at < before.at:
            return {}
        refreshed = {"amended": list(self._refreshed.items())} if self._refreshed else {}
        meanwhile = self.backfill.known if self.backfill is not None else {}
        return {**chunk.saved, **refreshed, **meanwhile}

    def tell(self, tickets: Iterable[int]) -> None:
        """Note that all below some tickets was read anew: what events of older windows say of it is out of date."""
        if self.backfill is not None:
            self.backfill.told.update(dict.fromkeys(tickets, self.backfill.oldest))

    def is_told(self, ticket: int, at: int) -> bool:
        """Whether what an event of some time says of a ticket is out of date for that reason."""
        return self.backfill is not None and at < self.backfill.told.get(ticket, 0)

    def loaded_rows(self, parents: Iterable[int | str], column: str = "ticket_id") -> Rows:
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

    def tombstones_of(self, keys: Rows) -> Rows:
        """Rows that delete those with some keys."""
        return self._tombstones.of_keys(keys)

    def delete_missing(self, column: str, parents: Iterable[int], listed: Rows) -> None:
        """Let such rows go along with those of the answer that is being worked on."""
        self._deleted += self.tombstones_of_missing(column, parents, listed)

    @property
    def _stays(self) -> bool:
        """Whether rows stay that are not listed."""
        return self.stream.keeps or self._target.is_bounded or self._target.mode in FULL

    def finish(self) -> None:
        """All is read: what was not listed is gone."""
        diff = self._diff
        if diff is not None and not self._stays and (gone := diff.gone()).num_rows:
            self._remove(gone)
        if diff is not None and self.feed.endpoint.snapshot:
            staying = diff.ids if self._stays else diff.listed
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

    def emit(self, rows: Rows, position: dict[str, Any], part: str = WHOLE, *, ends_part: bool = False) -> None:
        """Queue rows, those that were read back apart: users' steps pass them by."""
        held: Rows = [row for row in rows if type(row) is LoadedRow]
        fresh = [row for row in rows if type(row) is not LoadedRow] if held else rows
        if fresh or ((position or ends_part) and not held):
            data = self._encoder.encode(fresh) if fresh else None
            is_last = not held
            self.batches.put(Batch(data, len(fresh), position if is_last else {}, part, ends_part and is_last))
        if held:
            data = self._encoder.encode(held)
            item = loaded_page(data) if isinstance(data, pa.Table) else LoadedRows(data)
            self.batches.put(Batch(item, len(held), position, part, ends_part))
