"""Hands a stream over to dlt, page by page, and says how far it is."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

import dlt
import pyarrow as pa
from dlt.extract import DltResource

from zendesk_support.checkpoints import current_sync
from zendesk_support.errors import UnavailableError
from zendesk_support.loading.account import Session
from zendesk_support.loading.backfill import backfill_of, complete_since
from zendesk_support.loading.batches import Batch
from zendesk_support.loading.cadence import COMPLETED
from zendesk_support.loading.destination_state import HAS_ROWS, INCOMPLETE
from zendesk_support.loading.encoders import Encoder
from zendesk_support.loading.endings import moment, notes_of, stopped_message
from zendesk_support.loading.positions import Positions
from zendesk_support.loading.row_checks import time_value
from zendesk_support.loading.stream_encoder import make_encoder
from zendesk_support.loading.subscription import Subscription
from zendesk_support.loading.sync_modes import FULL, SPOOLED, Spool
from zendesk_support.loading.target import Target, load_id, position_of
from zendesk_support.reading.base import ANSWERED_WITHIN, WHOLE
from zendesk_support.reading.windows import OLDER
from zendesk_support.report import StreamReport, now
from zendesk_support.streams.base import Feed, Stream
from zendesk_support.warehouse.duckdb_memory import largest_value
from zendesk_support.warehouse.loaded_table import LoadedTable


@dataclass(frozen=True)
class Recipe:
    """What a stream is read by: found in a dlt run, and good for the passes after it.

    Attributes:
        stream: what is read.
        target: its table.
        start: where it begins without a position, Unix seconds.
        encoder: the form of its rows.
    """

    stream: Stream
    target: Target
    start: int
    encoder: Encoder

    @classmethod
    def of(cls, session: Session, stream: Stream, target: Target, cursor: Any | None) -> Recipe:
        """The recipe of a stream in the dlt run under way."""
        run = session.account.runs.current()
        encoder = make_encoder(stream, target, run is not None and run.refuses_nul)
        is_parted = stream.feeds[0].endpoint.is_parted
        start = position_of(start_of(cursor, target, is_parted)) if cursor is not None else 0
        return cls(stream, target, start, encoder)

    def again(self, session: Session, saved: dict[str, Any]) -> ResourceRun | None:
        """The stream's next pass, begun outside of a dlt run; None where only such a run can begin it."""
        between, target = session.between, replace(self.target, is_loaded=True)
        if between is None or target.is_stateless or not between.has_loaded(target):
            return None
        return ResourceRun(session, replace(self, target=target), saved)


