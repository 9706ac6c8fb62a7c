"""Runs readers beside each other, in threads, and turns their rows into batches.

Streams fed by one export share its pass, yet each keeps its own position. A reader goes on as long as its batches are
taken: it may outlive the dlt run that began it.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from dlt.common.configuration.specs import CredentialsConfiguration

from zendesk_support.api.clock import Clock
from zendesk_support.api.credentials import make_auth
from zendesk_support.api.rate_limiter import Budget
from zendesk_support.api.transport import Transport, Trouble, Usage, plain
from zendesk_support.checkpoints import current_sync
from zendesk_support.dlt_internals import DatabaseException, SqlClientBase
from zendesk_support.errors import Cancelled, ConfigurationError, ContractError, ZendeskError
from zendesk_support.loading.encoders import Shape
from zendesk_support.loading.row_functions import HeldRow, HeldRows, held_page
from zendesk_support.loading.sync_modes import (
    DEFAULT,
    FULL,
)
from zendesk_support.loading.target import AT_ONCE, Runs, Target, load_id
from zendesk_support.reading.base import ANSWERED_WITHIN, Chunk, Endpoint, Job, Position, Shared
from zendesk_support.reading.since import within
from zendesk_support.records.arrow import OWN_COLUMNS
from zendesk_support.records.json_rows import NULL, Row, Rows, is_id, number, quoted, raw, row_hash, seconds, tokens
from zendesk_support.report import Reports
from zendesk_support.settings import Settings
from zendesk_support.streams.base import Feed, Stream
from zendesk_support.warehouse.snapshot import (
    DELETED_AT,
    DIGEST,
    Array,
    Destination,
    Known,
    compact,
    digest_text,
    held_table,
    holds,
    keys_digest,
)

QUEUED = 2
ENDS_WITHIN = 5.0
POLL = 0.05
LOOKED_UP = 1000
POSITIONS = "positions"
UNEXPECTED = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
    pa.ArrowException,
)
"""What a row can cause that nobody has thought of."""


class Account:
    """One Zendesk account as a source sees it: its budget outlives the runs, its connections do not."""

    def __init__(self, settings: Settings, credentials: CredentialsConfiguration) -> None:
        self.settings = settings
        self.credentials = credentials
        self.clock = Clock(settings.clock_scale)
        self.budget = Budget(self.clock, settings.quota_share)
        self.runs = Runs()
        self._reports: dict[str | None, Reports] = {}
        self._lock = threading.Lock()
        self._sessions: dict[Any, Session] = {}

    def enter(self) -> Session:
        """Join the sync or run that is under way in this thread, or begin it: what one reads is not another's."""
        key = current_sync.get() or load_id()
        with self._lock:
            if key not in self._sessions:
                self._sessions[key] = Session(self)
            self._sessions[key].members += 1
            return self._sessions[key]

    def reports(self) -> Reports:
        """How the streams of the run under way in this thread have ended."""
        id = load_id()
        with self._lock:
            found = self._reports.setdefault(id, Reports())
            for ended in list(self._reports)[:-AT_ONCE]:
                del self._reports[ended]
            return found

    @contextmanager
    def held_open(self) -> Iterator[None]:
        """Keep one session over several dlt runs: its readers go on while dlt loads."""
        session = self.enter()
        try:
            yield
        finally:
            self.leave(session)

    def progress(self) -> list[Progress]:
        """How far the passes under way have come; none where none is."""
        with self._lock:
            sessions = list(self._sessions.values())
        return [found for session in sessions for found in session.progress()]

    def leave(self, session: Session) -> None:
        """Leave a run; the last one out ends it."""
        with self._lock:
            session.members -= 1
            if session.members:
                return
            self._sessions = {key: other for key, other in self._sessions.items() if other is not session}
        session.close()


