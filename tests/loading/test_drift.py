"""Zendesk changes shape: no row is lost, no load fails, every value stays readable."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dlt
import pyarrow.parquet as pq
import pytest
from dlt.pipeline.pipeline import Pipeline
from support import MakePipeline, load, pipeline, rows, source, table, told, written

from zendesk_support.simulator import Simulator
from zendesk_support.streams import CATALOGUE

Simulate = Callable[..., Simulator]
Edit = Callable[[dict[str, Any]], Any]
KINDS = (
    "int_to_string",
    "new_column",
    "new_object",
    "object_to_string",
    "bad_date",
    "big_int",
    "hostile_name",
)
SQL_TYPES = {"timestamp": "timestamp with time zone", "bool": "boolean", "bigint": "bigint"}
OWN_TYPES = {
    "duckdb": {"text": "varchar", "double": "double", "json": "json"},
    "postgres": {"text": "character varying", "double": "double precision", "json": "jsonb"},
    "bigquery": {"text": "string", "double": "float64", "json": "string", "bool": "bool", "bigint": "int64"}
    | {"timestamp": "timestamp"},
}
HOSTILE = {
    "../../etc/passwd": "path",
    "\x01\x02": "control",
    "x" * 300: "long",
    "brandId": "camel",
    "Brand Id": "title",
    "createdAt": "2020-01-01T00:00:00Z",
    "_deleted_at": "2020-01-01T00:00:00Z",
    "_dlt_id": "own",
    "_dlt_load_id": "own",
    "_TABLE_SUFFIX": "refused by BigQuery",
    "_DLT_ID": "own",
    "🎉": "emoji",
    "": "nothing",
}


def cells(target: Pipeline, name: str) -> dict[Any, list[Any]]:
    """All values of each row, by id, JSON decoded."""
    return {row["id"]: [value for value in row.values() if value is not None] for row in rows(target, name)}


def assert_readable(target: Pipeline, account: Simulator, name: str) -> None:
    """Compare every value of every row with all that stands in the row, as it is or as JSON text."""
    found = cells(target, name)
    rows = {row["id"]: row for row in account.truth(name)}
    assert set(found) == set(rows)
    for id, row in rows.items():
        there = [*found[id], *(decoded(value) for value in found[id] if isinstance(value, str))]
        wanted = {k: v for k, v in row.items() if v is not None and k not in CATALOGUE[name].dropped}
        assert {key: value for key, value in wanted.items() if value not in there} == {}, id


def decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def test_a_change_of_shape_between_runs_loses_nothing(tmp_path: Path, simulate: Simulate) -> None:
    """L12, L13, L14, L41: each kind of change alone, one after the other."""
    account = simulate(tickets=10)
    target = pipeline(tmp_path)
    load(target, account, "tickets")
    for kind in KINDS:
        account.mutate("drift", kind=kind, count=3)
        load(target, account, "tickets")
        with told(kind):
            assert_readable(target, account, "tickets")


def test_all_changes_of_shape_within_one_run_lose_nothing(make_pipeline: MakePipeline, simulate: Simulate) -> None:
    """L12, L13, L14, L41."""
    account = simulate(tickets=30)
    target = make_pipeline()
    for count in (3, 2):
        for kind in KINDS:
            account.mutate("drift", kind=kind, count=count)
        load(target, account, "tickets")
        assert_readable(target, account, "tickets")
    assert written(load(target, account, "tickets")) == {}


def rows_edited(account: Simulator, stream: str, edit: Edit) -> None:
    """Change rows of a list in place, without Zendesk's help."""
    rows = account.account.tables[stream]
    for rid in list(rows.rids)[:3]:
        edit(rows.change(rid))
    account.account.changed()


@pytest.mark.parametrize("stream", ["groups", "tickets"])
def test_hostile_keys_become_columns_that_stay(make_pipeline: MakePipeline, simulate: Simulate, stream: str) -> None:
    """L12, L13."""
    account = simulate(tickets=5)
    target = make_pipeline()
    rows_edited(account, stream, lambda row: row.update(HOSTILE))
    load(target, account, stream)
    assert_readable(target, account, stream)
    first = set(target.default_schema.tables[stream]["columns"])
    rows_edited(account, stream, lambda row: row.update(HOSTILE | {"brandId": "again"}))
    if stream == "tickets":
        account.mutate("system_update_tickets", count=5)
    load(target, account, stream)
    assert_readable(target, account, stream)
    assert set(target.default_schema.tables[stream]["columns"]) == first


REFUSED = {
    "invalid utf-8": (b'"description":"', b'"description":"\xff\xfe'),
    "lone surrogate": (b'"description":"', b'"description":"\\ud83d'),
    "nul": (b'"description":"', b'"description":"a\\u0000b'),
    "nan": (b'"default":false', b'"default":NaN'),
    "bool to text": (b'"is_public":true', b'"is_public":"yes"'),
    "bad date": (b'"created_at":"2', b'"created_at":"x2'),
    "nested": (b'"description":"', b'"tags":["\\ud83d","\\u0000"],"description":"'),
}