class ResourceRun:
    """A stream being read, in one dlt run, in several of one sync, or ahead of the next one."""

    def __init__(self, session: Session, recipe: Recipe, saved: dict[str, Any] | None = None) -> None:
        """Join the readers of a pass.

        Args:
            session: that reads.
            recipe: what is read, and into which form.
            saved: where it goes on, outside of a dlt run; within one its state says it.
        """
        self._session, self._recipe, self._saved = session, recipe, saved
        self._stream, self._target = stream, target = recipe.stream, recipe.target
        self._mode = mode = target.mode
        self._stateless = target.is_stateless
        self._sync = current_sync.get()
        self._report = StreamReport(
            target.resource, account=session.account.settings.account, of_every_plan=stream.is_of_every_plan
        )
        if self._sync is not None:
            self._sync.report.streams[target.resource] = self._report
        self._encoder = recipe.encoder
        self._spool = Spool() if mode in SPOOLED or target.unique else None
        session.recipes[target.resource] = recipe
        positions = self._positions()
        table = session.destination(stream, target)
        feeds = {feed.name: feed for feed in stream.feeds}
        self._first = stream.feeds[0].name
        nothing_to_refresh = self._stateless or not target.is_loaded or not target.has_sql
        self._later = [
            name for name, feed in feeds.items() if feed.refreshes_only and nothing_to_refresh and name not in positions
        ]
        self._report.complete_since = moment(complete_since(positions.parts(self._first)))
        wanted = {name: feed for name, feed in feeds.items() if name not in self._later}
        self._subscriptions = {
            name: self._subscription(feed, positions, recipe.start, table) for name, feed in wanted.items()
        }
        self._readers = [session.subscribe(subscription) for subscription in self._subscriptions.values()]

    def _subscription(self, feed: Feed, positions: Positions, start: int, table: LoadedTable) -> Subscription:
        """A feed's part in what is read: from its position on, or on its first load from `newest_days` before now."""
        session, parts = self._session, positions.parts(feed.name)
        now = session.shared.once("newest", lambda: int(time.time()))
        backfill = backfill_of(self._stream, feed, self._target, parts, start, now)
        return Subscription(
            self._stream,
            feed,
            positions.of(feed.name),
            backfill.window.until if backfill is not None else start,
            self._target,
            table,
            session.batches(),
            self._encoder,
            parts if feed.endpoint.is_parted else {},
            rewrites=self._rewrites,
            backfill=backfill,
        )

    def resume(self, target: Target) -> None:
        """Go on in a new dlt run: what the last one loaded can be read back now."""
        self._target = target
        self._session.recipes[target.resource] = self._recipe = replace(self._recipe, target=target)
        if self._saved is not None:
            dlt.current.resource_state().update(self._saved)
            self._saved = None
        table = self._session.destination(self._stream, target)
        for subscription in self._subscriptions.values():
            subscription.table = table

    def items(self, cursor: Any | None) -> Generator[Any, None, None]:
        """What the resource yields in one dlt run."""
        self._encoder.begin(load_id())
        ended = True
        try:
            if not self._readers[0].started:
                # Every other stream of the run joins its passes before the first of them starts.
                yield None
                if self._sync is None or not self._sync.over:  # somebody may want to end before it begins
                    self._session.start()
            yield from self._pages(cursor)
            ended = self._exhausted or self._sync is None or self._sync.over
            if ended:
                self._conclude()
                self._keep_time()
            yield from self._held_back()
            if ended and self._needs_table:
                yield self._encoder.empty()
        except GeneratorExit:
            if ended:
                self._report.status = "stopped"
                self._report.message = stopped_message(self._stream, self._mode, "a limit of the resource")
                self._conclude_report()
            raise
        finally:
            if ended:
                self._close()
        if ended:
            self._conclude_report()
        elif self._sync is not None:
            self._sync.going_on.add(self._target.resource)

    @property
    def _exhausted(self) -> bool:
        return all(subscription.batches.exhausted for subscription in self._subscriptions.values())

    @property
    def _rewrites(self) -> bool:
        """Whether rows are written though their digest is the table's, where they lack a column."""
        return not self._stateless and bool(self._state.get(INCOMPLETE))

    # Ahead of the next dlt run

    def go_on(self, saved: dict[str, Any]) -> None:
        """Be ahead of the next dlt run, the last one having loaded all up to there."""
        self._saved = saved

    def look(self) -> bool:
        """Take what moves positions without rows; whether there is something to load, or nothing more to come."""
        positions = self._positions()
        for name, subscription in self._subscriptions.items():
            for batch in subscription.batches.take_positions():
                self._move(name, batch, positions, None)
        return self._exhausted or self.has_news

    @property
    def resource(self) -> str:
        """The name of its resource."""
        return self._target.resource

    @property
    def has_news(self) -> bool:
        """Whether there is something for a dlt run to do: rows wait, or the table is still to be made or replaced."""
        if any(subscription.batches.has_rows for subscription in self._subscriptions.values()):
            return True
        return self._exhausted and (self._mode in FULL or self._needs_table)

    def conclude(self) -> StreamReport:
        """End a pass without anything to load, outside of a dlt run."""
        try:
            self._conclude()
            self._keep_time()
        finally:
            self._close()
        self._complete_report()
        return self._report

    @property
    def _state(self) -> dict[str, Any]:
        """The stream's state, of the dlt run under way or of the next one."""
        return self._saved if self._saved is not None else dlt.current.resource_state()

    def _positions(self) -> Positions:
        """Positions by feed, as the run under way will keep them."""
        return Positions({} if self._stateless else self._state, self._stream)

    def _pages(self, cursor: Any | None) -> Generator[Any, None, None]:
        """Tables as they come, up to the end or a checkpoint; the position moves with each of them."""
        positions = self._positions()
        while not self._exhausted:
            if self._sync is not None and self._sync.reached:
                # What is ready still goes along.
                for name, subscription in self._subscriptions.items():
                    for batch in subscription.batches.take_all():
                        yield from self._hand_over(name, batch, positions, cursor)
                return
            for name, subscription in self._subscriptions.items():
                if (taken := subscription.batches.take()) is not None:
                    yield from self._hand_over(name, taken, positions, cursor)
                else:
                    self._session.show_waiting()
                    yield None

    def _move(self, feed: str, batch: Batch, positions: Positions, cursor: Any | None) -> None:
        """Move the position that a batch has."""
        if batch.ends_part:
            positions.forget(feed, batch.part, batch.position)
        elif batch.position:
            positions.move(feed, batch.position, batch.part)
            if feed == self._first:
                self._advance(cursor, batch)
        if batch.part == OLDER and feed == self._first:
            self._report.complete_since = moment(complete_since(positions.parts(feed)))
        if (asked_at := self._subscriptions[self._first].asked_at) is not None:
            # Rows that a refresh may concern are there from now on.
            for later in self._later:
                if later not in positions:
                    positions.move(later, {"at": int(asked_at) - ANSWERED_WITHIN})

    def _hand_over(self, feed: str, batch: Batch, positions: Positions, cursor: Any | None) -> Iterable[Any]:
        self._move(feed, batch, positions, cursor)
        if batch.data is None:
            return
        self._report.rows += batch.rows
        if isinstance(batch.data, pa.Table):
            large = largest_value(self._target.resource, batch.data, self._stream.key[-1])
            self._report.largest = max(filter(None, (self._report.largest, large)), default=None)
        if batch.rows and not self._stateless and not self._target.drops_rows:
            dlt.current.resource_state()[HAS_ROWS] = True
        if self._sync is not None:
            self._sync.took_page()
        if self._spool is None:
            yield self._encoder.annotate(batch.data)
        else:
            unique = self._mode == "history" or self._target.unique
            self._spool.add(batch.data, self._stream.key if unique else None)

    def _advance(self, cursor: Any | None, batch: Batch) -> None:
        if batch.part == OLDER:
            return
        if cursor is not None and self._mode not in FULL and not (self._stateless and cursor.end_value is None):
            reached = batch.position.get("at", 0)
            if batch.part != WHOLE:
                reached = max(reached, position_of(cursor.last_value))
            cursor.advance(time_value(self._stream, str(self._stream.cursor), reached))
            self._report.cursor = datetime.fromtimestamp(reached, timezone.utc).isoformat()

    def _held_back(self) -> Iterable[Any]:
        """What waited on disk: the versions of this run, or the whole stream once it has been read."""
        whole = self._exhausted and self._report.status == "loaded"
        if self._mode == "overwrite":
            replace_table(whole)
        if self._spool is None or (self._mode in FULL and not whole):
            return
        for data in self._spool.batches():
            yield self._encoder.annotate(data)
        self._spool.close()
        self._spool = Spool()

    @property
    def _needs_table(self) -> bool:
        if self._report.rows:
            return False
        return not self._target.is_loaded or (self._mode == "overwrite" and self._report.status == "loaded")

    def _conclude(self) -> None:
        """Say how the stream ended; raises its error unless the sync goes on without it."""
        report = self._report
        failed = next((found for found in self._subscriptions.values() if found.error is not None), None)
        error = failed.error if failed is not None else None
        if error is None and not self._exhausted:
            report.status = "stopped"
            why = self._sync.why_over if self._sync is not None else ""
            report.message = stopped_message(self._stream, self._mode, why, report.complete_since)
        if report.status == "loaded" and error is None and self._rewrites:
            self._state[INCOMPLETE] = False
        if error is None:
            report.message = report.message or "; ".join(notes_of(self._subscriptions.values(), self._target)) or None
            return
        report.message = str(error)
        if isinstance(error, UnavailableError) and not report.rows and failed is not None and not failed.listed:
            report.status = "unavailable"
            report.error = error
            return
        report.status = "failed"
        if not isinstance(error, Exception):
            raise error
        report.error = error
        if self._sync is None or self._session.refused:
            raise error

    def _keep_time(self) -> None:
        """Keep when a pass that came to its end began, where the stream has its own cadence."""
        if self._sync is None or self._stream.name not in self._sync.cadences or self._target.is_bounded:
            return
        state = self._state
        state.pop(COMPLETED, None)
        if self._report.status in ("loaded", "unavailable"):
            state[COMPLETED] = round(self._report.started_at.timestamp(), 3)

    def _close(self) -> None:
        self._session.resource_runs.pop(self._target.resource, None)
        if self._spool is not None:
            self._spool.close()
        for subscription in self._subscriptions.values():
            subscription.batches.close()

    def _conclude_report(self) -> None:
        """Hand the report over to the resource that loads reports."""
        self._complete_report()
        self._session.account.reports().rows.append(self._report.row())

    def _complete_report(self) -> None:
        """Say what the pass has cost."""
        report = self._report
        if self._sync is not None:
            self._sync.report.streams[self._target.resource] = report
        first = self._subscriptions[self._first]
        report.table_keys = first.table_keys
        if first.asked_at is not None:
            report.asked_at = datetime.fromtimestamp(first.asked_at, timezone.utc)
        report.finished_at = now()
        used = [subscription.usage for subscription in self._subscriptions.values()]
        report.requests = sum(usage.requests for usage in used)
        report.seconds_waited = round(sum(usage.waited for usage in used), 3)


def start_of(cursor: Any, target: Target, is_parted: bool = False) -> Any:
    """The cursor's value from which a run reads; of what is read in parts, one that was never read before."""
    if target.is_bounded or is_parted:
        return cursor.initial_value
    return cursor.start_value if target.mode in FULL else cursor.last_value


def replace_table(whole: bool) -> None:
    """Let dlt replace the table only if the stream was read whole: it empties one whose resource yields nothing."""
    if load_id() is not None:
        DltResource.apply_hints(dlt.current.resource(), write_disposition="replace" if whole else "append")
