"""pipelines/airflow_dag.py in a real Airflow, from a simulated account into a real Postgres."""

from __future__ import annotations

import json
import os
import sqlite3
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import dlt
import pytest
from changes import change_all, change_lists
from dlt.pipeline.pipeline import Pipeline
from environments import environment, kept_in, printed
from postgres_server import PostgresServer
from repository import ROOT
from support import SCALE, assert_whole, facts, rows_of

from zendesk_support.groups import by_limit, is_dated
from zendesk_support.postgres import postgres as destination
from zendesk_support.simulator import Simulator
from zendesk_support.streams import CATALOGUE

pytestmark = pytest.mark.airflow

DAG = "zendesk_support"
HOUR = 3600
BACKEND = """
import os
from airflow.secrets import BaseSecretsBackend

class Asked(BaseSecretsBackend):
    def get_variable(self, key, *args, **kwargs):
        with open(os.environ["ASKED"], "a") as file:
            file.write(f"{key}\\n")

    get_connection = get_variable
"""
"""Airflow asks it first; it has no secret, and writes down what it was asked for."""


TASKS = """
import json
from types import SimpleNamespace

from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from zendesk_support import airflow
from zendesk_support.groups import by_limit


def tried(group, words=None, **params):
    context = {"dag_run": SimpleNamespace(run_type="manual"), "params": params}
    airflow.get_current_context = lambda: context
    try:
        return sorted(airflow.source(words, group, "any").selected_streams)
    except (AirflowFailException, AirflowSkipException) as error:
        return f"{type(error).__name__}: {error}"


period = {"start_date": "2020-01-01", "end_date": "2020-02-01"}
bounded = [tried(group, **period) for group in by_limit()]
named = tried("account", ["webhooks", "groups"])
print(json.dumps([tried("account"), *bounded, named, tried("account", end_date="soon")]))
"""
"""What tasks load, and how they end where they do not."""


class Airflow:
    """An installation with a metadata database of its own, whose DAGs are those of this project."""

    def __init__(self, python: Path, home: Path, account: Simulator) -> None:
        self._program = python.with_name("airflow")
        self._home = home
        self._asked = home / "asked.txt"
        home.joinpath("backend.py").write_text(BACKEND)
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "pipelines"),
            "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "1",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
            "AIRFLOW__SECRETS__BACKEND": "backend.Asked",
            "ASKED": str(self._asked),
            "PYTHONPATH": str(home),
            "SOURCES__ZENDESK_SUPPORT__BASE_URL": account.base_url,
            "SOURCES__ZENDESK_SUPPORT__CLOCK_SCALE": str(SCALE),
            "SOURCES__ZENDESK_SUPPORT__START_DATE": "2015-01-01",
        }

    def run(self, *arguments: str, **environment: str) -> str:
        """What a command prints."""
        return self._print([self._program, *arguments], environment)

    def python(self, script: str, **environment: str) -> str:
        """The last line that a script prints."""
        return self._print([self._program.with_name("python"), "-c", script], environment).splitlines()[-1]

    def _print(self, command: list[Any], environment: dict[str, str]) -> str:
        return printed(command, {**self._environment, **environment}, self._home)

    def query(self, sql: str) -> list[Any]:
        """Rows of the metadata database."""
        with sqlite3.connect(self._home / "airflow.db") as database:
            return database.execute(sql).fetchall()

    @property
    def asked_for(self) -> set[str]:
        """Names of the variables and connections that were looked up."""
        return set(self._asked.read_text().split()) if self._asked.exists() else set()

    @property
    def tries(self) -> dict[str, tuple[str, int]]:
        """State and number of tries of each task of the last run, by group."""
        last = "SELECT max(id) FROM dag_run"
        found = self.query(f"""
            SELECT task_id, task_instance.state, try_number FROM task_instance
            JOIN dag_run USING (dag_id, run_id) WHERE dag_run.id = ({last})
        """)
        return {task.removeprefix(f"{DAG}_"): (state, tries) for task, state, tries in found}


