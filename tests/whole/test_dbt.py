"""The dbt package on what was loaded: its marts against the account, in DuckDB and Postgres."""

from __future__ import annotations

import csv
import json
import re
import runpy
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pytest
from bigquery_server import BigQueryServer
from dbt_project import PROJECT, SCHEMA, Dbt, by_key, dbt_python, finished
from marts import KEYS, SLA_FIELDS, Account, time
from postgres_server import PostgresServer
from repository import ROOT
from support import environment_of, load, pipeline, source

from zendesk_support import reference, sync, zendesk_support_source
from zendesk_support.simulator import Simulator
from zendesk_support.version import __version__

Simulate = Callable[..., Simulator]
READ = (
    "tickets ticket_metrics ticket_events ticket_comments ticket_changes ticket_metric_events satisfaction_ratings "
    "users organizations groups brands ticket_forms ticket_fields sla_policies schedules schedule_holidays audit_logs"
).split()
EXAMPLE, PAGE = ROOT / "examples" / "dbt_zendesk", ROOT / "docs" / "analytics.md"
HISTORY = ("ticket_id", "field_name", "updated")
SHAPE = f"{SCHEMA}_fivetran_zendesk"
HISTORIES = ("tickets", "ticket_metrics", "groups", "users")
SOME = (*HISTORIES, "brands", "ticket_events", "ticket_changes", "ticket_comments", "ticket_forms")
OF_TYPE = {
    **dict.fromkeys(("bigint", "integer", "int"), "integer"),
    **dict.fromkeys(("varchar", "text", "character varying", "json"), "text"),
    **dict.fromkeys(("timestamp", "timestamp without time zone"), "timestamp"),
    **{"boolean": "boolean", "date": "date"},
}
MUTATIONS = "create_tickets update_tickets delete_tickets scrub_tickets redact_comments archive_tickets".split()


def test_the_sources_are_the_catalogue() -> None:
    assert f'version: "{__version__}"' in (PROJECT / "dbt_project.yml").read_text()
    assert (PROJECT / "models" / "sources.yml").read_text() == reference.dbt_sources()


def test_the_seeds_are_the_time_zone_database() -> None:
    made = runpy.run_path(str(PROJECT / "time_zones.py"))["seeds"]()
    assert {path.name: path.read_text() for path in (PROJECT / "seeds").glob("*.csv")} == made


@pytest.fixture(scope="session")
def dbt(request: pytest.FixtureRequest) -> Path:
    """The Python of dbt's environment."""
    return dbt_python(request.config)


def assert_true(build: Dbt, expected: dict[str, list[dict[str, Any]]]) -> None:
    """Compare marts with what Python reckons."""
    for name, rows in expected.items():
        marts, truth = by_key(build.rows(name), KEYS[name]), by_key(rows, KEYS[name])
        assert marts.keys() == truth.keys(), name
        for key, row in truth.items():
            assert marts[key] == row, f"{name} {key}"


def example(folder: Path) -> Path:
    """The project in examples/, with this package alone, since Fivetran's cannot be fetched here."""
    shutil.copytree(EXAMPLE, folder)
    (folder / "packages.yml").write_text(f"packages: [{{local: {PROJECT}}}]")
    (folder / "dbt_packages").mkdir()
    (folder / "dbt_packages" / "zendesk_support").symlink_to(PROJECT)
    return folder


@pytest.mark.dbt
def test_the_marts_are_true_in_duckdb_and_postgres(
    tmp_path: Path, simulate: Simulate, postgres: PostgresServer, dbt: Path
) -> None:
    """In DuckDB from the package's folder, in Postgres from the project that Fivetran's package needs.

    Then without a column, and with hashes in the place of JSON and ids; tables of another kind, and a schema that
    nothing was loaded into, are refused.
    """
    account = simulate(tickets=60)
    for kind in MUTATIONS:
        account.mutate(kind, count=3)
    targets = [pipeline(tmp_path), pipeline(tmp_path, "served", postgres)]
    for target in targets:
        load(target, account, *READ)
    schemas = [{"zendesk_support_schema": target.dataset_name} for target in targets]
    alone = Dbt(dbt, tmp_path / "duckdb", str(tmp_path / "zendesk.duckdb"))
    below = Dbt(dbt, tmp_path / "postgres", postgres.url, example(tmp_path / "project"))
    builds = [
        alone.start("build", **schemas[0], fivetran_shape=True),
        below.start("build", "--select", "package:zendesk_support", **schemas[1]),
    ]
    for process in builds:
        finished(process)
    expected = Account(account).marts()
    assert all(expected.values())
    for build in (alone, below):
        assert_true(build, expected)
        assert_shaped(build)
        assert_remembered(build, Account(account))
    assert shape(alone) == shape(below)
    with duckdb.connect(str(tmp_path / "zendesk.duckdb")) as connection:
        connection.execute("ALTER TABLE warehouse.users DROP COLUMN name")
        connection.execute("ALTER TABLE warehouse.tickets ALTER via SET DATA TYPE VARCHAR USING md5(via)")
        connection.execute(
            "ALTER TABLE warehouse.tickets ALTER requester_id SET DATA TYPE VARCHAR USING md5(id::VARCHAR)"
        )
    finished(alone.start("run", "--select", "ticket_facts", **schemas[0], fivetran_shape=True))
    of_requesters = ("requester_id", "requester_name", "requester_organization_id", "requester_organization_name")
    unnamed = dict.fromkeys(("assignee_name", "channel", *of_requesters))
    assert_true(alone, {"ticket_facts": [{**row, **unnamed} for row in expected["ticket_facts"]]})
    sync(targets[0], source(account, nested="tables").with_resources("tickets"), full_refresh=True)
    assert 'was loaded with nested = "tables"' in refused(alone, schemas[0])
    with duckdb.connect(str(tmp_path / "zendesk.duckdb")) as connection:
        connection.execute("DROP SCHEMA warehouse CASCADE")
    assert 'zendesk_support_schema = "warehouse": nothing was loaded there' in refused(alone, schemas[0])


