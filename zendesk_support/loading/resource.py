"""The body of every stream's resource: hands over what the readers bring, and says how far it is.

A resource ends at each checkpoint of a sync so that dlt loads what it has yielded; its readers go on meanwhile, and the
resource of the next dlt run takes over from them.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from datetime import datetime, timezone
from typing import Any

import dlt
import pyarrow as pa
from dlt.common.configuration.exceptions import ConfigFieldMissingException
from dlt.common.schema import Schema
from dlt.extract import DltResource

from zendesk_support.api.credentials import TokenVault
from zendesk_support.checkpoints import current_sync
from zendesk_support.errors import ConfigurationError, UnavailableError
from zendesk_support.loading.account_guard import STATE_KEY, check_account
from zendesk_support.loading.destination_state import HAS_ROWS, is_compared, lost_streams, what_differs
from zendesk_support.loading.encoders import ArrowShape, RowShape, Shape, TableShape
from zendesk_support.loading.engine import Account, Batch, Member, Session, time_value
from zendesk_support.loading.hints import apply_mode
from zendesk_support.loading.positions import POSITIONS, Positions
from zendesk_support.loading.sync_modes import APPENDING, FULL, SPOOLED, Mode, Spool
from zendesk_support.loading.target import Run, Target, load_id, position_of, takes_nothing, target_of
from zendesk_support.reading.base import ANSWERED_WITHIN
from zendesk_support.records.arrow import Converter, DataType, Names
from zendesk_support.report import StreamReport, now
from zendesk_support.settings import Settings
from zendesk_support.streams.base import Stream
from zendesk_support.warehouse.duckdb_memory import largest_value
from zendesk_support.warehouse.snapshot import DELETED_AT, DIGEST, KEY_HINT

UNREADABLE = (
    "the destination cannot be read back: lists are sent whole, rows that Zendesk deletes stay, and earlier rows are "
    "not redacted"
)


def extract(stream: Stream, account: Account, cursor: Any | None) -> Iterator[Any]:
    """Yield a stream's tables, and None while there is nothing to yield."""
    if takes_nothing(dlt.current.resource()):
        return  # dlt would drop the first page, and its position would move
    run, reports = account.runs.current(), account.reports()
    stream = stream.configured(account.settings)
    target = target_of(stream, account.settings, cursor, run)
    apply_mode(dlt.current.resource(), stream, target)
    if cursor is not None:
        cursor.advance(None)
        if target.is_bounded and cursor.end_value is None and run is not None:
            leave_no_position(cursor)
    session = account.enter()
    try:
        if run is not None:
            session.shared.once("destination", lambda: check_destination(account.settings, run))
        restore_tokens(session.vault)
        # Only a sync goes on in the next run with what it began; what somebody only peeked at is nobody's.
        reading = session.readings.get(target.resource) if current_sync.get() is not None else None
        if reading is None:
            reading = session.readings[target.resource] = Reading(session, stream, target, cursor)
        else:
            reading.resume(target)
        with closing(reading.items(cursor)) as items:
            for item in items:
                reports.turns += 1
                yield item
    finally:
        reports.ended.add(target.resource)
        keep_tokens(session.vault)
        account.leave(session)


