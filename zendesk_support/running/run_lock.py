"""Lets one run at a time load a table: on this machine by file locks, at a server by a row that has to be renewed."""

from __future__ import annotations

import os
import platform
import socket
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, ClassVar

from dlt.pipeline.exceptions import PipelineStepFailed
from dlt.pipeline.pipeline import Pipeline
from filelock import FileLock, Timeout

from zendesk_support.dlt_internals import DatabaseException, SqlClientBase, SqlJobClientBase
from zendesk_support.errors import AlreadyRunningError
from zendesk_support.loading.destination_state import duckdb_file, is_compared

TABLE = "_zendesk_runs"
COLUMNS = {
    "token": "text",
    "pipeline": "text",
    "streams": "text",
    "host": "text",
    "process": "bigint",
    "machine": "text",
    "since": "timestamp",
    "seen": "timestamp",
}
RENEWED_EVERY = 60.0
FORGOTTEN_AFTER = timedelta(minutes=5)
SERVERS = ("postgres", "bigquery")
"""SQL dialects of servers that the lock's statements were tried with."""
TRIES = 3


@contextmanager
def only_run(
    pipeline: Pipeline, streams: Iterable[str], loads: bool = True, apart: str | None = None
) -> Iterator[None]:
    """Be the only run of a pipeline on this machine, and the only one that loads these streams into its dataset.

    Args:
        pipeline: where to.
        streams: what it loads, or looks at.
        loads: whether it makes the dataset, if there is none.
        apart: the account, where others may load the same streams into the same tables.

    Raises:
        AlreadyRunningError: another one is under way.
        PipelineStepFailed: the destination does not answer.
    """
    path = Path(pipeline.pipelines_dir) / f"{pipeline.pipeline_name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    claimed = frozenset(f"{apart}/{name}" for name in streams) if apart is not None else frozenset(streams)
    with file_lock(path, pipeline), at_destination(pipeline, claimed, loads, apart):
        yield


@contextmanager
def file_lock(path: Path, pipeline: Pipeline) -> Iterator[None]:
    """Hold a lock that the system releases when the process dies; the file says who holds it."""
    told = f"{pipeline.pipeline_name}\nheld"
    with suppress(OSError):
        told = path.read_text() or told
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        name, _, who = told.partition("\n")
        raise AlreadyRunningError(
            f"another run of the pipeline {name} is under way ({who}, file {path}). Wait for it, or use another "
            "--pipeline-name and dataset."
        ) from None
    try:
        with suppress(OSError):
            path.write_text(f"{pipeline.pipeline_name}\n{Holder.of(pipeline, frozenset()).described}")
        yield
    finally:
        lock.release()


@contextmanager
def at_destination(
    pipeline: Pipeline, streams: frozenset[str], loads: bool, apart: str | None = None
) -> Iterator[None]:
    """Hold the destination's lock, if it has one: a file beside a DuckDB file, a row at a server."""
    try:
        client: Any = pipeline.destination_client()
        file = duckdb_file(client)
        lease = None
        if file is None and is_server(client) and has_dataset(pipeline, loads):
            lease = Lease(pipeline, client.sql_client, Holder.of(pipeline, streams))
            lease.take()
    except AlreadyRunningError:
        raise
    except Exception as error:
        raise PipelineStepFailed(pipeline, "sync", None, error) from error  # type: ignore[arg-type]
    if file is not None:
        whose = [file.name, client.sql_client.dataset_name, *([apart] if apart is not None else [])]
        with file_lock(file.with_name(f"{'.'.join(whose)}.lock"), pipeline):
            yield
    elif lease is not None:
        with lease.kept():
            yield
    else:
        yield


def is_server(client: Any) -> bool:
    """Whether a client's server is one that the lock's statements were tried with."""
    return isinstance(client, SqlJobClientBase) and client.capabilities.sqlglot_dialect in SERVERS


def has_dataset(pipeline: Pipeline, makes: bool) -> bool:
    """Whether there is a dataset, which is made if need be; a state of one that was dropped is forgotten first."""
    client: Any
    with pipeline.destination_client() as client:
        there = bool(client.is_storage_initialized())
    if there or not makes:
        return there
    if is_compared(pipeline):
        pipeline.sync_destination()
    with pipeline.destination_client() as client:
        for tried in range(TRIES):
            try:
                client.initialize_storage()
                break
            except DatabaseException:  # another one makes it in this moment
                if tried == TRIES - 1:
                    raise
    return True


