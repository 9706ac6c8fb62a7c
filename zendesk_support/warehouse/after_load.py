"""What is done at the destination once rows are loaded: staging emptied, deleted rows removed, comments made."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import dlt
from dlt.common import logger
from dlt.pipeline.pipeline import Pipeline

from zendesk_support.dlt_internals import (
    DatabaseException,
    LoadInfo,
    SqlClientBase,
    SqlJobClientBase,
    SupportsOpenTables,
    WithStagingDataset,
)
from zendesk_support.warehouse.loaded_table import DELETED_AT

NAME_LENGTH = 63
LOOKED_UP_BY = ("ticket_id",)
"""Parents by which rows are rewritten or removed."""
TELLS_COMMENTS = {
    "duckdb": (
        "SELECT table_name, NULL FROM duckdb_tables() WHERE schema_name = %s AND comment IS NOT NULL UNION ALL "
        "SELECT table_name, column_name FROM duckdb_columns() WHERE schema_name = %s AND comment IS NOT NULL"
    ),
    "postgres": (
        "SELECT c.relname, a.attname FROM pg_description d JOIN pg_class c ON c.oid = d.objoid "
        "AND d.classoid = 'pg_class'::regclass JOIN pg_namespace n ON n.oid = c.relnamespace "
        "LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid AND d.objsubid > 0 "
        "WHERE n.nspname IN (%s, %s)"
    ),
}
"""By dialect, the query for the tables and columns that have a comment; both marks stand for the dataset."""
TELLS_INDEXES = "SELECT indexname FROM pg_indexes WHERE schemaname = %s"


def tidy(pipeline: Pipeline, info: LoadInfo) -> None:
    """Empty the staging tables that a load has filled, remove what it has marked, make missing indexes and comments.

    None of it fails a run: the rows are loaded. An index and a comment that somebody made stay as they are. Indexes and
    comments are looked for where the schema is another than at the last time on this machine.
    """
    for package in info.load_packages:
        if package.state != "loaded" or package.schema_name not in pipeline.schemas:
            continue
        client: Any = pipeline.destination_client(package.schema_name)
        loaded = {job.job_file_info.table_name for job in package.jobs["completed_jobs"]}
        if isinstance(client, SupportsOpenTables):
            remove_deleted(client, loaded)
        speaks_sql = isinstance(client, SqlJobClientBase)
        if not speaks_sql:
            continue
        filled = passed_through_staging(client, loaded)
        mark, version = f"tidied_{package.schema_name}", client.schema.version_hash
        is_new = not is_marked(pipeline, mark, version)
        if not filled and not is_new:
            continue
        try:
            with client:
                if filled:
                    with client.with_staging_dataset(), client.maybe_ddl_transaction():
                        client.sql_client.truncate_tables(*filled)
                if is_new and (wanted := [*missing_indexes(client), *missing_comments(client)]):
                    carry_out(client, wanted)
                if dialect(client) == "bigquery":
                    describe_tables(client, package.schema_update)
            if is_new:
                pipeline.set_local_state_val(mark, version)
        except Exception as error:  # the destination's own kinds among them
            logger.warning(f"the rows are loaded; what is to be done after it has failed: {error}")


def remove_deleted(client: SupportsOpenTables, loaded: Iterable[str]) -> None:
    """Remove from Iceberg tables the rows that a load could only mark as deleted: dlt does not delete by a merge there.

    What fails is made good after the next load.
    """
    tables: Any = client.schema.tables  # type: ignore[attr-defined]
    for name in sorted(loaded):
        removes = tables.get(name, {}).get("columns", {}).get(DELETED_AT, {}).get("hard_delete")
        if removes and client.is_open_table("iceberg", name):
            try:
                with warnings.catch_warnings():
                    warnings.filterwarnings("ignore", "Delete operation did not match any records")
                    client.load_open_table("iceberg", name).delete(f"{DELETED_AT} IS NOT NULL")
            except Exception as error:  # of the catalog or the storage
                logger.warning(f"{name}: rows deleted in Zendesk keep their key, with {DELETED_AT}: {error}")


def is_marked(pipeline: Pipeline, mark: str, version: str) -> bool:
    """Whether what a mark stands for was last done on this machine for this version of the schema."""
    return mark in pipeline.state["_local"] and pipeline.get_local_state_val(mark) == version


def carry_out(client: SqlJobClientBase, statements: Sequence[str]) -> None:
    """Make indexes and comments together; where one is refused, one by one, so that it costs no other."""
    sql = client.sql_client
    try:
        with client.maybe_ddl_transaction():  # or DuckDB writes to the disk after each of some thousand statements
            sql.execute_many(statements)
    except DatabaseException:
        refused = []
        for statement in statements:
            try:
                sql.execute_sql(statement)
            except DatabaseException as error:
                refused.append(f"{statement} ({str(error).strip()})")
        if refused:
            logger.warning(
                f"{len(refused)} of {len(statements)} indexes and comments could not be made, for example "
                f"{refused[0]}. The rows are loaded."
            )


def passed_through_staging(client: Any, tables: set[str]) -> list[str]:
    """The staging tables that are to be emptied: none, where dlt is told what to do with them."""
    if not isinstance(client, WithStagingDataset) or dlt.config.get("load.truncate_staging_dataset") is not None:
        return []
    return sorted(name for name in tables if client.should_load_data_to_staging_dataset(name))


def missing_indexes(client: Any) -> Iterator[str]:
    """The statements for the indexes that Postgres lacks: on keys, on tickets, and on parents of child tables."""
    if dialect(client) != "postgres" or not client.config.create_indexes:
        return
    sql: SqlClientBase[Any] = client.sql_client
    there = {name for (name,) in sql.execute_sql(TELLS_INDEXES, sql.dataset_name) or ()}
    for table in client.schema.data_tables(seen_data_only=True):
        columns = table["columns"]
        key = [name for name, hints in columns.items() if hints.get("primary_key")]
        wanted = [key, *([name] for name in columns if name in LOOKED_UP_BY and [name] != key)]
        if "parent" in table:
            wanted = [[name] for name, hints in columns.items() if hints.get("root_key") or hints.get("parent_key")]
        for names in filter(None, wanted):
            index = index_name(table["name"], names)
            if index not in there:
                listed = ", ".join(map(sql.escape_column_name, names))
                yield (
                    f"CREATE INDEX IF NOT EXISTS {sql.escape_column_name(index)} "
                    f"ON {sql.make_qualified_table_name(table['name'])} ({listed})"
                )


def index_name(table: str, columns: list[str]) -> str:
    """A name of an index that is equal from run to run and no longer than Postgres takes."""
    name = "_".join(["zendesk", table, *columns])
    if len(name) <= NAME_LENGTH:
        return name
    return f"{name[: NAME_LENGTH - 9]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def missing_comments(client: Any) -> Iterator[str]:
    """The statements that describe tables and columns which have no comment yet."""
    kind, sql = dialect(client), client.sql_client
    if kind not in TELLS_COMMENTS:
        return
    described = {table["name"]: table for table in client.schema.data_tables(seen_data_only=True)}
    there = set(sql.execute_sql(TELLS_COMMENTS[kind], sql.dataset_name, sql.dataset_name) or ())
    for name, table in described.items():
        qualified = sql.make_qualified_table_name(name)
        if table.get("description") and (name, None) not in there:
            yield f"COMMENT ON TABLE {qualified} IS {quoted(table['description'])}"
        for column, hints in table["columns"].items():
            if hints.get("description") and "data_type" in hints and (name, column) not in there:
                text = quoted(hints["description"])
                yield f"COMMENT ON COLUMN {qualified}.{sql.escape_column_name(column)} IS {text}"


def describe_tables(client: Any, made: Iterable[str]) -> None:
    """Describe tables of BigQuery that a load has made: dlt describes their columns."""
    from google.cloud.bigquery import Table

    for name in made:
        described = client.schema.tables.get(name, {}).get("description")
        if described:
            table = Table(client.sql_client.make_qualified_table_name(name, quote=False))
            table.description = described
            client.sql_client.native_connection.update_table(table, ["description"])


def quoted(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def dialect(client: Any) -> str:
    """The SQL that a client's database speaks."""
    return str(client.capabilities.sqlglot_dialect)