class Reading:
    """A stream being read, in one dlt run or in several of one sync."""

    def __init__(self, session: Session, stream: Stream, target: Target, cursor: Any | None) -> None:
        self._session = session
        self._stream = stream
        self._target = target
        self._mode = mode = target.mode
        self._stateless = target.is_stateless
        self._sync = current_sync.get()
        self._report = StreamReport(
            target.resource, account=session.account.settings.account, of_every_plan=stream.is_of_every_plan
        )
        if self._sync is not None:
            self._sync.report.streams[target.resource] = self._report
        self._shape = make_shape(
            stream, target, (run := session.account.runs.current()) is not None and run.refuses_nul
        )
        self._spool = Spool() if mode in SPOOLED or target.unique else None
        start = position_of(start_of(cursor, target)) if cursor is not None else 0
        positions = self._positions()
        destination = session.destination(stream, target)
        feeds = {feed.name: feed for feed in stream.feeds}
        self._first = stream.feeds[0].name
        nothing_to_amend = self._stateless or not target.is_loaded or not target.has_sql
        self._later = [
            name for name, feed in feeds.items() if feed.amends_only and nothing_to_amend and name not in positions
        ]
        self._members = {
            name: Member(session, stream, feed, positions.of(name), start, self._shape, destination, target)
            for name, feed in feeds.items()
            if name not in self._later
        }
        self._passes = [session.join(member) for member in self._members.values()]

    def resume(self, target: Target) -> None:
        """Go on in a new dlt run: what the last one loaded can be read back now."""
        self._target = target
        destination = self._session.destination(self._stream, target)
        for member in self._members.values():
            member.destination = destination

    def items(self, cursor: Any | None) -> Generator[Any, None, None]:
        """What the resource yields in one dlt run."""
        self._shape.begin(load_id())
        ended = True
        try:
            if not self._passes[0].started:
                # Every other stream of the run joins its passes before the first of them starts.
                yield None
                if self._sync is None or not self._sync.over:  # somebody may want to end before it begins
                    self._session.start()
            yield from self._pages(cursor)
            ended = self._exhausted or self._sync is None or self._sync.over
            if ended:
                self._conclude()
            yield from self._held_back()
            if ended and self._needs_table:
                yield self._shape.empty()
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
        return all(member.exhausted for member in self._members.values())

    def _positions(self) -> Positions:
        """Positions by feed, as the run under way will keep them."""
        return Positions({} if self._stateless else dlt.current.resource_state(), self._stream)

    def _pages(self, cursor: Any | None) -> Generator[Any, None, None]:
        """Tables as they come, up to the end or a checkpoint; the position moves with each of them."""
        positions = self._positions()
        while not self._exhausted:
            if self._sync is not None and self._sync.reached:
                # What is ready still goes along.
                for name, member in self._members.items():
                    for batch in member.ready():
                        yield from self._hand_over(name, batch, positions, cursor)
                return
            for name, member in self._members.items():
                if (taken := member.take()) is not None:
                    yield from self._hand_over(name, taken, positions, cursor)
                else:
                    self._session.show_waiting()
                    yield None

    def _hand_over(self, feed: str, batch: Batch, positions: Positions, cursor: Any | None) -> Iterable[Any]:
        if batch.position:
            positions.move(feed, batch.position)
            if feed == self._first:
                self._advance(cursor, batch)
        if (asked_at := self._members[self._first].asked_at) is not None:
            # Rows that an amendment may concern are there from now on.
            for later in self._later:
                if later not in positions:
                    positions.move(later, {"at": int(asked_at) - ANSWERED_WITHIN})
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
            yield self._shape.hinted(batch.data)
        else:
            unique = self._mode == "history" or self._target.unique
            self._spool.add(batch.data, self._stream.key if unique else None)

    def _advance(self, cursor: Any | None, batch: Batch) -> None:
        if cursor is not None and self._mode not in FULL and not (self._stateless and cursor.end_value is None):
            reached = batch.position.get("at", 0)
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
            yield self._shape.hinted(data)
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
        error = next((member.error for member in self._members.values() if member.error is not None), None)
        if error is None and not self._exhausted:
            report.status = "stopped"
            why = self._sync.why_over if self._sync is not None else ""
            report.message = stopped_message(self._stream, self._mode, why)
        if error is None:
            report.message = report.message or "; ".join(self._notes()) or None
            return
        report.message = str(error)
        if isinstance(error, UnavailableError) and not report.rows:
            report.status = "unavailable"
            report.error = error
            return
        report.status = "failed"
        if not isinstance(error, Exception):
            raise error
        report.error = error
        if self._sync is None or self._session.refused:
            raise error

    def _notes(self) -> list[str]:
        """What the readers have to say of passes that came to their end."""
        jobs = (getattr(member, "job", None) for member in self._members.values())
        notes = [note for job in jobs if job is not None for note in job.notes]
        if self._target.is_loaded and not self._target.has_sql and self._mode not in FULL:
            notes.append(UNREADABLE)
        return list(dict.fromkeys(notes))

    def _close(self) -> None:
        self._session.readings.pop(self._target.resource, None)
        if self._spool is not None:
            self._spool.close()
        for member in self._members.values():
            member.close()

    def _conclude_report(self) -> None:
        """Hand the report over to the resource that loads reports."""
        report = self._report
        first = self._members[self._first]
        report.table_keys = first.table_keys
        if first.asked_at is not None:
            report.asked_at = datetime.fromtimestamp(first.asked_at, timezone.utc)
        report.finished_at = now()
        used = [member.usage for member in self._members.values()]
        report.requests = sum(usage.requests for usage in used)
        report.seconds_waited = round(sum(usage.waited for usage in used), 3)
        self._session.account.reports().rows.append(report.row())


def start_of(cursor: Any, target: Target) -> Any:
    """The cursor's value from which a run reads."""
    if target.is_bounded:
        return cursor.initial_value
    return cursor.start_value if target.mode in FULL else cursor.last_value


def leave_no_position(cursor: Any) -> None:
    """Take back the position that dlt has begun to keep for an incremental that only the source bounds."""
    state = dlt.current.resource_state()
    if not state.get(POSITIONS):
        state.get("incremental", {}).pop(cursor.cursor_path, None)


def check_destination(settings: Settings, run: Run) -> None:
    """Refuse to load another account into a pipeline, or beside gaps that `sync()` would have repaired.

    Raises:
        ConfigurationError: the account is another one, or rows that were loaded are gone from the destination.
    """
    if current_sync.get() is None:  # `sync` has looked
        with suppress(ConfigFieldMissingException):  # rows may be extracted here and loaded elsewhere
            check_whole(settings, run)
    if settings.end is None:
        dlt.current.source_state()[STATE_KEY] = settings.account


