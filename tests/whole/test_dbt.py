"""The dbt package on what was loaded: its marts against the account, in DuckDB and Postgres."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dbt_project import PROJECT, Dbt, by_key, dbt_python, finished
from marts import KEYS, Account
from postgres_server import PostgresServer
from support import load, pipeline

from zendesk_support import reference
from zendesk_support.simulator import Simulator

Simulate = Callable[..., Simulator]
READ = (
    "tickets ticket_metrics ticket_events ticket_comments ticket_changes ticket_metric_events satisfaction_ratings "
    "users organizations groups brands ticket_forms ticket_fields sla_policies schedules schedule_holidays audit_logs"
).split()
MUTATIONS = "create_tickets update_tickets delete_tickets scrub_tickets redact_comments archive_tickets".split()


def test_the_sources_are_the_catalogue() -> None:
    assert (PROJECT / "models" / "sources.yml").read_text() == reference.dbt_sources()


def test_the_seeds_are_the_time_zone_database() -> None:
    made = runpy.run_path(str(PROJECT / "time_zones.py"))["seeds"]()
    assert {path.name: path.read_text() for path in (PROJECT / "seeds").glob("*.csv")} == made


@pytest.fixture(scope="session")
def dbt(request: pytest.FixtureRequest) -> Path:
    """The Python of dbt's environment."""
    return dbt_python(request.config)


def assert_true(found: dict[str, list[dict[str, Any]]], expected: dict[str, list[dict[str, Any]]]) -> None:
    """Compare marts with what Python reckons."""
    for name, rows in expected.items():
        marts, truth = by_key(found[name], KEYS[name]), by_key(rows, KEYS[name])
        assert marts.keys() == truth.keys(), name
        for key, row in truth.items():
            assert marts[key] == row, f"{name} {key}"


@pytest.mark.dbt
def test_the_marts_are_true_in_duckdb_and_postgres(
    tmp_path: Path, simulate: Simulate, postgres: PostgresServer, dbt: Path
) -> None:
    account = simulate(tickets=60)
    for kind in MUTATIONS:
        account.mutate(kind, count=3)
    targets = [pipeline(tmp_path), pipeline(tmp_path, "served", postgres)]
    for target in targets:
        load(target, account, *READ)
    builds = [
        Dbt(dbt, tmp_path / "duckdb", str(tmp_path / "zendesk.duckdb"), targets[0].dataset_name),
        Dbt(dbt, tmp_path / "postgres", postgres.url, targets[1].dataset_name),
    ]
    for process in [build.start("build", fivetran_shape=True) for build in builds]:
        finished(process)
    expected = Account(account).marts()
    assert all(expected.values())
    for build in builds:
        assert_true({name: build.rows(name) for name in KEYS}, expected)