@pytest.fixture
def account(simulate: Callable[..., Simulator]) -> Simulator:
    return simulate(tickets=200)


@pytest.fixture
def airflow(pytestconfig: pytest.Config, tmp_path: Path, account: Simulator) -> Airflow:
    packages = ["apache-airflow==3.3.*", "--editable", f"{ROOT}[postgres]"]
    return Airflow(environment(kept_in(pytestconfig, "airflow"), packages), tmp_path, account)


def loaded(server: PostgresServer, group: str) -> Pipeline:
    """The pipeline of a group, as a worker with an empty disk finds it."""
    found = dlt.pipeline(f"{DAG}_{group}", destination=destination(server.url), dataset_name=DAG)
    found.sync_destination()
    return found


def assert_all_whole(server: PostgresServer, account: Simulator) -> None:
    for group, streams in by_limit().items():
        assert_whole(loaded(server, group), account, *streams)


def test_the_dag_loads_a_backfill_then_everything_then_what_changed(
    airflow: Airflow, account: Simulator, postgres: PostgresServer
) -> None:
    known = account.credentials
    exports = [name for name in by_limit()["incremental_exports"] if is_dated(CATALOGUE[name])]

    # Airflow parses the file: no request, no secret, no error.
    airflow.run("db", "migrate")
    airflow.run("dags", "reserialize")
    assert airflow.query("SELECT filename, stacktrace FROM import_error") == []
    assert airflow.query("SELECT dag_id FROM serialized_dag") == [(DAG,)]
    assert account.requests() == []
    assert airflow.asked_for == set()

    # A backfill of the hour with the most tickets, with secrets from Airflow's connections.
    hours = Counter(row["generated_timestamp"] // HOUR * HOUR for row in account.truth("tickets"))
    start = hours.most_common(1)[0][0]
    date = datetime.fromtimestamp(start, timezone.utc).isoformat()
    airflow.run("backfill", "create", "--dag-id", DAG, "--from-date", date, "--to-date", date)
    ((run,),) = airflow.query("SELECT run_id FROM dag_run WHERE run_type = 'backfill'")
    zendesk = {"conn_type": "http", "host": "acme", "login": known["client_id"], "password": known["client_secret"]}
    connections = {
        "AIRFLOW_CONN_ZENDESK_SUPPORT": json.dumps(zendesk),
        "AIRFLOW_CONN_ZENDESK_WAREHOUSE": postgres.url,
    }
    airflow.run("tasks", "test", DAG, f"{DAG}_incremental_exports", run, **connections)
    backfill = loaded(postgres, "incremental_exports")
    for name, rows in rows_of(backfill, *exports).items():
        keys = {tuple(row[column] for column in CATALOGUE[name].key) for row in rows}
        assert keys == facts(account, name, start, start + HOUR), name
    assert len(rows_of(backfill, "tickets")["tickets"]) > 1
    assert "organizations" not in backfill.default_schema.tables
    assert backfill.state.get("sources", {}) == {}

    # The first run of the schedule, with secrets from a variable. The third page of tickets is refused once.
    account.fault("heavy_page", route="incremental_tickets_cursor", per_page=70, times=None)
    account.fault("status", route="incremental_tickets_cursor", nth=7, times=2, status=400)
    settings = f"""
        destination.postgres.credentials = "{postgres.url}"
        sources.zendesk_support.credentials.client_id = "{known["client_id"]}"
        sources.zendesk_support.credentials.client_secret = "{known["client_secret"]}"
    """
    secrets = {"AIRFLOW_VAR_DLT_SECRETS_TOML": settings}
    airflow.run("dags", "test", DAG, **secrets)
    assert airflow.tries == {group: ("success", 1 + (group == "incremental_exports")) for group in by_limit()}
    assert "dlt_secrets_toml" in airflow.asked_for
    report = "SELECT status, rows FROM zendesk_support.sync_report WHERE stream = 'tickets' ORDER BY started_at"
    assert postgres.query(report)[1:] == [("failed", 124), ("loaded", 76)]
    assert_all_whole(postgres, account)

    # The next one, of what has changed.
    change_all(account)
    change_lists(account)
    account.clear_faults()
    airflow.run("dags", "test", DAG, **secrets)
    assert airflow.tries == dict.fromkeys(by_limit(), ("success", 1))
    assert_all_whole(postgres, account)


def test_tasks_take_a_period_from_parameters_and_fail_for_good_on_wrong_settings(
    airflow: Airflow, account: Simulator
) -> None:
    known = account.credentials
    credentials = {
        f"SOURCES__ZENDESK_SUPPORT__CREDENTIALS__{name.upper()}": known[name] for name in ("client_id", "client_secret")
    }
    whole, *bounded, named, wrong = json.loads(airflow.python(TASKS, **credentials))
    assert whole == sorted(by_limit()["account"])
    for group, found in zip(by_limit(), bounded, strict=True):
        dated = sorted(name for name in by_limit()[group] if is_dated(CATALOGUE[name]))
        assert found == (
            dated
            or "AirflowSkipException: Every scheduled run loads these streams whole: a bounded one leaves them out."
        )
    assert named == ["groups"]
    assert wrong.startswith('AirflowFailException: end_date = "soon"')
    elsewhere = {**credentials, "SOURCES__ZENDESK_SUPPORT__STREAMS__LOAD": "tickets"}
    unnamed, *_, named, _ = json.loads(airflow.python(TASKS, **elsewhere))
    assert unnamed.startswith("AirflowFailException: streams.load is set, but a DAG makes a task for each group")
    assert named == ["groups"]
    rotated = {**credentials, "SOURCES__ZENDESK_SUPPORT__CREDENTIALS__REFRESH_TOKEN": known["refresh_token"]}
    refused = json.loads(airflow.python(TASKS, **rotated))
    assert {told.partition(" are not for tasks")[0] for told in refused[:-1]} >= {
        "AirflowFailException: credentials with a refresh_token"
    }
    assert account.requests() == []


def test_each_configured_account_has_a_task_group_and_secrets_of_its_own(
    airflow: Airflow, account: Simulator, postgres: PostgresServer, simulate: Callable[..., Simulator]
) -> None:
    both = {"acme": account, "globex": simulate(seed=2, tickets=10)}
    above = "SOURCES__ZENDESK_SUPPORT__ACCOUNTS__"
    named = {f"{above}{name.upper()}__BASE_URL": found.base_url for name, found in both.items()}
    named |= {f"{above}{name.upper()}__SAME_ACCOUNT_AS": f"{name}.example.com" for name in both}
    named[f"{above}GLOBEX__DATASET"] = "globex"
    for name, found in both.items():
        login = {"login": found.credentials["client_id"], "password": found.credentials["client_secret"]}
        named[f"AIRFLOW_CONN_ZENDESK_SUPPORT_{name.upper()}"] = json.dumps({"conn_type": "http", "host": name, **login})
    named["AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT"] = "120"
    airflow.run("db", "migrate", **named)
    airflow.run("dags", "reserialize", **named)
    assert airflow.query("SELECT filename, stacktrace FROM import_error") == []
    [(stored,)] = airflow.query("SELECT data FROM serialized_dag")
    made = json.loads(stored)["dag"]
    assert set(made["task_group"]["children"]) == {f"{DAG}_{name}" for name in both}
    assert len(made["tasks"]) == len(both) * len(by_limit())
    task = f"{DAG}_globex_users_export"
    airflow.run("tasks", "test", DAG, task, "2026-01-01", AIRFLOW_CONN_ZENDESK_WAREHOUSE=postgres.url, **named)
    assert postgres.query("SELECT count(*) FROM globex.users") == [(len(both["globex"].truth("users")),)]
    assert account.requests() == []