def edit_answers(account: Simulator, route: str, *edits: tuple[bytes, bytes]) -> None:
    """Change the first two places of each kind in every answer of a route."""
    handle = account.api.handle

    def edited(request: Any) -> Any:
        reply = handle(request)
        if request.route == route:
            for old, new in edits:
                assert old in reply.body
                reply.body = reply.body.replace(old, new, 2)
        return reply

    account.api.handle = edited  # type: ignore[method-assign]


@pytest.mark.parametrize("kind", REFUSED)
def test_values_that_databases_refuse_cost_no_row(tmp_path: Path, simulate: Simulate, kind: str) -> None:
    """L14, L24."""
    account = simulate(tickets=5)
    edit_answers(account, "groups", REFUSED[kind])
    target = pipeline(tmp_path)
    load(target, account, "groups")
    assert set(table(target, "groups")) == {(row["id"],) for row in account.truth("groups")}
    assert written(load(target, account, "groups")) == {}


@pytest.mark.parametrize("nested", ["json", "tables"])
def test_all_such_values_together_cost_no_row(make_pipeline: MakePipeline, simulate: Simulate, nested: str) -> None:
    """L14, L24."""
    account = simulate(tickets=5)
    known = ("invalid utf-8", "lone surrogate", "nul", "nan", "bad date", "nested")
    edit_answers(account, "groups", *(REFUSED[kind] for kind in known))
    target = make_pipeline()
    load(target, account, "groups", nested=nested)
    assert set(table(target, "groups")) == {(row["id"],) for row in account.truth("groups")}
    assert written(load(target, account, "groups", nested=nested)) == {}


@pytest.mark.parametrize(("destination", "name"), [("postgres", "ab"), ("duckdb", "a\0b")])
def test_nul_is_left_out_only_where_the_destination_refuses_it(simulate: Simulate, destination: str, name: str) -> None:
    account = simulate(tickets=1)
    rows_edited(account, "groups", lambda row: row.update(name="a\0b"))
    target = dlt.pipeline("texts", destination=destination)
    target.extract(source(account).with_resources("groups"), loader_file_format="parquet")
    (file,) = Path(target.working_dir).rglob("groups.*.parquet")
    assert pq.read_table(file).column("name").to_pylist().count(name) == 3


def test_types_found_at_the_destination_are_kept(make_pipeline: MakePipeline, simulate: Simulate) -> None:
    """L14."""
    account = simulate(tickets=5)
    target = make_pipeline()
    rows_edited(account, "groups", lambda row: row.update(extra=1))
    load(target, account, "groups")
    target.drop()
    target.sync_destination()
    rows_edited(account, "groups", lambda row: row.update(extra="one", extra_list=[1]))
    load(target, account, "groups")
    columns = target.default_schema.tables["groups"]["columns"]
    types = {name: columns[name]["data_type"] for name in ("extra", "extra__v_text", "extra_list")}
    assert types == {"extra": "bigint", "extra__v_text": "text", "extra_list": "json"}
    assert_readable(target, account, "groups")


def test_a_stream_without_rows_makes_its_table_and_takes_rows_later(tmp_path: Path, simulate: Simulate) -> None:
    """L13."""
    account = simulate(tickets=5)
    target = pipeline(tmp_path)
    names = ("organization_memberships", "satisfaction_ratings")
    load(target, account, *names, end_date="2015-01-02")
    memberships = account.account.tables["organization_memberships"]
    assert len(table(target, "organization_memberships")) == len(memberships.rids)
    assert table(target, "satisfaction_ratings") == {}
    load(target, account, *names)
    assert_readable(target, account, "satisfaction_ratings")


def test_declared_types_reach_the_destination(make_pipeline: MakePipeline, simulate: Simulate) -> None:
    """L13."""
    target = make_pipeline()
    names = ("tickets", "users", "ticket_metric_events", "ticket_comments", "article_votes")
    load(target, simulate(tickets=10), *names)
    within = f"{target.dataset_name}." if target.destination.destination_name == "bigquery" else ""
    query = f"""
        SELECT table_name, column_name, lower(data_type) FROM {within}INFORMATION_SCHEMA.COLUMNS
        WHERE table_schema = '{target.dataset_name}'
    """
    with target.sql_client() as client:
        found = {(table, column): data_type for table, column, data_type in client.execute_sql(query) or ()}
    sql = SQL_TYPES | OWN_TYPES[target.destination.destination_name]
    declared = {(name, column): kind for name in names for column, kind in CATALOGUE[name].columns.items()}
    assert {column: found[column] for column in declared} == {column: sql[kind] for column, kind in declared.items()}


def test_undeclared_keys_of_every_row_land_in_columns(tmp_path: Path, account: Simulator) -> None:
    """L13."""
    streams = ("tickets", "users", "groups", "ticket_fields", "brands")
    target = pipeline(tmp_path)
    load(target, account, *streams)
    for name in streams:
        assert_readable(target, account, name)