class Session:
    """What the streams of one run share: connections, token, answers, passes."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.members = 0
        self.stop = threading.Event()
        self.ready = threading.Condition()
        self.queued = 0
        self.shared = Shared()
        # Making its first array, pyarrow imports pandas where that is installed; half imported by a thread, dlt trips
        # over it.
        pa.array([0])
        self.transport = Transport(account.settings, account.clock, account.budget, self.stop)
        auth, self.vault = make_auth(
            account.credentials,
            account.settings.base_url,
            self.transport.post_token,
            account.clock,
            account.settings.scope,
        )
        self.transport.auth = auth
        self.readings: dict[str, Any] = {}
        self._passes: list[Pass] = []
        self._shown = {bucket: int(waited) for bucket, waited in account.budget.waited().items()}
        self._client: SqlClientBase[Any] | None = None

    def join(self, member: Member) -> Pass:
        """Subscribe to a pass over the member's endpoint, shared where another stream waits for the same one."""
        for running in self._passes:
            alike = running.endpoint == member.feed.endpoint and running.settings == member.settings
            if alike and not running.started and not running.endpoint.snapshot:
                break
        else:
            running = Pass(self, member.feed.endpoint, member.settings)
            self._passes.append(running)
        running.endpoint.promise(self.shared)
        running.members.append(member)
        return running

    def start(self) -> None:
        """Begin every pass that was joined, so that none waits until dlt has come to its stream."""
        for running in self._passes:
            running.start()

    def destination(self, stream: Stream, target: Target) -> Destination:
        """What the pipeline under way has loaded of a stream; nothing, where all is loaded anew."""
        run = self.account.runs.current()
        if run is None or not target.is_read_back:
            return Destination()
        if self._client is None:
            try:
                self._client = run.pipeline.sql_client(schema_name=run.schema.name)
            except Exception as error:
                if (told := in_words(stream, error)) is error:
                    raise
                raise told from error
        table = held_table(run.tables, target.table)
        versions_of = stream.key if target.keeps_versions else ()
        return Destination(self._client, table, versions_of, self.account.settings.database_wait)

    def show_waiting(self) -> None:
        """Bring the seconds waited for quota to the progress display."""
        for bucket, waited in self.account.budget.waited().items():
            if (new := int(waited) - self._shown.get(bucket, 0)) > 0:
                self._shown[bucket] = int(waited)
                if (run := self.account.runs.current()) is not None:
                    run.pipeline.collector.update(f"waiting for {bucket} (s)", new)

    def progress(self) -> list[Progress]:
        """How far each pass has come."""
        return [running.progress() for running in list(self._passes)]

    @property
    def refused(self) -> bool:
        """Whether the settings are wrong: Zendesk has answered nothing, and never will."""
        return isinstance(self.transport.hopeless, ConfigurationError) and not self.transport.accepted

    def close(self) -> None:
        """Stop every thread and connection."""
        self.stop.set()
        self.account.budget.wake()
        with self.ready:
            self.ready.notify_all()
        self.transport.close()
        # A thread that the interpreter ends within pyarrow aborts the process.
        until = time.monotonic() + ENDS_WITHIN
        for running in self._passes:
            running.join(until)


