"""Two runs never load the same tables at once, wherever they run: the second is refused and told who is at work."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import dlt
import pytest
from dlt.pipeline.pipeline import Pipeline
from documented import says
from postgres_server import PostgresServer
from support import MakePipeline, assert_whole, load, pipeline, source

from zendesk_support import sync
from zendesk_support.errors import AlreadyRunningError
from zendesk_support.running import run_lock
from zendesk_support.running.run_lock import Holder, check_lock, machine, only_run
from zendesk_support.simulator import Simulator
from zendesk_support.verification.verifier import verify

STREAMS = ("tickets", "groups")


def elsewhere(target: Pipeline, folder: Path, name: str = "") -> Pipeline:
    """A pipeline into the same dataset, from another machine's folder."""
    return dlt.pipeline(
        name or target.pipeline_name,
        pipelines_dir=str(folder / "elsewhere"),
        destination=target.destination,
        dataset_name=target.dataset_name,
    )


@pytest.mark.parametrize("name", ["", "another"])
def test_a_second_run_into_a_dataset_is_refused_and_told_of_the_first(
    tmp_path: Path, make_pipeline: MakePipeline, account: Simulator, name: str
) -> None:
    target = make_pipeline()
    second = elsewhere(target, tmp_path, name)
    with only_run(target, STREAMS):
        with pytest.raises(AlreadyRunningError) as refused:
            sync(second, source(account).with_resources(*STREAMS))
        with pytest.raises(AlreadyRunningError):
            verify(second, source(account).with_resources(*STREAMS))
    assert account.requests() == []
    assert says("another run is under way", str(refused.value))
    assert f"host {socket.gethostname()}, process {os.getpid()}" in str(refused.value)
    load(second, account, *STREAMS)
    assert_whole(second, account, *STREAMS)


def test_a_second_run_on_this_machine_is_told_of_the_first(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    other = dlt.pipeline(target.pipeline_name, destination="duckdb", dataset_name="other")
    with (
        only_run(target, STREAMS),
        pytest.raises(AlreadyRunningError, match=f"pipeline zendesk is under way .*process {os.getpid()}"),
    ):
        sync(other, source(account).with_resources(*STREAMS))


def test_pipelines_of_other_streams_load_beside_each_other(
    tmp_path: Path, postgres: PostgresServer, account: Simulator
) -> None:
    target = pipeline(tmp_path, server=postgres)
    other = elsewhere(target, tmp_path, "another")
    with only_run(target, ["users"]):
        load(other, account, *STREAMS)
    assert_whole(other, account, *STREAMS)


HERE = machine()
LEFT = {
    "ended on this machine": (HERE, "dead", 0, True),
    "ended in this process": (HERE, "own", 0, True),
    "under way on this machine": (HERE, "parent", 0, False),
    "seen a minute ago on another machine": ("another", "dead", 1, False),
    "not seen for six minutes": ("another", "dead", 6, True),
}


@pytest.mark.parametrize("left", LEFT)
def test_a_run_that_was_killed_is_recognised_or_forgotten(
    tmp_path: Path, postgres: PostgresServer, account: Simulator, left: str
) -> None:
    where, process, minutes, free = LEFT[left]
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    number = {"dead": ended.pid, "own": os.getpid(), "parent": os.getppid()}[process]
    target = pipeline(tmp_path, server=postgres)
    load(target, account, "groups")
    runs = f"{target.dataset_name}.{run_lock.TABLE}"
    assert postgres.query(f"SELECT * FROM {runs}") == []
    seen = f"now() - interval '{minutes} minutes'"
    postgres.query(f"INSERT INTO {runs} VALUES ('t', 'zendesk', 'groups', 'h', {number}, '{where}', now(), {seen})")
    if free:
        load(target, account, "groups")
        assert postgres.query(f"SELECT * FROM {runs}") == []
    else:
        with pytest.raises(AlreadyRunningError, match=f"host h, process {number}"):
            sync(target, source(account).with_resources("groups"))
        assert postgres.query(f"SELECT token FROM {runs}") == [("t",)]


def test_a_run_that_is_about_to_begin_is_not_taken_for_dead_by_another_thread(
    tmp_path: Path, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both add their rows first and look around then: the row of one is there before its lock is held."""
    target = pipeline(tmp_path, server=postgres)
    other = dlt.pipeline("other", destination=target.destination, dataset_name=target.dataset_name)
    look = run_lock.Lease._holders
    looked: list[str] = []

    def meanwhile(lease: run_lock.Lease) -> Any:
        looked.append("")
        if len(looked) == 1:
            with only_run(other, ["users"]):
                pass
        return look(lease)

    monkeypatch.setattr(run_lock.Lease, "_holders", meanwhile)
    with only_run(target, STREAMS):
        assert postgres.query(f"SELECT pipeline FROM {target.dataset_name}.{run_lock.TABLE}") == [("zendesk",)]


def test_a_lock_is_renewed_by_the_servers_clock(tmp_path: Path, postgres: PostgresServer) -> None:
    target = pipeline(tmp_path, server=postgres)
    seen = f"SELECT seen - since FROM {target.dataset_name}.{run_lock.TABLE}"
    with only_run(target, STREAMS):
        [(before,)] = postgres.query(seen)
        lease = run_lock._current.get()
        assert lease is not None
        lease.renew()
        [(after,)] = postgres.query(seen)
    assert before.total_seconds() == 0
    assert after > before


def test_a_run_whose_lock_was_taken_loads_nothing_more(
    tmp_path: Path, postgres: PostgresServer, account: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = pipeline(tmp_path, server=postgres)
    load(target, account, *STREAMS)
    account.mutate("update_tickets", count=5)
    handle = account.api.handle

    def taken(request: Any) -> Any:
        postgres.query(f"DELETE FROM {target.dataset_name}.{run_lock.TABLE}")
        return handle(request)

    monkeypatch.setattr(run_lock, "RENEWED_EVERY", -1.0)
    monkeypatch.setattr(run_lock.Lease, "_renew_always", lambda lease: None)
    with monkeypatch.context() as patch:
        patch.setattr(account.api, "handle", taken)
        with pytest.raises(AlreadyRunningError) as refused:
            sync(target, source(account).with_resources(*STREAMS))
    assert says("another run has taken the lock", str(refused.value))
    assert not target.has_pending_data
    load(target, account, *STREAMS)
    assert_whole(target, account, *STREAMS)


def test_a_look_makes_no_dataset(tmp_path: Path, postgres: PostgresServer) -> None:
    target = pipeline(tmp_path, server=postgres)
    with only_run(target, STREAMS, loads=False):
        [(datasets,)] = postgres.query(f"SELECT count(*) FROM pg_namespace WHERE nspname = '{target.dataset_name}'")
    assert datasets == 0


def test_without_a_run_there_is_no_lock_to_check() -> None:
    check_lock()
    assert not Holder.alive_here
