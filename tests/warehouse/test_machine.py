"""The memory that a container or control group leaves, and what of it DuckDB is granted."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from zendesk_support.command import destinations
from zendesk_support.command.destinations import WAREHOUSES
from zendesk_support.warehouse import duckdb_memory, machine

HALF = 512 << 20
NO_LIMIT = {1: "9223372036854771712\n", 2: "max\n"}


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty mount of control groups, and a process that is in none."""
    monkeypatch.setattr(machine, "GROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(machine, "OWN_GROUPS", tmp_path / "own")
    return tmp_path


def limit(folder: Path, version: int, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / {1: "memory.limit_in_bytes", 2: "memory.max"}[version]).write_text(text)


@pytest.mark.parametrize(("version", "mount"), [(1, "cgroup/memory"), (2, "cgroup")])
def test_the_limit_of_a_container_is_read(groups: Path, version: int, mount: str) -> None:
    whole = machine.machine_memory()
    limit(groups / mount, version, NO_LIMIT[version])
    assert machine.machine_memory() == whole
    limit(groups / mount, version, f"{HALF}\n")
    assert machine.machine_memory() == HALF


@pytest.mark.parametrize(("version", "mount", "own"), [(1, "cgroup/memory", "7:cpu,memory:"), (2, "cgroup", "0::")])
def test_the_limit_of_a_group_counts_for_those_within_it(groups: Path, version: int, mount: str, own: str) -> None:
    (groups / "own").write_text(f"3:cpuset:/elsewhere\n{own}/service/child\n")
    limit(groups / mount / "service" / "child", version, NO_LIMIT[version])
    limit(groups / mount / "service", version, f"{HALF}\n")
    assert machine.machine_memory() == HALF


@pytest.mark.parametrize(("megabytes", "granted"), [(256, "64MB"), (512, "96MB"), (1024, "192MB"), (65536, "192MB")])
def test_duckdb_is_granted_a_share_of_a_small_machine(
    monkeypatch: pytest.MonkeyPatch, megabytes: int, granted: str
) -> None:
    monkeypatch.setattr(duckdb_memory, "machine_memory", lambda: megabytes << 20)
    assert duckdb_memory.first_limits()["memory_limit"] == granted


@pytest.mark.parametrize(("own", "granted"), [(None, "91.5 MiB"), ('{"memory_limit": "300MB"}', "286.1 MiB")])
def test_duckdb_has_that_limit_unless_the_user_has_set_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: str | None, granted: str
) -> None:
    monkeypatch.setattr(duckdb_memory, "machine_memory", lambda: HALF)
    if own is not None:
        monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS__GLOBAL_CONFIG", own)
    options = argparse.Namespace(pipeline_name="small", dataset="small", database=tmp_path / "limited.duckdb")
    with WAREHOUSES["duckdb"].pipeline(options).sql_client() as client:
        [[found]] = client.execute_sql("SELECT current_setting('memory_limit')")
    assert found == granted


@pytest.mark.parametrize(
    ("megabytes", "own", "jobs"), [(384, None, 2), (4096, None, None), (384, "8", None)], ids=["small", "large", "own"]
)
def test_a_small_machine_loads_into_postgres_with_two_jobs_unless_the_user_says_how_many(
    monkeypatch: pytest.MonkeyPatch, megabytes: int, own: str | None, jobs: int | None
) -> None:
    monkeypatch.setattr(destinations, "machine_memory", lambda: megabytes << 20)
    if own is not None:
        monkeypatch.setenv("LOAD__WORKERS", own)
    made = WAREHOUSES["postgres"].make(argparse.Namespace())
    assert made.capabilities().max_parallel_load_jobs == jobs