class Pass:
    """One reading of an endpoint, in a thread, for all streams that want its rows."""

    def __init__(self, session: Session, endpoint: Endpoint, settings: Settings) -> None:
        self.endpoint = endpoint
        self.settings = settings
        self.members: list[Member] = []
        self.started = False
        self._session = session
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin reading, once every stream of the run has had the chance to join."""
        if not self.started:
            self.started = True
            context = contextvars.copy_context()
            self._thread = threading.Thread(target=context.run, args=(self._read,), name="zendesk-reader", daemon=True)
            self._thread.start()

    def join(self, until: float) -> None:
        """Wait for the end of its thread, to `until` by the monotonic clock at most."""
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(max(0.0, until - time.monotonic()))

    def _read(self) -> None:
        session = self._session
        try:
            job = Job(
                transport=session.transport,
                settings=self.settings,
                usage=self.members[0].usage,
                shared=session.shared,
                position=self._position(),
            )
            for member in self.members:
                member.prepare(job)
            for chunk in self.endpoint.read(job):
                for member in list(self.members):
                    self._give(member, chunk)
            for member in self.members:
                member.finish()
        except Cancelled:
            pass
        except BaseException as error:
            for member in self.members:
                member.fail(error)

    def progress(self) -> Progress:
        """How far it has come."""
        members = list(self.members)
        at_work = [member for member in members if not member.done]
        reached = max((member.reached for member in members), default=0)
        known = members[0].job.held if members and hasattr(members[0], "job") else 0
        return Progress(
            streams=tuple(member.stream.name for member in at_work),
            limit=self.endpoint.limits[-1].name,
            begun=self.started,
            since=min(member.position.since for member in members) if reached else None,
            reached=reached,
            rows=max((member.listed for member in members), default=0),
            known=known,
            requests=sum(member.usage.requests for member in members),
            trouble=members[0].usage.trouble if members else None,
        )

    def _give(self, member: Member, chunk: Chunk) -> None:
        """Let a stream take its part of a chunk; what it cannot make sense of costs no other stream."""
        try:
            member.accept(chunk)
        except Cancelled:
            raise
        except Exception as error:
            if len(self.members) == 1:
                raise
            self.members.remove(member)
            member.fail(error)

    def _position(self) -> Position:
        """The earliest position of all members; a cursor only where they agree on it."""
        positions = [member.position for member in self.members]
        cursors = {position.cursor for position in positions}
        first = min(positions, key=lambda position: position.since)
        return replace(first, cursor=cursors.pop() if len(cursors) == 1 else None)


@dataclass(frozen=True)
class Progress:
    """How far a pass has come.

    Attributes:
        streams: those that it still reads for.
        limit: the name of the limit that counts its requests.
        begun: whether it has begun.
        since: where it began, Unix seconds; None before its first page, and where that has no time, and
        reached: where it is.
        rows: how many it has read, and
        known: how many its table had.
        requests: how many it has sent.
        trouble: why its last request is asked again.
    """

    streams: tuple[str, ...]
    limit: str
    begun: bool
    since: int | None
    reached: int
    rows: int
    known: int
    requests: int
    trouble: Trouble | None


@dataclass
class Batch:
    """Rows ready to load, and the position that holds once they are."""

    data: Any
    rows: int
    position: dict[str, Any]


class Member:
    """One stream's part in a pass: its own position, its own rows."""

    def __init__(
        self,
        session: Session,
        stream: Stream,
        feed: Feed,
        saved: dict[str, Any],
        start: int,
        shape: Shape,
        destination: Destination,
        target: Target,
    ) -> None:
        self.stream = stream
        self.settings = target.settings
        self.feed = feed
        self.usage = Usage()
        self.job: Job
        self.listed = self.reached = 0
        self.done = False
        self.error: BaseException | None = None
        self._session = session
        self.position = Position.of(saved, start)
        self._pending: dict[int, int] = dict(saved.get("amended", ()))
        self._amended: dict[int, int] = {}
        self._shape = shape
        self.destination = destination
        self._target = target
        self._mode = target.mode
        self._queue: deque[Batch] = deque()
        self._closed = False
        self._known: Known | None = None
        self._written: list[Array] = []
        self.asked_at: float | None = None
        self.table_keys: str | None = None
        self.side: Rows = []
        self._removed: Rows = []

    def prepare(self, job: Job) -> None:
        """Look up what the endpoint wants to know of the destination."""
        self.job = job
        if self.feed.endpoint.snapshot:
            key, compared = self.stream.key, self.feed.endpoint.compared
            found = self.destination.rows(tuple(dict.fromkeys((*key, *compared, DIGEST))))
            self._known = job.known = Known(found, key, compared)
            job.held = len(self._known)
        if self._pending and self.feed.amend is not None:
            # What the last run read before the change it met may have reached the destination after it.
            self._put(self.feed.amend.rows(self._pending, self), {})

    def accept(self, chunk: Chunk) -> None:
        """Turn a chunk into a batch of this stream's rows."""
        if self.asked_at is None:
            self.asked_at = self.job.transport.server_time
        self.listed += len(chunk.rows)
        self.reached = chunk.at or self.reached
        rows = self._unseen(chunk)
        self.side = chunk.side
        if rows:
            self._removed = []
            picked = foreign(self.feed.pick(rows, self)) + self._removed
            rows = picked if self.feed.amend is None else picked + self._amend(rows, self.feed)
            check_keys(rows, self.stream)
        if rows and self._known is not None:
            rows = self._changed(rows, self._known)
        elif rows and self._mode == "history":
            rows = [type(row)({**row, DIGEST: raw(digest_text(row_hash(row)))}) for row in rows]
        self._put(rows, self._position_after(chunk))

    def _position_after(self, chunk: Chunk) -> dict[str, Any]:
        """The position that holds once a chunk is loaded; none while a shared pass is behind this stream's own."""
        if chunk.at is None or chunk.at < self.position.at:
            return {}
        amended = {"amended": list(self._amended.items())} if self._amended else {}
        return {**chunk.saved, **amended}

    def _amend(self, rows: Rows, feed: Feed) -> Rows:
        assert feed.amend is not None
        tickets = feed.amend.tickets(rows, self)
        # Of what changed before this run began, every row is either at the destination or still to be read.
        since = (self.job.transport.first_server_time or 0) - ANSWERED_WITHIN
        self._amended |= {id: at for id, at in tickets.items() if at >= since}
        return feed.amend.rows(tickets, self) if tickets else []

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

    def _changed(self, rows: Rows, known: Known) -> Rows:
        """Rows that differ from the destination's, each with its digest."""
        digests = [digest_text(row_hash(row)) for row in rows]
        ids = compact([values(rows, name) for name in self.stream.key])
        changed = known.changed(ids, digests)
        if self.stream.fact:
            times, settings = seconds(rows, "updated_at"), self.job.settings
            loaded = holds(known.ids, ids) & (settings.end is None)
            changed &= within(times, settings.start, settings.end) | loaded
        self._written.append(ids[changed])
        return [type(rows[i])({**rows[i], DIGEST: raw(digests[i])}) for i in np.flatnonzero(changed)]

    def held(self, parents: Iterable[int], column: str = "ticket_id") -> Rows:
        """What the destination holds below some tickets (or users)."""
        return self.destination.records(column, parents)

    def purge(self, tickets: Mapping[int, int]) -> Rows:
        """Rows that delete what the destination holds of some tickets, and the tickets' versions."""
        ticket = "ticket_id" if "ticket_id" in self.stream.columns else "id"
        keys = self.destination.records(ticket, tickets, tuple({*self.stream.key, ticket}))
        return [self._tombstone(key, tickets[number(key, ticket) or 0]) for key in keys]

    def retire(self, tickets: Mapping[int, int]) -> Rows:
        """As `purge`, but a row that is only marked as deleted keeps its values."""
        rows = self.destination.records("ticket_id", tickets) if self._marks else []
        if not rows:
            return self.purge(tickets)
        return [self._tombstone(row, tickets[number(row, "ticket_id") or 0]) for row in rows]

    @property
    def _marks(self) -> bool:
        return self.job.settings.deletes == "mark" or self._mode != DEFAULT

    def _retired(self, keys: Rows) -> Rows:
        """Tombstones for keys; where rows are only marked as deleted, with the values they had."""
        if not self._marks:
            return [self._tombstone(key) for key in keys]
        wanted = {key_text(key, self.stream.key) for key in keys}
        last = self.stream.key[-1]
        values = [msgspec.json.decode(key[last]) for key in keys]
        held = (
            row
            for i in range(0, len(values), LOOKED_UP)
            for row in self.destination.records(last, values[i : i + LOOKED_UP])
        )
        return [self._tombstone(row) for row in held if key_text(row, self.stream.key) in wanted]

    def remove_unlisted(self, column: str, parents: Iterable[int], listed: Rows) -> None:
        """Delete, with the rows being picked, what the destination holds below some parents and `listed` does not."""
        self._removed += self.unlisted(column, parents, listed)

    def unlisted(self, column: str, parents: Iterable[int], listed: Rows) -> Rows:
        """Rows that delete what the destination holds below some parents and `listed` does not."""
        columns = tuple(dict.fromkeys((*self.stream.key, column)))
        check_keys(listed, self.stream)
        there = {key_text(row, self.stream.key) for row in listed}
        keys = self.destination.records(column, parents, columns)
        return self._retired([key for key in keys if key_text(key, self.stream.key) not in there])

    def _tombstone(self, key: Row, version: int | None = None) -> Row:
        row = HeldRow({**key, DELETED_AT: raw(datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"))})
        if self.stream.snapshot or self._mode == "history":
            row[DIGEST] = raw(digest_text(row_hash(row)))
        if version is not None and self.stream.version:
            row[self.stream.version] = raw(time_value(self.stream, self.stream.version, version))
        return row

    def finish(self) -> None:
        """The pass is complete: what it did not list is gone."""
        stays = self.stream.keeps or self._target.is_bounded or self._mode in FULL
        if self._known is not None and not stays and (gone := self._known.gone()).num_rows:
            keys = [{name: raw(value) for name, value in key.items()} for key in gone.to_pylist()]
            self._put(self._retired(keys), {})
        if self._known is not None:
            staying = self._known.ids if stays else self._known.listed
            self.table_keys = keys_digest(np.unique(np.concatenate([staying, *self._written])))
        self._end(None)

    def fail(self, error: BaseException) -> None:
        """The pass ended early."""
        self._end(in_words(self.stream, error))

    def _end(self, error: BaseException | None) -> None:
        with self._session.ready:
            self.error = error
            self.done = True
            self._session.ready.notify_all()

    def close(self) -> None:
        """Take no more batches."""
        with self._session.ready:
            self._closed = True
            self._session.queued -= len(self._queue)
            self._queue.clear()
            self._session.ready.notify_all()

    def take(self) -> Batch | None:
        """The next batch; None while there is none, after waiting a moment for any stream of the run."""
        ready = self._session.ready
        with ready:
            if not self._queue and not self.done and not self._session.queued:
                ready.wait(POLL)
            if not self._queue:
                return None
            batch = self._queue.popleft()
            self._session.queued -= 1
            ready.notify_all()
            return batch

    def ready(self) -> list[Batch]:
        """The batches that wait to be taken."""
        with self._session.ready:
            batches = list(self._queue)
            self._session.queued -= len(batches)
            self._queue.clear()
            self._session.ready.notify_all()
            return batches

    @property
    def exhausted(self) -> bool:
        """Whether every batch was taken."""
        return self.done and not self._queue

    def _put(self, rows: Rows, position: dict[str, Any]) -> None:
        """Queue rows, those that were read back apart: users' steps pass them by."""
        held: Rows = [row for row in rows if type(row) is HeldRow]
        fresh = [row for row in rows if type(row) is not HeldRow] if held else rows
        if fresh or (position and not held):
            self._queue_up(Batch(self._shape.data(fresh) if fresh else None, len(fresh), {} if held else position))
        if held:
            data = self._shape.data(held)
            item = held_page(data) if isinstance(data, pa.Table) else HeldRows(data)
            self._queue_up(Batch(item, len(held), position))

    def _queue_up(self, batch: Batch) -> None:
        ready = self._session.ready
        with ready:
            while len(self._queue) >= QUEUED and not self._closed:
                if self._session.stop.is_set():
                    raise Cancelled
                ready.wait(0.5)
            if not self._closed:
                self._queue.append(batch)
                self._session.queued += 1
                ready.notify_all()


def key_text(row: Row, key: Sequence[str]) -> tuple[bytes, ...]:
    """A row's key, comparable."""
    return tuple(bytes(row[name]) for name in key)


def in_words(stream: Stream, error: BaseException) -> BaseException:
    """An error that says by itself what it is about; one that nobody expected rarely does."""
    if "extension" in str(error) and (isinstance(error, DatabaseException) or "duckdb" in type(error).__module__):
        why = "to find what Zendesk has deleted" if stream.snapshot else "to redact and remove rows"
        return ConfigurationError(
            f"{stream.name}: its table cannot be read back, which is needed {why}: "
            f"{plain(str(error), ())} dlt reads tables of this format by an extension of DuckDB: install it where this "
            f'runs, or set streams.{stream.name}.sync_mode = "overwrite".'
        )
    if isinstance(error, ZendeskError) or not isinstance(error, UNEXPECTED):
        return error
    told = ContractError(
        f"{stream.name}: what came in could not be taken in ({type(error).__name__}: {plain(str(error), ())}). Nothing "
        "of that page was loaded, the position stays; report it."
    )
    told.__cause__ = error
    return told


def check_keys(rows: Rows, stream: Stream) -> None:
    """Refuse a page with a row that its key does not tell apart.

    Raises:
        ContractError: a key is missing, or of another type.
    """
    for name in stream.key:
        is_valid = is_id if stream.columns[name] == "bigint" else is_text
        for row in rows:
            if not is_valid(text := bytes(row.get(name, NULL))):
                kind = "integer" if is_valid is is_id else "text"
                raise ContractError(
                    f"{stream.name}: {name} of a row is {quoted(text)}, no {kind}; nothing of its page was loaded."
                )


def is_text(text: bytes) -> bool:
    """Whether a JSON text is a string."""
    return text.startswith(b'"')


def foreign(rows: Rows) -> Rows:
    """Rows of the API, whose keys never mean a column of ours: `_deleted_at` would remove the row."""
    if not any(name in row for row in rows for name in OWN_COLUMNS):
        return rows
    return [{own_name(key, row) if key in OWN_COLUMNS else key: value for key, value in row.items()} for row in rows]


def own_name(key: str, row: Row) -> str:
    """Another name for a key of the API, `zendesk_dlt_id` for `_dlt_id`."""
    while key in OWN_COLUMNS or key in row:
        key = f"zendesk{key}"
    return key


def values(rows: Rows, name: str) -> list[Any]:
    """A column as Python values."""
    return list(msgspec.json.decode(b"[" + b",".join(tokens(rows, name)) + b"]"))


def time_value(stream: Stream, column: str, at: int) -> Any:
    """Unix seconds in the type of a stream's column."""
    return datetime.fromtimestamp(at, timezone.utc) if stream.columns[column] == "timestamp" else at
