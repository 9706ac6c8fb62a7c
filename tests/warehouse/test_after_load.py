"""What a sync leaves at the destination beside rows: empty staging tables, indexes, comments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from dlt.pipeline.pipeline import Pipeline
from postgres_server import PostgresServer
from support import MakePipeline, load, pipeline, written

from zendesk_support.dlt_internals import DatabaseTerminalException, SqlClientBase
from zendesk_support.simulator import Simulator
from zendesk_support.streams import CATALOGUE
from zendesk_support.warehouse import after_load

STREAMS = ("tickets", "ticket_comments", "groups")
INDEXES = "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = '{}' ORDER BY indexname"
COMMENTS = {
    "duckdb": (
        "SELECT comment FROM duckdb_tables() WHERE schema_name = %s AND table_name = %s",
        "SELECT column_name, comment FROM duckdb_columns() WHERE schema_name = %s AND table_name = %s",
    ),
    "postgres": (
        "SELECT obj_description(format('%%I.%%I', %s, %s)::regclass)",
        "SELECT column_name, col_description(format('%%I.%%I', table_schema, table_name)::regclass, ordinal_position) "
        "FROM information_schema.columns WHERE table_schema = %s AND table_name = %s",
    ),
}


def counts(target: Pipeline, tables: tuple[str, ...] = STREAMS) -> list[int]:
    """Rows in staging tables."""
    with target.sql_client() as client, client.with_staging_dataset():
        names = map(client.make_qualified_table_name, tables)
        return [client.execute_sql(f"SELECT count(*) FROM {name}")[0][0] for name in names]


def test_staging_tables_are_empty_after_each_load(make_pipeline: MakePipeline, account: Simulator) -> None:
    target = make_pipeline()
    load(target, account, *STREAMS)
    assert counts(target) == [0, 0, 0]
    account.mutate("redact_comments", count=2)
    assert written(load(target, account, *STREAMS))["ticket_comments"] >= 2
    assert counts(target) == [0, 0, 0]


def test_staging_tables_keep_their_rows_where_dlt_is_told_so(
    tmp_path: Path, account: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOAD__TRUNCATE_STAGING_DATASET", "false")
    target = pipeline(tmp_path)
    load(target, account, "groups")
    assert counts(target, ("groups",)) == [len(list(account.truth("groups")))]


def test_postgres_has_indexes_on_keys_and_parents(tmp_path: Path, account: Simulator, postgres: PostgresServer) -> None:
    target = pipeline(tmp_path, server=postgres)
    load(target, account, *STREAMS, "user_identities", nested="tables")
    made: dict[str, set[str]] = {}
    for table, definition in indexes(postgres, target):
        made.setdefault(table, set()).add(definition.partition(" USING ")[2])
    assert made["tickets"] >= {"btree (id)"}
    assert made["groups"] >= {"btree (id)"}
    assert made["ticket_comments"] >= {"btree (id)", "btree (ticket_id)"}
    assert made["tickets__tags"] >= {"btree (_dlt_parent_id)"}
    before = indexes(postgres, target)
    account.mutate("update_tickets", count=3)
    load(target, account, *STREAMS, "user_identities", nested="tables")
    assert indexes(postgres, target) == before


def indexes(postgres: PostgresServer, target: Pipeline) -> list[tuple[str, str]]:
    return list(postgres.query(INDEXES.format(target.dataset_name)))


def test_postgres_gets_no_index_where_dlt_is_told_so(
    tmp_path: Path, account: Simulator, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION__POSTGRES__CREATE_INDEXES", "false")
    target = pipeline(tmp_path, server=postgres)
    load(target, account, "groups")
    assert [table for table, _ in indexes(postgres, target) if table == "groups"] == []


def test_a_name_of_an_index_is_no_longer_than_postgres_takes() -> None:
    short, long = (after_load.index_name(table, ["_dlt_parent_id"]) for table in ("tickets__tags", "t" * 60))
    assert short == "zendesk_tickets__tags__dlt_parent_id"
    assert len(long) == 63
    assert long != after_load.index_name("t" * 61, ["_dlt_parent_id"])


@pytest.mark.parametrize("kind", ["duckdb", "postgres"])
def test_tables_and_columns_have_comments(
    tmp_path: Path, account: Simulator, request: pytest.FixtureRequest, kind: str
) -> None:
    target = pipeline(tmp_path, server=None if kind == "duckdb" else request.getfixturevalue("postgres"))
    load(target, account, "tickets")
    assert comments(target, "tickets") == (CATALOGUE["tickets"].doc, CATALOGUE["tickets"].notes)


def comments(target: Pipeline, name: str) -> tuple[str, dict[str, str]]:
    """A table's comment, and those of its columns that this library describes."""
    with target.sql_client() as client:
        of_table, of_columns = COMMENTS[str(client.capabilities.sqlglot_dialect)]
        ((table,),) = client.execute_sql(of_table, client.dataset_name, name)
        columns = dict(client.execute_sql(of_columns, client.dataset_name, name))
    return table, {column: text for column, text in columns.items() if text and not column.startswith("_")}


