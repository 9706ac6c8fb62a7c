"""Pipelines into throw-away databases, and whole tables beside the simulator's truth."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import dlt
from dlt.pipeline.pipeline import Pipeline
from postgres_server import PostgresServer

from zendesk_support import zendesk_support_source
from zendesk_support.postgres import postgres
from zendesk_support.report import Report
from zendesk_support.runner import sync
from zendesk_support.simulator import Simulator
from zendesk_support.streams import CATALOGUE

MakePipeline = Callable[..., Pipeline]
SCALE = 600.0
OWN_COLUMNS = {"_dlt_id", "_dlt_load_id", "_deleted_at"}
OWN_BY_STREAM = {"ticket_metrics": {"generated_timestamp"}, "ticket_comments": {"event_timestamp"}}
STAYING = {"deleted_tickets", "ticket_activities", "ticket_audits", "ticket_skips"}
"""Streams whose rows stay though Zendesk lists them no longer."""
ADDED = {"tickets": {"fields", "metric_set"}, "attribute_definitions": {"list"}}


def simulated(**options: Any) -> Simulator:
    """A simulated account, small unless told otherwise, whose minutes pass in tenths of a second."""
    return Simulator(**{"seed": 1, "tickets": 60, "clock_scale": SCALE, **options})


def source(account: Simulator, **settings: Any) -> Any:
    """The source on a simulated account."""
    known = account.credentials
    defaults = {
        "base_url": account.base_url,
        "credentials": {"client_id": known["client_id"], "client_secret": known["client_secret"]},
        "start_date": "2015-01-01",
        "clock_scale": SCALE,
    }
    return zendesk_support_source(**{**defaults, **settings})


def pipeline(tmp_path: Path, name: str = "zendesk", server: PostgresServer | None = None) -> Pipeline:
    """A pipeline into a DuckDB file of the test's own, or into a schema of its own on a Postgres server."""
    if server is not None:
        return dlt.pipeline(name, destination=postgres(server.url), dataset_name=f"{name}_{uuid4().hex[:8]}")
    return dlt.pipeline(
        name, destination=dlt.destinations.duckdb(str(tmp_path / f"{name}.duckdb")), dataset_name="warehouse"
    )


def load(target: Pipeline, account: Simulator, *streams: str, **settings: Any) -> Report:
    """Sync streams (all by default) and insist that each is loaded."""
    report = sync(target, source(account, **settings).with_resources(*(streams or CATALOGUE)))
    assert {stream.stream: stream.message for stream in report.failed} == {}
    return report


def written(report: Report) -> dict[str, int]:
    """Rows by stream that a sync has written, of streams with any."""
    return {stream.stream: stream.rows for stream in report.streams.values() if stream.rows}


def table(target: Pipeline, name: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    """A whole table by primary key, JSON decoded, without the columns this library adds."""
    stream = CATALOGUE[name]
    left_out = OWN_COLUMNS | OWN_BY_STREAM.get(name, set())
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in records(target, name):
        key = tuple(row[column] for column in stream.key)
        assert key not in found, f"{name} has two rows of {key}"
        found[key] = {column: value for column, value in row.items() if value is not None and column not in left_out}
    return found


def records(target: Pipeline, name: str) -> list[dict[str, Any]]:
    """All rows of a table, as the API's JSON has them."""
    columns = target.default_schema.tables[name]["columns"]
    types = {column: hints["data_type"] for column, hints in columns.items() if "data_type" in hints}
    with target.sql_client() as client:
        # As texts, JSON values are the same with every client.
        listed = ", ".join(
            f"CAST({client.escape_column_name(column)} AS VARCHAR)"
            if data_type == "json"
            else client.escape_column_name(column)
            for column, data_type in types.items()
        )
        rows = client.execute_sql(f"SELECT {listed} FROM {client.make_qualified_table_name(name)}") or ()
    return [{column: plain(value, data_type) for (column, data_type), value in zip(types.items(), row)} for row in rows]


def plain(value: Any, data_type: str | None) -> Any:
    """A database value as the API's JSON has it."""
    if value is None:
        return None
    if data_type == "json":
        return json.loads(value)
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value


def truth(account: Simulator, name: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    """What the table must hold, by primary key."""
    stream = CATALOGUE[name]
    rows = account.truth(name)
    if name == "attribute_definitions":
        rows = [{"condition": row["list"].removeprefix("conditions_"), **row} for row in rows]
    return {
        tuple(row[column] for column in stream.key): {
            column: value for column, value in row.items() if value is not None and column not in ADDED.get(name, ())
        }
        for row in rows
    }


def assert_whole(target: Pipeline, account: Simulator, *streams: str) -> None:
    """Compare whole tables with the truth."""
    for name in streams or CATALOGUE:
        expected, found = truth(account, name), table(target, name)
        if name in STAYING:
            found = {key: row for key, row in found.items() if key in expected}
        assert sorted(map(str, found)) == sorted(map(str, expected)), f"{name}: other rows"
        for key, row in expected.items():
            assert found[key] == row, f"{name} {key}"
