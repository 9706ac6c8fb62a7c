"""What a load will do to a stream's table, asked of resource and pipeline as the user left them.

The one place that does: write disposition, table, schema and bounds are those in force when the run begins, not those
of the catalogue. What cannot be honoured is refused before the first request.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

import dlt
from dlt.extract import DltResource
from dlt.pipeline.pipeline import Pipeline

from zendesk_support.dlt_internals import (
    Container,
    CurrentLoadPackageStateNotAvailable,
    DestinationCapabilitiesContext,
    Incremental,
    IncrementalResourceWrapper,
    ItemTransform,
    LimitItem,
    PipelineContext,
    WithSqlClient,
    has_table_seen_data,
    resolve_merge_strategy,
    steps_of,
)
from zendesk_support.errors import ConfigurationError
from zendesk_support.loading.masking import check_mask, keep_mask
from zendesk_support.loading.merging import merges_into
from zendesk_support.loading.shared_tables import check_emptied, check_layout, check_shared_mode
from zendesk_support.loading.sync_modes import APPENDING, DEFAULT, FULL, MODE_HINT, MODES, Mode, check_mode, check_table
from zendesk_support.settings import Settings, instant
from zendesk_support.streams.base import Stream
from zendesk_support.warehouse.loaded_table import LoadedTable, table_layout

TAKE_KEYS_ONCE = ("upsert", "insert-only")
"""Merge strategies that fail on two rows of one key in a package, or load both."""
TAKE_ROWS = ("sqlalchemy", "snowflake", "redshift", "mssql", "synapse", "fabric")
"""Destinations whose JSON columns take a text for a JSON string."""
REFUSE_NUL = ("postgres", "redshift")
"""SQL dialects whose texts cannot hold NUL."""
AT_ONCE = 16
"""Runs of one source that are kept apart."""
REPLACEABLE = ("overwrite", "incremental", "incremental_append", "append")
"""Sync modes of tables that `overwrite` may replace: their columns take its rows."""


@dataclass(frozen=True)
class Target:
    """A stream's table in the run under way.

    Attributes:
        resource: its name, under which dlt keeps the position.
        table: its name in the schema.
        mode: how rows reach it.
        settings: the source's, with the bounds of the resource's own incremental.
        is_bounded: the run reads a period only, and keeps no state.
        is_loaded: it has been loaded, and this run does not empty it.
        unique: a package may hold a key only once: what it holds first or last cannot be told afterwards.
        as_rows: it takes rows, since it would keep the JSON columns of an Arrow table as texts.
        has_sql: it can be read back.
        drops_rows: not all rows that are read may reach it.
        merges: rows of one key replace each other; a destination that cannot do that appends them.
    """

    resource: str
    table: str
    mode: Mode
    settings: Settings
    is_bounded: bool = False
    is_loaded: bool = False
    unique: bool = False
    as_rows: bool = False
    has_sql: bool = True
    drops_rows: bool = False
    merges: bool = True

    @property
    def keeps_versions(self) -> bool:
        """Whether the table gets a row beside the earlier ones of its key: the last one counts."""
        return self.mode in APPENDING or not self.merges

    @property
    def is_stateless(self) -> bool:
        """Whether the run keeps no position."""
        return self.is_bounded or self.mode in FULL

    @property
    def is_read_back(self) -> bool:
        """Whether rows are compared with those that the table has."""
        return self.is_loaded and self.has_sql and self.mode not in FULL


class Run:
    """The dlt run under way: its pipeline, what that knows of its tables, and what its destination can.

    Found once and kept: dlt works out each of them anew when asked.
    """

    def __init__(self, id: str) -> None:
        self.id = id
        self.pipeline: Pipeline = Container()[PipelineContext].pipeline()  # type: ignore[assignment]
        self.schema = dlt.current.source_schema()
        state: Any = dlt.current.load_package_state()["state"]
        self.dropped = {table["name"] for table in state.get("dropped_tables") or ()}
        self.emptied = self.dropped | {table["name"] for table in state.get("truncated_tables") or ()}

    @cached_property
    def tables(self) -> Any:
        """The pipeline's tables by name, as the last load left them: a source may bring those of another pipeline."""
        stored, name = self.pipeline.schemas, self.schema.name
        return stored[name].tables if name in stored else {}

    def streams_into(self, table: str) -> set[str]:
        """The selected streams that are loaded into a table."""
        return self._streams_by_table.get(table, set())

    @cached_property
    def _streams_by_table(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for name, resource in dlt.current.source().selected_resources.items():
            if hasattr(resource, "stream") and not callable(table := resource.table_name):
                found.setdefault(self.schema.naming.normalize_tables_path(table), set()).add(name)
        return found

    @cached_property
    def capabilities(self) -> DestinationCapabilitiesContext | None:
        """What the destination can; None where none is configured."""
        return self.pipeline.destination.capabilities() if self.pipeline.destination is not None else None

    @cached_property
    def has_sql(self) -> bool:
        """Whether what was loaded can be read back by SQL."""
        destination = self.pipeline.destination
        return destination is not None and issubclass(destination.client_class, WithSqlClient)

    def loaded_table(self, name: str, settings: Settings) -> LoadedTable | None:
        """Every row that a table has; None where it cannot be read back."""
        if not self.has_sql:
            return None
        client = self.pipeline.sql_client(schema_name=self.schema.name)
        return LoadedTable(client, table_layout(self.tables, name), (), settings.database_wait, account=settings.shares)

    @property
    def refuses_nul(self) -> bool:
        """Whether texts at the destination cannot hold NUL."""
        return self.capabilities is not None and self.capabilities.sqlglot_dialect in REFUSE_NUL

    def takes_rows(self, resource: DltResource) -> bool:
        """Whether the destination keeps the JSON texts of an Arrow table as texts, not as JSON."""
        destination = self.pipeline.destination
        if destination is None:
            return False
        if isinstance(destination, dlt.destinations.destination):
            return self.capabilities is not None and self.capabilities.preferred_loader_file_format != "parquet"
        kind = destination.destination_type.rpartition(".")[2]
        if kind == "filesystem":
            return resource.compute_table_schema().get("file_format") in ("jsonl", "typed-jsonl")
        return kind in TAKE_ROWS

    def takes_keys_once(self, resource: DltResource, mode: Mode) -> bool:
        """Whether the destination merges in a way that fails or doubles where a package holds a key twice."""
        if mode != "incremental" or self.capabilities is None:
            return False
        given: Any = resource.write_disposition
        strategy = given.get("strategy") if isinstance(given, Mapping) else None
        if strategy is None and (self.capabilities.supported_merge_strategies or ())[:1] == ["delete-insert"]:
            strategy = "delete-insert"  # dlt's choice is the first; its working out of a table takes ten milliseconds
        if strategy is None:
            table: Any = {**resource.compute_table_schema(), "write_disposition": "merge"}
            strategy = resolve_merge_strategy({table["name"]: table}, table, self.capabilities)
        return strategy in TAKE_KEYS_ONCE


class Between(Run):
    """What a pipeline knows of its tables between two dlt runs, for readers that are ahead of the next one."""

    def __init__(self, pipeline: Pipeline, schema_name: str) -> None:
        self.id, self.pipeline, self.schema = "", pipeline, pipeline.schemas[schema_name]
        self.dropped = self.emptied = set()

    def has_loaded(self, target: Target) -> bool:
        """Whether the table of a target has been loaded."""
        return target.table in self.tables and has_table_seen_data(self.tables[target.table])


class Runs:
    """The runs under way, for the streams of an account: several where threads load it into several pipelines."""

    def __init__(self) -> None:
        self._runs: dict[str, Run] = {}

    def forget(self) -> None:
        """Let go of all of them, with the schema of each; one that is under way is found anew."""
        self._runs = {}

    def current(self) -> Run | None:
        """This thread's; None where a resource is iterated without a pipeline."""
        id = load_id()
        if id is None:
            return None
        if id not in self._runs:
            self._runs[id] = Run(id)
            for ended in list(self._runs)[:-AT_ONCE]:
                del self._runs[ended]
        return self._runs[id]


def target_of(stream: Stream, settings: Settings, cursor: Any | None, run: Run | None) -> Target:
    """What the run under way will do to a stream's table.

    Args:
        stream: whose rows.
        settings: of the source.
        cursor: the incremental that dlt has bound, for a stream that has one.
        run: None where a resource is iterated without a pipeline.

    Raises:
        ConfigurationError: a hint of the resource cannot be honoured; the message has what can be.
    """
    resource = dlt.current.resource()
    mode = mode_of(stream, settings, resource)
    period, is_bounded = bounded(stream, settings, cursor, resource)
    target = Target(resource.name, resource.name, mode, period, is_bounded)
    if run is None:
        return target
    check_shared_mode(settings, resource.name, mode)
    table = table_of(stream, resource, run)
    for name in run.streams_into(table) - {resource.name}:
        raise ConfigurationError(
            f"{resource.name} and {name} would both be loaded into the table {table}, where each takes the other's "
            "rows for its own. Give each a table of its own, and bring them together by a view."
        )
    check_emptied(settings, resource.name, table in run.emptied)
    merges = merges_into(resource, mode, settings, run.capabilities)
    stored = run.tables.get(table)
    if stored is not None and table not in run.dropped:
        check_layout(settings, table, stored["columns"])
        check_found(stream, mode, settings, stored)
        if table not in run.emptied:
            check_mask(stream, table, run.tables, lambda: run.loaded_table(table, settings))
        keep_mask(resource, stream, stored)
    return replace(
        target,
        table=table,
        is_loaded=stored is not None and has_table_seen_data(stored) and table not in run.emptied,
        unique=run.takes_keys_once(resource, mode) or (mode == DEFAULT and not merges),
        as_rows=run.takes_rows(resource),
        has_sql=run.has_sql,
        drops_rows=drops_rows(resource),
        merges=merges,
    )


def table_of(stream: Stream, resource: DltResource, run: Run) -> str:
    """The normalized name of the resource's table."""
    if callable(name := resource.table_name):
        raise ConfigurationError(
            f"{resource.name}: table_name is a function, which pages of rows cannot choose a table by. Give a name, as "
            f'in `source.{stream.name}.apply_hints(table_name="support_{stream.name}")`, and divide rows by a view.'
        )
    return run.schema.naming.normalize_tables_path(name)


def drops_rows(resource: DltResource) -> bool:
    """Whether a step that the user has added may keep rows from the table."""
    own = (Incremental, IncrementalResourceWrapper, LimitItem)
    return any(isinstance(step, ItemTransform) and not isinstance(step, own) for step in steps_of(resource))


def takes_nothing(resource: DltResource) -> bool:
    """Whether a limit keeps every item back."""
    return any(isinstance(step, LimitItem) and step.max_items == 0 for step in steps_of(resource))


def load_id() -> str | None:
    """The load package under way; None where a resource is iterated without a pipeline."""
    try:
        return dlt.current.load_package_state()["load_id"]
    except CurrentLoadPackageStateNotAvailable:
        return None


def mode_of(stream: Stream, settings: Settings, resource: DltResource) -> Mode:
    """The sync mode that does what the resource's write disposition says.

    Raises:
        ConfigurationError: no mode does.
    """
    configured = check_mode(stream, settings.sync_modes.get(stream.name, DEFAULT))
    asked: Any = getattr(resource, "asked_disposition", None)
    if asked is None:
        return configured
    given = asked if isinstance(asked, Mapping) else {"disposition": asked}
    kind, strategy = given.get("disposition"), given.get("strategy")
    if kind == "replace":
        return "overwrite"
    if kind == "append":
        return configured if configured == "append" else "incremental_append"
    if kind == "merge" and strategy in (None, "delete-insert", "upsert"):
        return "incremental"
    if kind == "merge" and strategy == "scd2":
        return check_mode(stream, "history")
    options = ", ".join(f'"{name}"' for name in MODES)
    raise ConfigurationError(
        f"{resource.name}: write_disposition = {asked!r} would leave changes and deletions out. Example: "
        f'write_disposition="merge", or one of sync_mode = {options}.'
    )


def check_found(stream: Stream, mode: Mode, settings: Settings, stored: Mapping[str, Any]) -> None:
    """Refuse a table that was made in a mode, or with nested values in a form, beside which these rows cannot stand."""
    found = stored.get(MODE_HINT, mode)
    replaces = mode == "overwrite" and found in REPLACEABLE
    goes_on = mode == "incremental" and found == "overwrite"
    check_table(stream, found if replaces or goes_on else mode, settings.nested, stored)


def bounded(stream: Stream, settings: Settings, cursor: Any | None, resource: DltResource) -> tuple[Settings, bool]:
    """The settings with the period of the resource's incremental, as the source, the user or a scheduler has set it.

    Returns:
        The settings to read with, and whether the period has an end.

    Raises:
        ConfigurationError: the incremental asks for what the stream's cursor cannot do.
    """
    account_end = settings.end
    if not (stream.fact or stream.tells_now):
        settings = replace(settings, end=None)  # `end_date` limits facts, and what tells of now
    if stream.cursor is None:
        if resource.incremental is not None:
            raise ConfigurationError(
                f"{resource.name}: incremental = {resource.incremental} is not for this stream: each run reads it "
                "whole and writes what differs. Leave the hint out."
            )
        return settings, account_end is not None
    at = "1767225600" if stream.columns[stream.cursor] == "bigint" else "datetime(2026, 1, 1, tzinfo=timezone.utc)"
    example = f'dlt.sources.incremental("{stream.cursor}", initial_value={at})'
    if cursor is None:
        raise ConfigurationError(f"{resource.name}: incremental = None: its position needs one. Example: {example}.")
    refused = {
        "cursor_path": cursor.cursor_path != stream.cursor,
        "lag": bool(cursor.lag),
        "last_value_func": cursor.last_value_func is not max,
        "range_start": cursor.range_start != "closed",
        "range_end": cursor.range_end != "open",
    }
    for setting in (name for name, is_refused in refused.items() if is_refused):
        hint = " For rows that come late there is lookback_minutes." if setting == "lag" else ""
        raise ConfigurationError(
            f"{resource.name}: {setting} = {getattr(cursor, setting)!r} of its incremental cannot be honoured: Zendesk "
            f"orders the rows by {stream.cursor}.{hint} Example: {example}."
        )
    start = seconds_of(resource, "initial_value", cursor.initial_value, example)
    end = seconds_of(resource, "end_value", cursor.end_value, example)
    if end is not None and start is not None and end <= start:
        raise ConfigurationError(
            f"{resource.name}: end_value = {cursor.end_value} is not after initial_value = {cursor.initial_value}."
        )
    if stream.fact and start is not None:
        settings = replace(settings, start=start)
    if end is None and account_end is not None:
        return settings, True  # the source's `end_date` holds beside an incremental without an end
    return settings if end == account_end else replace(settings, end=end), end is not None


def seconds_of(resource: DltResource, setting: str, value: Any, example: str) -> int | None:
    """A value that somebody gave a cursor, as Unix seconds; None where none was given."""
    if value is None:
        return None
    if not isinstance(value, (int, float, datetime, str)):
        raise ConfigurationError(f"{resource.name}: {setting} = {value!r} is no time. Example: {example}.")
    return position_of(value, setting)


def position_of(value: Any, setting: str = "initial_value") -> int:
    """A cursor value as Unix seconds: a datetime, a text of one, or seconds; 0 for none."""
    if isinstance(value, str) and value.isdecimal():  # of the environment
        return int(value)
    return instant(setting, value) if isinstance(value, (datetime, str)) else int(value or 0)
