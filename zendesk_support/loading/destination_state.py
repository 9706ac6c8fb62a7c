"""Whether the destination still holds what the saved positions count as loaded: a backup put back, a table dropped."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlt.common import logger
from dlt.common.schema import Schema
from dlt.extract import DltSource
from dlt.pipeline.exceptions import PipelineStepFailed
from dlt.pipeline.pipeline import Pipeline

from zendesk_support.api.tokens import TokenVault
from zendesk_support.dlt_internals import (
    DestinationUndefinedEntity,
    DuckDbCredentials,
    SqlClientBase,
    SqlJobClientBase,
    get_root_table,
    has_table_seen_data,
    json_decode_state,
    last_extracted_hash,
    load_pipeline_state_from_destination,
    pipeline_drop,
    waiting_packages,
)
from zendesk_support.errors import ConfigurationError
from zendesk_support.loading.sync_modes import DEFAULT, MODE_HINT
from zendesk_support.streams.base import Stream
from zendesk_support.warehouse.patience import patiently


@dataclass(frozen=True)
class Loss:
    """What the destination has lost of a stream.

    Attributes:
        how: that shows, in words.
        leaves_rows: columns are gone, or child tables, while the stream's rows are there.
        needed: columns that are gone, and cannot be made again beside rows.
    """

    how: str
    leaves_rows: bool = False
    needed: tuple[str, ...] = ()


HAS_ROWS = "has_rows"
"""In a stream's state: rows of it were loaded since its table was made."""
INCOMPLETE = "incomplete"
"""In a stream's state: columns of its table were made again, and are not filled yet."""
REFILLED = (DEFAULT, "history")
"""Sync modes whose tables hold every row; from the others, users take rows away."""


def duckdb_file(client: Any) -> Path | None:
    """The DuckDB file that a client writes, where it opens one itself."""
    credentials = getattr(client.config, "credentials", None)
    if type(credentials) is not DuckDbCredentials or credentials.external_conn() or credentials.database[:1] == ":":
        return None
    return Path(credentials.database)


@contextmanager
def connected(pipeline: Pipeline, wait: float) -> Iterator[None]:
    """Hold a connection to a DuckDB file open, or each query opens it anew.

    Args:
        pipeline: where to.
        wait: seconds to wait for it where another program has it open.

    Raises:
        PipelineStepFailed: it cannot be opened.
    """
    with ExitStack() as stack:
        try:
            client: Any = pipeline.destination_client()
            if duckdb_file(client) is not None:
                patiently(lambda: stack.enter_context(client), wait)
        except Exception as error:
            raise PipelineStepFailed(pipeline, "sync", None, error) from error  # type: ignore[arg-type]
        yield


def client_of(pipeline: Pipeline, schema_name: str) -> Any:
    """The destination's client, with a source's schema if the pipeline has it by now."""
    return pipeline.destination_client(*([schema_name] if schema_name in pipeline.schema_names else []))


def is_compared(pipeline: Pipeline) -> bool:
    """Whether dlt keeps the pipeline's state at the destination, too, and all of it in one dataset."""
    one_dataset = pipeline.config.use_single_dataset or len(pipeline.schema_names) < 2
    return bool(pipeline.config.restore_from_destination and not pipeline.dev_mode and one_dataset)


def follow_destination(pipeline: Pipeline, source: DltSource) -> None:
    """Take the destination's state where it is newer, or where it is not the one that this machine goes on from.

    The destination is older after a backup was put back; a package that waits here would then be loaded over a gap. If
    another machine has loaded since, the package would put old rows over new ones. Either way positions go back to
    the destination's, and the rows are read again.

    Args:
        pipeline: what is about to run.
        source: what it is to load; it forgets what it has loaded before into tables that are gone.

    Raises:
        PipelineStepFailed: the destination does not answer.
    """
    if is_compared(pipeline):
        pipeline.sync_destination()
        if why := what_differs(pipeline):
            logger.warning(
                f"{why} The pipeline {pipeline.pipeline_name} goes back to the positions kept in the destination, "
                "and reads again what came after them."
            )
            go_back(pipeline)
            forget(source)
    if source.name not in pipeline.schema_names:
        forget(source)


def forget(source: DltSource) -> None:
    """Let a source not know which of its tables have been loaded."""
    source.schema = source.schema.clone(remove_processing_hints=True)


