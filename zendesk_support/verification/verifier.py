"""Compares tables with Zendesk: whether every row that Zendesk has is there, and no other."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import dlt
import pyarrow as pa
from dlt.common.schema import Schema
from dlt.extract import DltSource
from dlt.pipeline.pipeline import Pipeline

from zendesk_support.api.tokens import TokenVault
from zendesk_support.dlt_internals import (
    DatabaseUndefinedRelation,
    DestinationUndefinedEntity,
    has_table_seen_data,
    load_pipeline_state_from_destination,
)
from zendesk_support.errors import ConfigurationError, UnavailableError
from zendesk_support.loading.account import Account, Session
from zendesk_support.loading.account_guard import check_account
from zendesk_support.loading.backfill import complete_since
from zendesk_support.loading.destination_state import connected
from zendesk_support.loading.merging import merge_strategies
from zendesk_support.loading.positions import Positions
from zendesk_support.loading.resource import keep_tokens
from zendesk_support.loading.sync_modes import APPENDING, DEFAULT, MODE_HINT
from zendesk_support.loading.target import position_of
from zendesk_support.reading.reread import RereadListing
from zendesk_support.report import TABLE as REPORT_TABLE
from zendesk_support.running.run_lock import only_run
from zendesk_support.running.runner import as_asked, set_defaults
from zendesk_support.settings import Settings, instant
from zendesk_support.source import ZendeskSource
from zendesk_support.streams.base import Stream
from zendesk_support.verification.comparison import ReadRequest, Steps, TableComparison
from zendesk_support.verification.loaded import LastSync, Loaded, moment
from zendesk_support.verification.observers import Observer
from zendesk_support.verification.result import COLUMNS, Verification
from zendesk_support.warehouse.loaded_table import ACCOUNT, LoadedTable, table_layout

TABLE = "sync_verification"
SETTLED = 61.0

_ARROW_TYPES = {"timestamp": pa.timestamp("us", "UTC"), "text": pa.string(), "bigint": pa.int64()}


def verify(
    pipeline: Pipeline, source: ZendeskSource, *, keys: bool = False, since: str | datetime | None = None
) -> list[Verification]:
    """Compare the tables of a source's selected streams with Zendesk, and add the results to `sync_verification`.

    Lists are read whole, as each sync reads them. Users and organizations are counted by Zendesk. Of the exports, ten
    pages are read, spread over time. Tables, positions and a pending load package stay as they are.

    Args:
        pipeline: what has loaded the tables.
        source: the source they were loaded from, with the same settings.
        keys: read every key of every stream, which takes the requests of a first sync.
        since: read every key and version from this time on, and look at nothing older; finds rows that became visible
            later than `lookback_minutes` after their stamp. Lists are compared whole all the same.

    Returns:
        One result a stream.

    Raises:
        AlreadyRunningError: a run of this pipeline, or of these streams into this dataset, is under way.
        ConfigurationError: Zendesk refuses the credentials, or pipeline or dataset hold another account.
    """
    set_defaults()
    with only_run(pipeline, source.selected_streams, loads=False, apart=source.account.settings.shares):
        wait = source.account.settings.database_wait
        with connected(pipeline, wait):
            if source.name not in pipeline.schema_names and not pipeline.has_pending_data:
                pipeline.sync_destination()
            check_account(pipeline, source.name, source.account.settings)
        source = as_asked(pipeline, source)
        verifier = Verifier(pipeline, source, keys, instant("since", since) if since else None)
        results = verifier.run()
        if any(result.verdict != "not loaded" for result in results):
            with connected(pipeline, wait):
                store(pipeline, source, results, verifier.vault)
    return results


class Verifier:
    """One verification: what the streams ask for is read together, step by step, until each has its verdict."""

    def __init__(self, pipeline: Pipeline, source: ZendeskSource, keys: bool, since: int | None) -> None:
        self.vault: TokenVault | None = None
        self._pipeline = pipeline
        self._account = source.account
        self._schema = source.name
        self._state: Any = committed_state(pipeline).get("sources", {}).get(source.name, {})
        self._keys = keys or since is not None
        self._since = since
        normalize = source.schema.naming.normalize_tables_path
        self._tables: dict[str, str] = {}
        self._streams: list[Stream] = []
        for name, resource in source.selected_streams.items():
            self._tables[name] = normalize(str(resource.table_name))
            self._streams.append(replace(resource.stream.configured(self._settings), name=name))

    @property
    def _settings(self) -> Settings:
        """The source's settings, with all children read, and removals by key alone."""
        return replace(self._account.settings, help_center_children="all", deletes="remove")

    def run(self) -> list[Verification]:
        """Compare every stream."""
        results = {stream.name: Verification(stream.name, verdict="not loaded") for stream in self._streams}
        steps: dict[str, Steps] = {}
        looks: dict[str, ReadRequest] = {}
        for loaded in self._loaded():
            examination = TableComparison(loaded, self._keys)
            name = loaded.stream.name
            results[name], steps[name] = examination.result, examination.steps()
            if (look := next(steps[name], None)) is not None:
                looks[name] = look
        with self._pipeline.collector(f"Verify {self._schema}"):
            while looks:
                observers, looks = self._read(looks), {}
                for name, asked in observers.items():
                    error = next((observer.error for observer in asked if observer.error is not None), None)
                    if error is not None:
                        refuse(results[name], error)
                    elif (look := advance(steps[name], asked)) is not None:
                        looks[name] = look
        errors = [results[name].error for name in steps]
        if errors and all(isinstance(error, ConfigurationError) for error in errors):
            raise next(filter(None, errors))
        for result in results.values():
            result.account = self._account.settings.account
        return list(results.values())

    def _read(self, looks: Mapping[str, ReadRequest]) -> dict[str, list[Observer]]:
        """Read what the streams ask for, as one run reads its streams."""
        account = Account(self._settings, self._account.credentials)
        account.clock, account.limiter = self._account.clock, self._account.limiter
        session = account.enter()
        try:
            if any(look.later for look in looks.values()):
                account.clock.sleep(SETTLED, session.stop)
            self.vault = session.vault
            if self.vault is not None:
                self.vault.offer(self._state.get(TokenVault.STATE_KEY))
            observers = {name: look.observers(session) for name, look in looks.items()}
            for observer in (observer for asked in observers.values() for observer in asked):
                session.subscribe(observer)
            session.start()
            self._wait(session, [observer for asked in observers.values() for observer in asked])
            return observers
        finally:
            account.leave(session)

    def _wait(self, session: Session, observers: list[Observer]) -> None:
        """Show the rows read until all is read."""
        shown = dict.fromkeys(observers, 0)
        while not all(observer.done for observer in observers):
            session.news.wait(0.5)
            for observer in observers:
                if new := observer.rows_read - shown[observer]:
                    self._pipeline.collector.update(observer.stream.name, new)
                    shown[observer] += new

    def _loaded(self) -> Iterator[Loaded]:
        """The streams that have a table."""
        if self._schema not in self._pipeline.schema_names:
            return
        tables: Any = self._pipeline.schemas[self._schema].tables
        seen = [s for s in self._streams if has_table_seen_data(tables.get(self._tables[s.name], {}))]
        client = self._pipeline.sql_client(self._schema)
        settings = self._account.settings
        storage: Any
        # Held open, or each query opens a DuckDB file anew.
        with self._pipeline.destination_client(self._schema) as storage:
            stored = storage.get_storage_tables([self._tables[stream.name] for stream in seen]) if seen else ()
            there = {name for name, columns in stored if columns}
            last = last_syncs(client, settings.shares)
            for stream in (stream for stream in seen if self._tables[stream.name] in there):
                table, state = tables[self._tables[stream.name]], self._state.get("resources", {}).get(stream.name, {})
                earliest = max(self._since or 0, kept_since(stream, last.get(stream.name)))
                begun = position_of(state.get("incremental", {}).get(stream.cursor, {}).get("initial_value"))
                positions = Positions(dict(state), stream)
                begun = max(begun, complete_since(positions.parts(stream.feeds[0].name)) or 0)
                mode = table.get(MODE_HINT, DEFAULT)
                is_appended = mode in APPENDING or not merge_strategies(storage.capabilities, table)
                yield Loaded(
                    stream=stream,
                    destination=LoadedTable(
                        client,
                        table_layout(tables, table["name"]),
                        stream.key if is_appended else (),
                        settings.database_wait,
                        stream.version,
                        settings.shares,
                    ),
                    keeps=stream.keeps or mode == "append",
                    start=max(settings.start if stream.fact else 0, begun if stream.fact else 0, earliest),
                    begun_later=stream.fact and begun > settings.start,
                    end=settings.end if stream.fact else None,
                    positions=positions,
                    last=last.get(stream.name),
                    since=self._since,
                )


