"""Fixtures: simulated accounts, pipelines into throw-away DuckDB files, whole tables beside the simulator's truth."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"

import dlt
import pytest
from dlt.common.configuration.container import Container
from dlt.common.pipeline import PipelineContext
from dlt.pipeline.pipeline import Pipeline

from zendesk_support import zendesk_support_source
from zendesk_support.report import Report
from zendesk_support.runner import sync
from zendesk_support.simulator import Simulator
from zendesk_support.streams import CATALOGUE

SCALE = 600.0
OWN_COLUMNS = {"_dlt_id", "_dlt_load_id", "_deleted_at"}
OWN_BY_STREAM = {"ticket_metrics": {"generated_timestamp"}, "ticket_comments": {"event_timestamp"}}
ADDED = {"tickets": {"fields", "metric_set"}}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A dlt home of the test's own, no configuration from outside, and no pipeline left active."""
    for name in list(os.environ):
        if name.startswith(("SOURCES__", "DESTINATION__")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path / "dlt"))
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    active = Container()[PipelineContext]
    if active.is_active():
        active.deactivate()


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that leaves this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


def simulated(**options: Any) -> Simulator:
    """A simulated account, small unless told otherwise, whose minutes pass in tenths of a second."""
    return Simulator(**{"seed": 1, "tickets": 60, "clock_scale": SCALE, **options})


@pytest.fixture
def simulate() -> Iterator[Callable[..., Simulator]]:
    """Starts simulated accounts; ends them with the test."""
    running: list[Simulator] = []

    def start(**options: Any) -> Simulator:
        account = simulated(**options).start()
        running.append(account)
        return account

    yield start
    for account in running:
        account.stop()


@pytest.fixture
def account(simulate: Callable[..., Simulator]) -> Simulator:
    """A small simulated account."""
    return simulate()


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


def pipeline(tmp_path: Path, name: str = "zendesk") -> Pipeline:
    """A pipeline into a DuckDB file of the test's own."""
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
    columns = target.default_schema.tables[name]["columns"]
    with target.sql_client() as client, client.execute_query(f"SELECT * FROM {name}") as cursor:
        names = [column[0] for column in cursor.description or ()]
        rows = [dict(zip(names, row)) for row in cursor.fetchall()]
    left_out = OWN_COLUMNS | OWN_BY_STREAM.get(name, set())
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        values = {key: plain(value, columns[key].get("data_type")) for key, value in row.items() if key not in left_out}
        key = tuple(row[column] for column in stream.key)
        assert key not in found, f"{name} has two rows of {key}"
        found[key] = {column: value for column, value in values.items() if value is not None}
    return found


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
    return {
        tuple(row[column] for column in stream.key): {
            column: value for column, value in row.items() if value is not None and column not in ADDED.get(name, ())
        }
        for row in account.truth(name)
    }


def assert_whole(target: Pipeline, account: Simulator, *streams: str) -> None:
    """Compare whole tables with the truth."""
    for name in streams or CATALOGUE:
        expected, found = truth(account, name), table(target, name)
        assert sorted(map(str, found)) == sorted(map(str, expected)), f"{name}: other rows"
        for key, row in expected.items():
            assert found[key] == row, f"{name} {key}"
