"""pipelines/airflow_dag.py with CeleryExecutor: two accounts, a worker that dies, a broker that is lost."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path

import dlt
import pytest
from airflow_cluster import Cluster, missing
from changes import change_all, change_lists
from environments import environment, kept_in
from postgres_server import PostgresServer, running
from repository import ROOT
from support import assert_whole, environment_of

from zendesk_support.groups import by_limit
from zendesk_support.postgres import postgres as destination
from zendesk_support.simulator import Simulator

pytestmark = pytest.mark.celery

AIRFLOW = ["apache-airflow==3.3.*", "apache-airflow-providers-celery==3.26.*", "asyncpg"]
FIRST, SECOND = "zendesk_support", "second"
WORKERS = "worker1", "worker2"
HOUR = 3600
SCALE = 60.0
"""On a busy machine, the account's minutes must not pass in a moment."""
EXPORTS = "incremental_exports"
OTHER_SECRETS = f"""
import os

from zendesk_support import airflow

read = airflow.read_secrets


def read_secrets(*account):
    for name, value in list(os.environ.items()):
        if name.startswith("{SECOND}__"):
            os.environ[name.removeprefix("{SECOND}__")] = value
    read(*account)


airflow.read_secrets = read_secrets
"""
"""A task of the second account has settings of its own in the environment of its process."""


@pytest.fixture
def accounts(simulate: Callable[..., Simulator]) -> dict[str, Simulator]:
    return {FIRST: simulate(tickets=300, clock_scale=SCALE), SECOND: simulate(tickets=200, seed=2, clock_scale=SCALE)}


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """For warehouse and metadata, of the test's own."""
    with running() as found:
        yield found


@pytest.fixture
def cluster(pytestconfig: pytest.Config, home: Path, server: PostgresServer, accounts: dict[str, Simulator]) -> Cluster:
    if lacks := missing():
        pytest.skip(lacks)
    first, second = (environment_of(account, CLOCK_SCALE=str(SCALE)) for account in accounts.values())
    others = {f"{SECOND}__{name}": value for name, value in second.items()}
    settings = {**first, **others, "AIRFLOW_CONN_ZENDESK_WAREHOUSE": server.url}
    cluster = Cluster(
        environment(kept_in(pytestconfig, "celery"), [*AIRFLOW, "--editable", f"{ROOT}[postgres]"]),
        home,
        server,
        settings,
    )
    dag = (ROOT / "pipelines" / "airflow_dag.py").read_text()
    (cluster.dags / "first.py").write_text(dag)
    other = dag.replace(f'"{FIRST}"', f'"{SECOND}"')
    (cluster.dags / "second.py").write_text(f"import other_secrets\n{other}")
    (home / "other_secrets.py").write_text(OTHER_SECRETS)
    return cluster


def assert_all_whole(server: PostgresServer, accounts: dict[str, Simulator]) -> None:
    for name, account in accounts.items():
        for group, streams in by_limit().items():
            target = dlt.pipeline(f"{name}_{group}", destination=destination(server.url), dataset_name=name)
            target.sync_destination()
            assert_whole(target, account, *streams)


def loaded_rows(server: PostgresServer) -> int:
    counted = [server.query(f"SELECT sum(rows) FROM {name}.sync_report")[0][0] for name in (FIRST, SECOND)]
    return int(sum(counted))


def test_two_accounts_stay_whole_through_a_dead_worker_and_a_lost_broker(
    cluster: Cluster, accounts: dict[str, Simulator], server: PostgresServer
) -> None:
    began = time.monotonic()
    with cluster.running(*WORKERS):
        told("parsed, after the start of it all", parsed(cluster, accounts))
        worker = lose_a_worker(cluster, accounts, server)
        assert_all_whole(server, accounts)
        cluster.begin_worker(worker)
        lose_the_broker(cluster, accounts, server)
        assert_all_whole(server, accounts)
    told("in all", time.monotonic() - began)
    print(f"rows loaded: {loaded_rows(server)}; connections to Postgres at most: {cluster.connections}")


def told(what: str, seconds: float) -> None:
    print(f"{what}: {seconds:.0f} s", flush=True)


def parsed(cluster: Cluster, accounts: dict[str, Simulator]) -> float:
    """Both files are parsed without an error or a request."""
    took = cluster.wait(lambda: len(cluster.query("SELECT 1 FROM serialized_dag")) == 2, "both files are parsed", 180)
    assert cluster.query("SELECT filename, stacktrace FROM import_error") == []
    assert [account.requests() for account in accounts.values()] == [[], []]
    return took


def lose_a_worker(cluster: Cluster, accounts: dict[str, Simulator], server: PostgresServer) -> str:
    """The first runs of the schedule; the worker that reads the first account's export dies. Its name."""
    accounts[FIRST].fault("slow", route="incremental_*", delay=10 * SCALE, times=None)
    for dag in accounts:
        cluster.run("dags", "unpause", dag)
    lease = f"SELECT 1 FROM {FIRST}._zendesk_runs WHERE pipeline = '{FIRST}_{EXPORTS}'"
    exists = f"SELECT to_regclass('{FIRST}._zendesk_runs')"
    cluster.wait(lambda: server.query(exists)[0][0] and server.query(lease), "the export is read", 180)
    worker = cluster.worker_of(FIRST, f"{FIRST}_{EXPORTS}")
    assert worker in WORKERS
    cluster.kill(worker)
    killed = time.monotonic()
    accounts[FIRST].clear_faults()
    runs = {dag: cluster.query(f"SELECT run_id FROM dag_run WHERE dag_id = '{dag}'")[0][0] for dag in accounts}
    for dag, run in runs.items():
        told(f"{dag}: first run of the schedule, {worker} killed", cluster.wait_for_run(dag, run))
        print(cluster.tries(dag, run))
    told("from the worker's death to the end", time.monotonic() - killed)
    return worker


def lose_the_broker(cluster: Cluster, accounts: dict[str, Simulator], server: PostgresServer) -> None:
    """Both accounts change; a backfill and a run by hand are queued when Redis dies with its queue."""
    for account in accounts.values():
        change_all(account)
        change_lists(account)
        account.advance(120)
    times = [row["generated_timestamp"] for row in accounts[FIRST].truth("tickets")]
    hours = Counter(at // HOUR * HOUR for at in times if at < time.time() - HOUR)  # the account's clock is ahead
    date = datetime.fromtimestamp(hours.most_common(1)[0][0], timezone.utc).isoformat()
    for dag in accounts:
        cluster.run("dags", "trigger", dag, "--run-id", "by_hand")
    cluster.run("backfill", "create", "--dag-id", FIRST, "--from-date", date, "--to-date", date)
    cluster.wait(lambda: cluster.query("SELECT 1 FROM task_instance WHERE state = 'queued'"), "tasks are queued", 60)
    cluster.redis.kill()
    killed = time.monotonic()
    time.sleep(10)
    cluster.redis.start()
    [(backfill,)] = cluster.query("SELECT run_id FROM dag_run WHERE run_type = 'backfill'")
    for dag, run in ((FIRST, backfill), (FIRST, "by_hand"), (SECOND, "by_hand")):
        told(f"{dag}: {run}, Redis lost", cluster.wait_for_run(dag, run))
        print(cluster.tries(dag, run))
    told("from the loss of Redis to the end", time.monotonic() - killed)
