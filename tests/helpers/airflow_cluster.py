"""Airflow with CeleryExecutor and Redis on this machine, its workers as if each had one of its own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg2
from environments import printed
from postgres_server import DATABASE, PostgresServer

METADATA = "airflow"
HEARTBEAT_TIMEOUT = 30
RETRY_DELAY = 20
QUEUED_TIMEOUT = 150
"""Three of them are longer than tasks wait for a lock, which keep all slots of a worker meanwhile."""
PATIENCE = 1500.0
PARTS = ("api-server", "scheduler", "dag-processor")
ELSEWHERE = ("unshare", "--pid", "--fork", "--mount-proc", "--uts", "--kill-child")
"""What runs a program where it sees no other process, as in a container; if it is killed, all of it is."""
NAMED = ("sh", "-c", 'hostname "$0"; exec "$@"')
"""What gives a program a host name."""


def own_database(server: PostgresServer) -> str:
    """Make the database for the metadata; where it is."""
    connection = psycopg2.connect(server.url)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {METADATA}")
    finally:
        connection.close()
    return f"{server.url.removesuffix(DATABASE)}{METADATA}"


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def wait(until: Callable[[], Any], what: str, seconds: float = PATIENCE) -> float:
    """Wait for something; how long it took."""
    began = time.monotonic()
    while not until():
        assert time.monotonic() - began < seconds, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.5)
    return time.monotonic() - began


class Redis:
    """A Redis that keeps nothing on disk."""

    def __init__(self, home: Path) -> None:
        self._home, self._port = home, free_port()
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        command = ["redis-server", "--port", str(self._port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        with (self._home / "redis.log").open("ab") as log:
            self._server = subprocess.Popen(command, cwd=self._home, stdout=log, stderr=log)
        wait(self._answers, "Redis answers", 30)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self._port), 1).close()
        except OSError:
            return False
        return True

    def kill(self) -> None:
        self._server.kill()
        self._server.wait()


class Cluster:
    """An installation of Airflow, whose metadata are in a database of their own on a Postgres server.

    Attributes:
        connections: by database of the server, how many were seen at most.
    """

    def __init__(self, python: Path, home: Path, server: PostgresServer, environment: Mapping[str, str]) -> None:
        self._program, self._home = python.with_name("airflow"), home
        self.dags = home / "dags"
        self.dags.mkdir()
        self._metadata = own_database(server)
        self.redis = Redis(home)
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
            **self._settings(free_port()),
            "PYTHONPATH": str(home),
            **environment,
        }
        self._parts: dict[str, subprocess.Popen[bytes]] = {}
        self.connections: dict[str, int] = {}

    def _settings(self, port: int) -> dict[str, str]:
        """Timeouts are shorter than Airflow's own, so that nobody waits for minutes."""
        api = f"http://127.0.0.1:{port}"
        database = self._metadata.replace("postgresql:", "postgresql+psycopg2:")
        given = {
            "CORE__EXECUTOR": "CeleryExecutor",
            "CORE__DAGS_FOLDER": str(self.dags),
            "CORE__LOAD_EXAMPLES": "false",
            "CORE__DEFAULT_TASK_RETRY_DELAY": str(RETRY_DELAY),
            "CORE__EXECUTION_API_SERVER_URL": f"{api}/execution/",
            "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "true",
            "DATABASE__SQL_ALCHEMY_CONN": database,
            "API__HOST": "127.0.0.1",
            "API__PORT": str(port),
            "API__BASE_URL": api,
            "API__WORKERS": "1",
            "API__SECRET_KEY": "nobody",
            "API_AUTH__JWT_SECRET": "nobody" * 12,
            "CELERY__BROKER_URL": self.redis.url,
            "CELERY__RESULT_BACKEND": f"db+{database}",
            "CELERY__WORKER_CONCURRENCY": "3",
            "CELERY__WORKER_PREFETCH_MULTIPLIER": "1",
            "CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT": "3600",
            "SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "5",
            "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": str(HEARTBEAT_TIMEOUT),
            "SCHEDULER__TASK_QUEUED_TIMEOUT": str(QUEUED_TIMEOUT),
            "SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "10",
            "DAG_PROCESSOR__REFRESH_INTERVAL": "5",
        }
        return {"AIRFLOW_HOME": str(self._home), **{f"AIRFLOW__{name}": value for name, value in given.items()}}

    def run(self, *arguments: str) -> str:
        """What a command prints."""
        return printed([self._program, *arguments], self._environment, self._home)

    def query(self, sql: str) -> list[Any]:
        """Rows of the metadata."""
        connection = psycopg2.connect(self._metadata)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall()
        finally:
            connection.close()

    def begin(self, *command: str, name: str, before: tuple[str, ...] = ()) -> None:
        """Start a program of Airflow in a group of its own."""
        with (self._home / f"{name}.log").open("ab") as log:
            self._parts[name] = subprocess.Popen(
                [*before, self._program, *command],
                env=self._environment,
                cwd=self._home,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait(self, until: Callable[[], Any], what: str, seconds: float = PATIENCE) -> float:
        """Wait for something, while all that was started runs; how long it took."""

        def is_there() -> Any:
            ended = [name for name, part in self._parts.items() if part.poll() is not None]
            assert not ended, "\n".join((self._home / f"{name}.log").read_text()[-3000:] for name in ended)
            for database, count in self.query("SELECT datname, count(*) FROM pg_stat_activity GROUP BY datname"):
                self.connections[database] = max(count, self.connections.get(database, 0))
            return until()

        return wait(is_there, what, seconds)

    def begin_worker(self, name: str) -> None:
        """Start a worker on a machine of its own; their logs stay in the folder that all share."""
        command = ("celery", "worker", "--celery-hostname", name, "--skip-serve-logs")
        self.begin(*command, name=name, before=(*ELSEWHERE, *NAMED, name))

    def kill(self, name: str) -> None:
        """End a program, and all that it has started, as a machine ends that loses its power."""
        part = self._parts.pop(name)
        with suppress(ProcessLookupError):  # it has ended by itself
            os.killpg(part.pid, signal.SIGKILL)
        part.wait()

    @contextmanager
    def running(self, *workers: str) -> Iterator[None]:
        """Run it all, to the end of the block."""
        try:
            self.run("db", "migrate")
            for part in PARTS:
                self.begin(part, name=part)
            for worker in workers:
                self.begin_worker(worker)
            yield
        finally:
            for name in list(self._parts):
                self.kill(name)
            self.redis.kill()

    def wait_for_run(self, dag: str, run: str) -> float:
        """Wait for a run to end well; how long it took by Airflow's account."""
        found = f"FROM dag_run WHERE dag_id = '{dag}' AND run_id = '{run}'"
        self.wait(lambda: self.query(f"SELECT state {found} AND state IN ('success', 'failed')"), f"{dag} {run} ends")
        [(state, seconds)] = self.query(f"SELECT state, extract(epoch FROM end_date - start_date) {found}")
        assert state == "success", self.tries(dag, run)
        return float(seconds)

    def tries(self, dag: str, run: str) -> dict[str, tuple[str, int]]:
        """State and number of tries of each task of a run."""
        found = self.query(
            f"SELECT task_id, state, try_number FROM task_instance WHERE dag_id = '{dag}' AND run_id = '{run}'"
        )
        return {task: (state, tries) for task, state, tries in found}

    def worker_of(self, dag: str, task: str) -> str | None:
        """Name of the machine that a task runs on now."""
        found = self.query(
            f"SELECT hostname FROM task_instance WHERE dag_id = '{dag}' AND task_id = '{task}' AND state = 'running'"
        )
        return str(found[0][0]) if found else None


def missing() -> str | None:
    """What this machine lacks for it, if anything."""
    if os.getuid() != 0 or not shutil.which("unshare"):
        return "workers need process numbers of their own, which root may give them"
    return None if shutil.which("redis-server") else "no Redis is installed here: apt-get install redis-server"