@dataclass(frozen=True)
class Holder:
    """A run that holds a lock.

    Attributes:
        machine: equal for processes that see each other's numbers: one boot of one machine, and one container.
    """

    pipeline: str
    streams: frozenset[str]
    host: str
    process: int
    machine: str
    since: datetime
    token: str = field(default_factory=lambda: uuid.uuid4().hex)

    alive_here: ClassVar[set[str]] = set()
    """Tokens of this process's runs: a number may be given to another process, or again to this one's like."""

    @classmethod
    def of(cls, pipeline: Pipeline, streams: frozenset[str]) -> Holder:
        """This process, about to run a pipeline."""
        now = datetime.now(timezone.utc)
        return cls(pipeline.pipeline_name, streams, socket.gethostname(), os.getpid(), machine(), now)

    @property
    def described(self) -> str:
        """Who it is, for a message."""
        since = self.since.astimezone(timezone.utc)
        return f"host {self.host}, process {self.process}, since {since:%Y-%m-%d %H:%M} UTC"

    @property
    def is_dead(self) -> bool:
        """Whether its process is known to have ended; False where that cannot be seen from here."""
        if self.machine != machine() or os.name != "posix":
            return False
        if self.process == os.getpid():
            return self.token not in self.alive_here
        try:
            os.kill(self.process, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass
        return False

    def stands_in_the_way_of(self, other: Holder) -> bool:
        """Whether both would write the same tables or positions."""
        return self.pipeline == other.pipeline or bool(self.streams & other.streams)


def machine() -> str:
    """What processes have in common that see each other's numbers."""
    boot, namespace = str(uuid.getnode()), ""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = os.readlink("/proc/self/ns/pid")
    return f"{platform.node()} {boot} {namespace}"


class Lease:
    """A row of the table `_zendesk_runs` that says which streams a run loads, as long as it is renewed.

    Each run adds its row first and looks for others then, so that of two at the same time at least one sees the other.
    All times are the server's.
    """

    def __init__(self, pipeline: Pipeline, client: SqlClientBase[Any], holder: Holder) -> None:
        self._pipeline = pipeline
        self._client = client
        self._holder = holder
        self._table = client.make_qualified_table_name(TABLE)
        self._turn = threading.Lock()
        self._ended = threading.Event()
        self._renewed = time.monotonic()
        self._lost = False

    def take(self) -> None:
        """Take the lock.

        Raises:
            AlreadyRunningError: another run holds it.
        """
        Holder.alive_here.add(self._holder.token)  # before another thread can see the row
        try:
            self._take()
        except BaseException:
            Holder.alive_here.discard(self._holder.token)
            raise

    def _take(self) -> None:
        mine = self._holder
        with self._turn, self._client:
            self._make_table()
            values = (mine.token, mine.pipeline, " ".join(sorted(mine.streams)), mine.host, mine.process, mine.machine)
            marks = ", ".join(["%s"] * len(values))
            self._do(
                f"INSERT INTO {self._table} ({', '.join(COLUMNS)}) "
                f"VALUES ({marks}, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP)",
                *values,
            )
            others = [other for other in self._holders() if other.token != mine.token]
            if found := next((other for other in others if other.stands_in_the_way_of(mine)), None):
                self._delete(mine.token)
                raise AlreadyRunningError(
                    f"another run of the pipeline {found.pipeline} loads into {self._pipeline.dataset_name} "
                    f"({found.described}). Wait for it; one that was killed is forgotten after "
                    f"{FORGOTTEN_AFTER.seconds // 60} minutes."
                )

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Renew the lock in a thread, and give it back at the end."""
        renewing = threading.Thread(target=self._renew_always, name="zendesk-lock", daemon=True)
        renewing.start()
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)
            self._ended.set()
            renewing.join()
            Holder.alive_here.discard(self._holder.token)
            with suppress(Exception), self._client:  # it is forgotten without
                self._delete(self._holder.token)

    def check(self) -> None:
        """Make sure that nobody else has taken the lock.

        Raises:
            AlreadyRunningError: somebody has.
        """
        if time.monotonic() - self._renewed > 2 * RENEWED_EVERY:
            self.renew()
        if self._lost:
            raise AlreadyRunningError(
                f"another run has begun to load into {self._pipeline.dataset_name}, as this one gave no sign of life "
                f"for {FORGOTTEN_AFTER.seconds // 60} minutes. What it has read since its last checkpoint is dropped; "
                "run again."
            )

    def renew(self) -> None:
        """Say that this run is still under way, and look whether it is still believed."""
        with self._turn, self._client:
            self._do(f"UPDATE {self._table} SET seen = CURRENT_TIMESTAMP WHERE token = %s", self._holder.token)
            query = f"SELECT count(*) FROM {self._table} WHERE token = %s"
            [(there,)] = self._client.execute_sql(query, self._holder.token) or [(0,)]
            self._lost = not there
            self._renewed = time.monotonic()

    def _renew_always(self) -> None:
        while not self._ended.wait(RENEWED_EVERY):
            with suppress(Exception):  # the server may answer next time; before a load, `check` insists
                self.renew()

    def _make_table(self) -> None:
        mapper = self._client.capabilities.get_type_mapper()
        table: Any = {"name": TABLE, "columns": {}}
        columns: list[Any] = [{"name": name, "data_type": data_type} for name, data_type in COLUMNS.items()]
        types = ", ".join(f"{column['name']} {mapper.to_destination_type(column, table)}" for column in columns)
        for tried in range(TRIES):
            try:
                return self._do(f"CREATE TABLE IF NOT EXISTS {self._table} ({types})")
            except DatabaseException:  # another one makes it in this moment
                if tried == TRIES - 1:
                    raise

    def _holders(self) -> list[Holder]:
        """The runs under way; rows of others are taken out."""
        names = ", ".join(COLUMNS)
        found = self._client.execute_sql(f"SELECT {names}, CURRENT_TIMESTAMP FROM {self._table}") or ()
        alive = []
        for token, pipeline, streams, host, process, where, since, seen, now in found:
            holder = Holder(pipeline, frozenset(streams.split()), host, process, where, since, token)
            if token != self._holder.token and (now - seen > FORGOTTEN_AFTER or holder.is_dead):
                self._delete(token)
            else:
                alive.append(holder)
        return alive

    def _delete(self, token: str) -> None:
        self._do(f"DELETE FROM {self._table} WHERE token = %s", token)

    def _do(self, statement: str, *values: Any) -> None:
        with self._client.execute_query(statement, *values):
            pass


_current: ContextVar[Lease | None] = ContextVar("current_lease", default=None)


def check_lock() -> None:
    """Make sure, before a load, that the lock of the run under way is still its own.

    Raises:
        AlreadyRunningError: it is not.
    """
    lease = _current.get()
    if lease is not None:
        lease.check()