def test_a_new_tables_columns_stand_in_the_catalogues_order(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    load(target, account, "tickets", "groups", "ticket_metric_events")
    with target.sql_client() as client:
        for name in ("tickets", "groups", "ticket_metric_events"):
            made = [row[0] for row in client.execute_sql(f"DESCRIBE {client.make_qualified_table_name(name)}") or ()]
            assert [column for column in made if not column.startswith("_")] == list(CATALOGUE[name].columns)


def test_a_comment_of_somebodys_own_stays(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    load(target, account, "groups")
    with target.sql_client() as client:
        client.execute_sql(f"COMMENT ON TABLE {client.make_qualified_table_name('groups')} IS 'ours'")
    load(target, account, "groups", "tickets")
    assert comments(target, "groups")[0] == "ours"


@pytest.mark.bigquery
def test_bigquery_describes_tables_and_columns(
    bigquery: Any, tmp_path: Path, account: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The emulator keeps no description of a column, so that those are looked for in the statement that makes it."""
    statements: list[str] = []
    execute = SqlClientBase.execute_many

    def watched(self: Any, given: Any, *arguments: Any, **options: Any) -> Any:
        statements.extend(given)
        return execute(self, given, *arguments, **options)

    monkeypatch.setattr(SqlClientBase, "execute_many", watched)
    target = pipeline(tmp_path, server=bigquery)
    load(target, account, "tickets")
    with target.sql_client() as client:
        name = client.make_qualified_table_name("tickets", quote=False)
        table = client.native_connection.get_table(name)
    assert table.description == CATALOGUE["tickets"].doc
    made = next(text for text in statements if "CREATE TABLE" in text and ".`tickets`" in text)
    assert [note for note in CATALOGUE["tickets"].notes.values() if note not in made] == []


def test_what_fails_after_a_load_costs_no_row_and_is_made_good_by_the_next(
    tmp_path: Path, account: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = pipeline(tmp_path)

    def refuse(*arguments: Any) -> Any:
        raise DatabaseTerminalException(ValueError("not today"))

    with monkeypatch.context() as patch:
        patch.setattr(after_load, "missing_comments", refuse)
        load(target, account, "groups")
    assert comments_of(target) == [None]
    account.mutate("create_groups")
    load(target, account, "groups")
    assert comments_of(target) == [CATALOGUE["groups"].doc]


def comments_of(target: Pipeline) -> list[Any]:
    with target.sql_client() as client:
        found = client.execute_sql(COMMENTS["duckdb"][0], client.dataset_name, "groups")
    return [text for (text,) in found]


def test_a_table_that_is_somebody_elses_costs_no_other_its_indexes(
    tmp_path: Path, account: Simulator, postgres: PostgresServer
) -> None:
    target = pipeline(tmp_path, server=postgres)
    statement = f"CREATE INDEX ON {target.dataset_name}.nowhere (id)"
    made = after_load.missing_indexes
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(after_load, "missing_indexes", lambda client: [statement, *made(client)])
        load(target, account, "groups")
    assert {table for table, definition in indexes(postgres, target) if "(id)" in definition} == {"groups"}
    assert comments(target, "groups")[0] == CATALOGUE["groups"].doc