def go_back(pipeline: Pipeline) -> None:
    """Replace all that is kept on this machine with the destination's state."""
    tokens = {
        name: source[TokenVault.STATE_KEY]
        for name, source in pipeline.state.get("sources", {}).items()
        if TokenVault.STATE_KEY in source
    }
    pipeline.drop()
    pipeline.sync_destination()
    # A refresh token that was used since is the only one that Zendesk still takes.
    with pipeline.managed_state() as state:
        for name, pair in tokens.items():
            state.setdefault("sources", {}).setdefault(name, {})[TokenVault.STATE_KEY] = pair


def what_differs(pipeline: Pipeline) -> str | None:
    """Why the destination is not the one that this machine has loaded last; None where it is."""
    waiting = waiting_state(pipeline)
    if waiting is not None:
        if newest_state(pipeline) in waiting:
            return None
        return "A package of an earlier run does not follow on what the destination holds, and is dropped."
    loaded = last_extracted_hash(pipeline.state)
    if loaded is None or holds_state(pipeline, loaded):
        return None
    return "The destination is older than the last load from here, or another one: a backup, perhaps."


def waiting_state(pipeline: Pipeline) -> list[str | None] | None:
    """The hash of the state before the first package that waits to be loaded; None where none waits.

    A package of another dlt, which does not tell, follows on anything: then there is none either.
    """
    for storage, packages in waiting_packages(pipeline):
        if packages:
            first = min(packages)
            if not storage.can_restore_pipeline_state(first):
                return None
            blob, _ = storage.load_pipeline_state(first)
            return [last_extracted_hash(json_decode_state(blob)) if blob else None]
    return None


def newest_state(pipeline: Pipeline) -> str | None:
    """The hash of the newest state at the destination."""
    client: Any
    with pipeline.destination_client() as client:
        try:
            found = load_pipeline_state_from_destination(pipeline.pipeline_name, client)
        except DestinationUndefinedEntity:
            return None
    return found["_version_hash"] if found else None


def holds_state(pipeline: Pipeline, version_hash: str) -> bool:
    """Whether the destination holds a state, whole: its load, or a later one of the pipeline, has ended.

    The load's own entry may have been cleared away by somebody who keeps only the newest ones.
    """
    with pipeline.destination_client() as client:
        if not isinstance(client, SqlJobClientBase):
            return True
        sql, schema = client.sql_client, client.schema

        def column(name: str) -> str:
            return sql.escape_column_name(schema.naming.normalize_path(name))

        states, loads = map(sql.make_qualified_table_name, (schema.state_table_name, schema.loads_table_name))
        names = pipeline.schema_names or [schema.name]
        query = (
            f"SELECT count(*) FROM {states} AS s WHERE s.{column('pipeline_name')} = %s AND "
            f"s.{column('version_hash')} = %s AND EXISTS (SELECT 1 FROM {loads} AS l WHERE "
            f"l.{column('load_id')} >= s.{column('_dlt_load_id')} AND l.{column('status')} = 0 AND "
            f"l.{column('schema_name')} IN ({', '.join(['%s'] * len(names))}))"
        )
        try:
            found = sql.execute_sql(query, pipeline.pipeline_name, version_hash, *names) or [(0,)]
        except DestinationUndefinedEntity:
            return False
    return bool(found[0][0])


def state_of(pipeline: Pipeline, source: str) -> dict[str, Any]:
    """What dlt keeps for a source in a pipeline's state."""
    found: dict[str, Any] = pipeline.state.get("sources", {}).get(source, {})
    return found


def lost_streams(
    pipeline: Pipeline, schema_name: str, streams: Mapping[str, Stream], emptied: Collection[str] = ()
) -> dict[str, Loss]:
    """Streams whose saved position counts rows as loaded that the destination has lost, and how that shows.

    A table or column is gone, or a table is empty that had rows. Rows that were deleted one by one do not show.

    Args:
        pipeline: what has loaded them.
        schema_name: of the source.
        streams: by the name of the resource.
        emptied: tables that this very run drops or empties.
    """
    if schema_name not in pipeline.schema_names:
        return {}
    schema = pipeline.schemas[schema_name]
    state = state_of(pipeline, schema_name).get("resources", {})
    tables = tables_of(schema, streams, emptied)
    with pipeline.destination_client(schema_name) as client:
        if not tables or not isinstance(client, SqlJobClientBase):
            return {}
        lost = gone(client, schema, tables)
        had_rows = {
            root_of(schema, found): name
            for name, found in tables.items()
            if name not in lost and holds_all(schema, root_of(schema, found), streams[name], state.get(name, {}))
        }
        for table in empty(client.sql_client, had_rows):
            lost[had_rows[table]] = Loss(f"The table {table} is empty")
    return lost