def refused(build: Dbt, schema: dict[str, str]) -> str:
    """What dbt says as it refuses to compile a table."""
    process = build.start("compile", "--select", "ticket_facts", **schema, fivetran_shape=True)
    output, _ = process.communicate(timeout=300)
    assert process.returncode
    return output


def assert_shaped(build: Dbt) -> None:
    """Compare the columns of the views with those that Fivetran's package reads."""
    with (ROOT / "tests" / "whole" / "fivetran_columns.csv").open() as file:
        expected = {(row["table"], row["column"]): row["type"] for row in csv.DictReader(file)}
    found = build.columns(SHAPE)
    assert {name: OF_TYPE[found[name]] for name in expected} == expected


def assert_remembered(build: Dbt, account: Account) -> None:
    """Compare Fivetran's history of fields with the events; what no event has set is the ticket's."""
    events = account.field_history()
    found = {key: row["value"] for key, row in by_key(build.rows("ticket_field_history", SHAPE), HISTORY).items()}
    assert events.keys() <= found.keys()
    for (id, field, at), value in found.items():
        if (id, field, at) in events:
            told = events[id, field, at]
            assert alike(value) == alike(told if isinstance(told, str | None) else json.dumps(told)), (id, field)
        elif field not in SLA_FIELDS:
            ticket = account.tickets[id]
            assert (value, at) == (str(ticket[field]), time(ticket["created_at"]).replace(tzinfo=None)), (id, field)
    given = {(row["ticket_id"], row["created_at"]): row["schedule_id"] for row in build.rows("ticket_schedule", SHAPE)}
    assert given == account.schedules()
    assert {"first_reply_time", "sla_policy"} <= {field for _, field, _ in found.keys() - events.keys()}


def shape(build: Dbt) -> dict[str, list[str]]:
    """The rows of all views, without the time of loading; JSON as each database spells it."""
    views = {table for table, _ in build.columns(SHAPE) if not table.startswith("zendesk_")}
    listed = {view: build.rows(view, SHAPE) for view in views}
    return {
        view: sorted(
            str({name: alike(value) for name, value in sorted(row.items()) if name != "_fivetran_synced"})
            for row in rows
        )
        for view, rows in listed.items()
    }


def alike(value: Any) -> Any:
    """A text without the spaces that JSON may have."""
    return value.replace(" ", "") if isinstance(value, str) else value


@pytest.mark.dbt
def test_the_documented_line_builds_what_there_is(tmp_path: Path, simulate: Simulate, dbt: Path) -> None:
    """After changes, with histories and marked rows, of an account without ratings, SLAs and organizations."""
    account = simulate(tickets=20)
    settings = {f"STREAMS__{name.upper()}__SYNC_MODE": "history" for name in HISTORIES}
    given = environment_of(account, DELETES="mark", **settings)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in given.items():
            patch.setenv(name, value)
        target = dlt.pipeline("zendesk", destination="duckdb", dataset_name="zendesk_support")
        sync(target, zendesk_support_source().with_resources(*SOME))
    account.mutate("update_tickets", count=5)
    account.mutate("delete_tickets", count=2)
    brands = account.truth("brands")
    account.mutate("remove_rows", stream="brands")
    (tmp_path / "dbt").symlink_to(PROJECT)
    (block,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    fewer = f"zendesk_support_source().with_resources(*{SOME})"
    (tmp_path / "documented.py").write_text(block.replace("zendesk_support_source()", fewer))
    build = Dbt(dbt, tmp_path / "output", str(tmp_path / "zendesk.duckdb"))
    environment = {**build.environment, **given, "PYTHONPATH": str(ROOT), "VIRTUAL_ENV": str(dbt.parents[1])}
    done = subprocess.run([dbt, "documented.py"], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    columns = build.columns("zendesk_support")
    assert {("tickets", "_dlt_valid_to"), ("brands", "_deleted_at")} <= columns.keys()
    assert not {table for table, _ in columns} & {"satisfaction_ratings", "ticket_metric_events", "organizations"}
    expected = Account(account, brands=brands).marts()
    for row in expected["ticket_facts"]:
        row |= {"organization_name": None, "requester_organization_name": None, "sla_breached": None}
    assert_true(build, {**expected, "satisfaction_daily": [], "sla_targets": []})


@pytest.mark.bigquery
@pytest.mark.dbt
def test_the_marts_are_true_in_bigquery(
    tmp_path: Path, simulate: Simulate, bigquery: BigQueryServer, monkeypatch: pytest.MonkeyPatch, dbt: Path
) -> None:
    """dbt's own adapter, against the emulator."""
    account = simulate(tickets=20)
    target = pipeline(tmp_path, "served", bigquery)
    load(target, account, *READ[:-1])  # without audit logs
    build = Dbt(dbt, tmp_path / "output", bigquery)
    fast = ("--exclude-resource-type", "test")
    finished(build.start("build", *fast, zendesk_support_schema=target.dataset_name, fivetran_shape=True))
    assert_true(build, Account(account).marts())
    views = {path.stem.removeprefix("fivetran_") for path in (PROJECT / "models" / "fivetran").glob("*.sql")}
    assert {view for view in views if not build.rows(view, SHAPE)} - {"ticket_schedule"} == {"audit_log"}
