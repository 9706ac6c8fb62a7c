"""Fixtures: simulated accounts, and a home of its own for each test."""

from __future__ import annotations

import gc
import os
import shutil
import socket
from collections.abc import Callable, Generator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"

import pytest
from bigquery_server import PACKAGES, BigQueryServer
from dlt.common.configuration.container import Container
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext
from dlt.common.pipeline import PipelineContext
from environments import environment, kept_in
from postgres_server import PostgresServer, running
from support import MakePipeline, environment_of, pipeline, simulated
from thrift import collect_garbage_less, remember_answers

from zendesk_support.simulator import Simulator


def pytest_configure(config: pytest.Config) -> None:
    """With `ZENDESK_TESTS=all`, run the tests that install things as well, but for those that take longest."""
    if os.environ.get("ZENDESK_TESTS") == "all":
        config.option.markexpr = "not bigquery and not celery and not container and not foreign and not soak"
    remember_answers()


@pytest.hookimpl(wrapper=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """Three workers on two cores: a test waits for servers, other processes and a clock about a third of its time."""
    found = yield
    return found if os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS") else found * 3 // 2


def pytest_collection_finish() -> None:
    """Everything is imported."""
    collect_garbage_less()


def pytest_unconfigure() -> None:
    """Let the interpreter clear up all it has as it ends."""
    gc.unfreeze()


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


@pytest.fixture
def config_file(home: Path) -> Iterator[Callable[..., None]]:
    """Writes `.dlt/config.toml`, or another file there, and has dlt read it."""
    context, folder = Container()[PluggableRunContext], home / ".dlt"

    def write(lines: str, name: str = "config.toml") -> None:
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(f"{lines}\n")
        context.reload_providers()

    yield write
    shutil.rmtree(folder, ignore_errors=True)
    context.reload_providers()


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that leaves this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


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


@pytest.fixture
def configured(account: Simulator, monkeypatch: pytest.MonkeyPatch) -> Simulator:
    """A small simulated account, which the environment leads to."""
    for name, value in environment_of(account).items():
        monkeypatch.setenv(name, value)
    return account


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A Postgres server for all tests of a process."""
    with running() as server:
        yield server


@pytest.fixture(scope="session")
def bigquery_emulator(request: pytest.FixtureRequest) -> Iterator[BigQueryServer]:
    """An emulator of BigQuery for all tests of a process."""
    server = BigQueryServer(environment(kept_in(request.config, "bigquery") / "emulator", PACKAGES))
    yield server
    server.close()


@pytest.fixture
def bigquery(bigquery_emulator: BigQueryServer, monkeypatch: pytest.MonkeyPatch) -> BigQueryServer:
    """The emulator, and the settings that lead to it."""
    for name, value in bigquery_emulator.settings.items():
        monkeypatch.setenv(name, value)
    return bigquery_emulator


@pytest.fixture(params=["duckdb", "postgres", pytest.param("bigquery", marks=pytest.mark.bigquery)])
def make_pipeline(request: pytest.FixtureRequest, tmp_path: Path) -> MakePipeline:
    """Makes pipelines into each kind of database in turn."""
    server = None if request.param == "duckdb" else request.getfixturevalue(request.param)
    return partial(pipeline, tmp_path, server=server)