def tables_of(schema: Schema, streams: Collection[str], emptied: Collection[str]) -> dict[str, list[str]]:
    """By stream that was loaded, its table and the child tables of nested values."""
    found: dict[str, list[str]] = {}
    for name, table in schema.tables.items():
        root = get_root_table(schema.tables, name)
        stream = str(root.get("resource") or root["name"])
        if stream in streams and root["name"] not in emptied and has_table_seen_data(table):
            found.setdefault(stream, []).append(name)
    return {
        stream: sorted(tables)
        for stream, tables in found.items()
        if any(get_root_table(schema.tables, name)["name"] == name for name in tables)
    }


def root_of(schema: Schema, tables: Iterable[str]) -> str:
    """The one among a stream's tables that is no child."""
    return next(name for name in tables if get_root_table(schema.tables, name)["name"] == name)


def gone(client: SqlJobClientBase, schema: Schema, tables: Mapping[str, list[str]]) -> dict[str, Loss]:
    """Streams a table or column of which is not at the destination."""
    stored = dict(client.get_storage_tables([name for names in tables.values() for name in names]))
    exact = client.capabilities.generates_case_sensitive_identifiers()
    lost: dict[str, Loss] = {}
    for stream, names in tables.items():
        root = root_of(schema, names)
        for name in (root, *(name for name in names if name != root)):
            columns = stored.get(name)
            if not columns:
                lost.setdefault(stream, Loss(f"The table {name} is gone", leaves_rows=name != root))
            elif missing := schema.get_new_table_columns(name, columns, case_sensitive=exact):
                listed = ", ".join(str(column["name"]) for column in missing)
                needed = tuple(str(column["name"]) for column in missing if not column.get("nullable", True))
                lost.setdefault(stream, Loss(f"The table {name} lacks {listed}", leaves_rows=True, needed=needed))
    return lost


def make_again(pipeline: Pipeline, schema_name: str, lost: Mapping[str, Loss]) -> None:
    """Bring columns and child tables back beside rows that Zendesk no longer has, and read their streams anew.

    Rows that Zendesk still has are written again, in the default mode; in others, as they change.

    Raises:
        ConfigurationError: a column is gone without which rows cannot be told apart.
    """
    if not lost:
        return
    schema = pipeline.schemas[schema_name]
    for stream, loss in lost.items():
        if loss.needed:
            raise ConfigurationError(
                f"{loss.how}, without which the rows of {stream} cannot be loaded. Put {', '.join(loss.needed)} back "
                f"from a backup, leave the stream out with `--exclude {stream}`, or load it anew with "
                f'`--full-refresh --streams {stream}`, in code `refresh="drop_resources"`: rows that Zendesk no longer '
                "has are lost then."
            )
    tables = tables_of(schema, lost, ())
    with pipeline.destination_client(schema_name) as client:
        client.update_stored_schema(only_tables=[name for names in tables.values() for name in names], force=True)
    modes = {name: schema.tables[root_of(schema, found)].get(MODE_HINT, DEFAULT) for name, found in tables.items()}
    if again := [name for name, mode in modes.items() if mode == DEFAULT]:
        pipeline_drop(pipeline, again, schema_name, state_only=True)()
        with pipeline.managed_state() as state:
            resources = state.setdefault("sources", {}).setdefault(schema_name, {}).setdefault("resources", {})
            for name in again:
                resources.setdefault(name, {})[INCOMPLETE] = True


def holds_all(schema: Schema, table: str, stream: Stream, state: Mapping[str, Any]) -> bool:
    """Whether a stream's table is to hold rows that its next sync does not read again; a list is read whole."""
    mode: Any = schema.tables[table].get(MODE_HINT, DEFAULT)
    return bool(state.get(HAS_ROWS)) and mode in REFILLED and not stream.snapshot


def empty(client: SqlClientBase[Any], names: Iterable[str]) -> list[str]:
    """Those of some tables that have no row, found by one query."""
    asked = list(names)
    if not asked:
        return []
    parts = [
        f"SELECT '{name}' AS name FROM (SELECT 1 AS one) AS x WHERE NOT EXISTS "
        f"(SELECT 1 FROM {client.make_qualified_table_name(name)})"
        for name in asked
    ]
    return [name for (name,) in client.execute_sql(" UNION ALL ".join(parts)) or ()]