def check_whole(settings: Settings, run: Run) -> None:
    """Refuse to load beside another account's rows, or beside gaps."""
    pipeline, schema = run.pipeline, run.schema
    check_account(pipeline, schema.name, settings.account)
    remedy = "Load by `zendesk_support.sync(pipeline, source)`, which repairs that."
    if is_compared(pipeline) and (why := what_differs(pipeline)):
        raise ConfigurationError(f"{why} {remedy}")
    selected = dlt.current.source().selected_resources.items()
    streams = {name: found.stream for name, found in selected if hasattr(found, "stream")}
    for how in lost_streams(pipeline, schema.name, streams, run.emptied).values():
        raise ConfigurationError(f"{how}. {remedy}")


def stopped_message(stream: Stream, mode: Mode, why: str) -> str:
    """What becomes of a stream that was stopped before its end."""
    if mode in FULL:
        return f"stopped by {why}; sync_mode {mode} loads a stream only once it is read whole"
    if stream.snapshot:
        return f"stopped by {why}; the next run reads this list from its start and writes what differs"
    return f"stopped by {why}; the next run goes on from here"


def replace_table(whole: bool) -> None:
    """Let dlt replace the table only if the stream was read whole: it empties one whose resource yields nothing."""
    if load_id() is not None:
        DltResource.apply_hints(dlt.current.resource(), write_disposition="replace" if whole else "append")


def make_shape(stream: Stream, target: Target, without_nul: bool) -> Shape:
    """The form of a stream's rows, with the columns the destination already has."""
    schema, mode = dlt.current.source_schema(), target.mode
    naming = schema.naming
    columns: dict[str, Any] = dict(schema.tables.get(target.table, {}).get("columns", {}))
    keys = {column[KEY_HINT]: name for name, column in columns.items() if KEY_HINT in column}
    found: dict[str, DataType] = {}
    for name, column in columns.items():
        data_type = column.get("data_type")
        if data_type in ("bigint", "text", "timestamp", "bool", "double", "json") and not name.startswith("_dlt"):
            found[name] = data_type
    if target.settings.nested == "tables":
        names = Names({*stream.columns, DIGEST, DELETED_AT}, found, naming.normalize_path, keys)
        varying = held_as_texts(stream, target.table, schema)
        hint_texts(varying)
        return TableShape(names, stream.dropped, naming.normalize_path, without_nul, mode in APPENDING, varying)
    types: dict[str, DataType] = dict(stream.columns)
    for name, hints in hinted_columns().items():
        if types.get(name) == "json" and hints.get("data_type") == "text":
            types[name] = "text"  # the user's own hint
    required = list(stream.key)
    if stream.removes:
        types[DELETED_AT] = "timestamp"
    if stream.snapshot or mode == "history":
        types[DIGEST] = "text"
        required.append(DIGEST)
    converter = Converter(
        types,
        found,
        required,
        stream.dropped,
        naming.normalize_identifier,
        lambda n: naming.shorten_fragments(n, "v_text"),
        without_nul,
        keys,
    )
    return RowShape(converter) if target.as_rows else ArrowShape(converter)


def hinted_columns() -> Mapping[str, Any]:
    """What the resource under way says of its columns."""
    hinted: Any = dlt.current.resource().columns
    return hinted if isinstance(hinted, Mapping) else {}


def held_as_texts(stream: Stream, root: str, schema: Schema) -> frozenset[tuple[str, ...]]:
    """The paths of values whose types vary, less those that a child table already holds as another type."""

    def held(path: tuple[str, ...]) -> str | None:
        *above, leaf = path
        table: Any = schema.tables.get(schema.naming.shorten_fragments(root, *above), {})
        return (table.get("columns") or {}).get(leaf, {}).get("data_type")  # type: ignore[no-any-return]

    return frozenset(path for path in stream.varying_paths if held(path) in (None, "text"))


def hint_texts(varying: Iterable[tuple[str, ...]]) -> None:
    """Tell dlt that child tables hold texts there: it would take the first text that is a time for a time.

    dlt has no such hints for lists within objects, such as `conditions.all`.
    """
    found: dict[tuple[str, ...], Any] = {}
    for *above, leaf in varying:
        if len(above) == 1:
            columns = found.setdefault(tuple(above), {})
            columns[leaf] = {"name": leaf, "data_type": "text", "nullable": True}
    if found and load_id() is not None:
        hints: Any = {path: dlt.mark.make_nested_hints(columns=columns) for path, columns in found.items()}
        dlt.current.resource().apply_hints(nested_hints=hints)


def restore_tokens(vault: TokenVault | None) -> None:
    """Offer the token pair in the pipeline's state, which a fresh machine has from the destination."""
    if vault is not None:
        vault.offer(dlt.current.source_state().get(vault.STATE_KEY))


def keep_tokens(vault: TokenVault | None) -> None:
    """Put the newest token pair, encrypted, into the pipeline's state."""
    if vault is not None and vault.sealed is not None:
        dlt.current.source_state()[vault.STATE_KEY] = vault.sealed