def kept_since(stream: Stream, last: LastSync | None) -> int:
    """The second from which on Zendesk keeps all rows of a stream, Unix; older ones stay in its table."""
    endpoint, now = stream.feeds[0].endpoint, max(int(time.time()), (last and last.asked_at) or 0)
    return endpoint.kept_since(now) if isinstance(endpoint, RereadListing) else 0


def advance(steps: Steps, observers: list[Observer]) -> ReadRequest | None:
    """Hand a stream what was read for it; None once it has its verdict."""
    try:
        return steps.send(observers)
    except StopIteration:
        return None


def refuse(result: Verification, error: BaseException) -> None:
    """Say why a stream cannot be compared."""
    if not isinstance(error, Exception):
        raise error
    result.why = str(error)
    if isinstance(error, UnavailableError):
        result.verdict = "unavailable"
    else:
        result.error = error


def committed_state(pipeline: Pipeline) -> Any:
    """The pipeline's state as it stands at the destination: a pending package may be ahead of the tables."""
    if not pipeline.has_pending_data:
        return pipeline.state
    client: Any
    with pipeline.destination_client() as client:
        try:
            return load_pipeline_state_from_destination(pipeline.pipeline_name, client) or {}
        except DestinationUndefinedEntity:
            return {}


def last_syncs(client: Any, account: str | None = None) -> dict[str, LastSync]:
    """What the last sync reported, by stream; that of an account, where several share the tables."""
    with client:
        report, values = client.make_qualified_table_name(REPORT_TABLE), list[str]()
        if account is not None:
            report, values = f"(SELECT * FROM {report} WHERE {ACCOUNT} = %s)", [account, account]
        newest = f"SELECT stream, max(started_at) AS started_at FROM {report} AS a GROUP BY stream"
        columns = "stream, status, message, asked_at, table_keys"
        query = f"SELECT {columns} FROM {report} AS r JOIN ({newest}) AS newest USING (stream, started_at)"
        try:
            with client.execute_query(query, *values) as cursor:
                rows = cursor.fetchall()
        except DatabaseUndefinedRelation:
            return {}
    return {
        stream: LastSync(status, message, int(asked.timestamp()) if (asked := moment(at)) else None, table_keys)
        for stream, status, message, at, table_keys in rows
    }


def store(pipeline: Pipeline, source: ZendeskSource, results: Iterable[Verification], vault: TokenVault | None) -> None:
    """Add the results to `sync_verification`; beside a pending package, by a pipeline of their own."""

    def rows() -> Iterator[pa.Table]:
        keep_tokens(vault)
        yield pa.table(
            {
                name: pa.array([getattr(result, name) for result in results], _ARROW_TYPES[data_type])
                for name, (data_type, _) in COLUMNS.items()
            }
        )

    hints: Any = {
        name: {"name": name, "data_type": data_type, "description": note} for name, (data_type, note) in COLUMNS.items()
    }
    resource = dlt.resource(rows, name=TABLE, write_disposition="append", columns=hints, file_format="parquet")
    target = pipeline
    if pipeline.has_pending_data:
        target = dlt.pipeline(
            f"{pipeline.pipeline_name}_verification",
            pipelines_dir=pipeline.pipelines_dir,
            destination=pipeline.destination,
            dataset_name=pipeline.dataset_name,
        )
    try:
        target.run(DltSource(Schema(source.name), source.section, [resource]))
    finally:
        pipeline.activate()
