"""A sync loads what it has read at every checkpoint, while its readers go on."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from dlt.pipeline.pipeline import Pipeline
from support import assert_whole, load, pipeline, source, table, truth, written

from zendesk_support import sync
from zendesk_support.loading.sync_modes import FULL, MODES
from zendesk_support.simulator import Simulator
from zendesk_support.streams import CATALOGUE

Simulate = Callable[..., Simulator]
EVERY_PAGE = 1e-9
STREAMS = ("tickets", "ticket_metrics", "ticket_events", "ticket_audits", "organization_memberships")


@pytest.fixture
def paged(simulate: Simulate) -> Simulator:
    """An account whose exports come in pages of 62 rows at most."""
    account = simulate(tickets=200, organization_memberships=250)
    account.fault("heavy_page", route="incremental_*", per_page=70, times=None)
    return account


@pytest.fixture
def barely_paged(simulate: Simulate) -> Simulator:
    """An account whose exports and lists come in three or four pages."""
    account = simulate(tickets=200, events_per_ticket=1, organization_memberships=250)
    account.fault("heavy_page", route="incremental_*", per_page=70, times=None)
    return account


def packages(target: Pipeline) -> int:
    """How many load packages the destination has."""
    with target.sql_client() as client:
        rows = client.execute_sql("SELECT count(*) FROM _dlt_loads")
    assert rows is not None
    return int(rows[0][0])


def asked(account: Simulator) -> Counter[str]:
    return Counter(request["route"] for request in account.requests() if request["route"] != "oauth_tokens")


def test_every_table_is_whole_when_each_page_is_a_checkpoint(tmp_path: Path, account: Simulator) -> None:
    """L21."""
    target = pipeline(tmp_path)
    load(target, account, checkpoint_minutes=EVERY_PAGE)
    assert packages(target) > 1
    assert_whole(target, account)
    assert written(load(target, account, checkpoint_minutes=EVERY_PAGE)) == {}


def test_checkpoints_cost_no_request(tmp_path: Path, paged: Simulator) -> None:
    target = pipeline(tmp_path)
    load(target, paged, *STREAMS)
    at_once = asked(paged)
    paged.reset_requests()
    often = pipeline(tmp_path, "often")
    load(often, paged, *STREAMS, checkpoint_minutes=EVERY_PAGE)
    assert packages(often) > packages(target) == 1
    assert asked(paged) == at_once
    for name in STREAMS:
        assert table(often, name) == table(target, name)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("nested", ["json", "tables"])
def test_every_mode_stands_checkpoints(tmp_path: Path, barely_paged: Simulator, mode: str, nested: str) -> None:
    paged = barely_paged
    settings = {"sync_mode": mode, "nested": nested, "checkpoint_minutes": EVERY_PAGE}
    target = pipeline(tmp_path)
    first = load(target, paged, *STREAMS, **settings)
    assert packages(target) > 1
    assert written(first) == {name: len(truth(paged, name)) for name in STREAMS}
    assert [written(load(target, paged, *STREAMS, **settings))] == ([written(first)] if mode in FULL else [{}])
    with target.sql_client() as client:
        for name in STREAMS:
            rows = client.execute_sql(f"SELECT count(*) FROM {name}")
            assert rows is not None
            assert rows[0][0] == len(truth(paged, name)) * (2 if mode == "append" else 1), name


def test_rows_that_change_between_checkpoints_arrive(tmp_path: Path, paged: Simulator) -> None:
    for number in range(3, 40, 6):
        paged.on_request(number, "update_tickets", count=30)
        paged.on_request(number + 2, "update_rows", stream="organization_memberships")
    target = pipeline(tmp_path)
    for _ in range(2):
        load(target, paged, *STREAMS, checkpoint_minutes=EVERY_PAGE)
    assert_whole(target, paged, *STREAMS)


def test_a_sync_that_runs_out_of_time_goes_on_in_the_next(tmp_path: Path, paged: Simulator) -> None:
    """L21."""
    target = pipeline(tmp_path)
    report = sync(target, source(paged).with_resources(*STREAMS), max_minutes=0.004)
    assert {stream.stream for stream in report.stopped}
    assert all("max_minutes" in str(stream.message) for stream in report.stopped)
    assert report.failed == []
    for _ in range(60):
        report = sync(target, source(paged, checkpoint_minutes=EVERY_PAGE).with_resources(*STREAMS), max_minutes=0.02)
        if not report.stopped:
            break
    assert report.stopped == []
    assert_whole(target, paged, *STREAMS)


def test_a_feed_that_was_stopped_goes_on_where_it_was_and_then_reads_what_is_new(
    tmp_path: Path, simulate: Simulate
) -> None:
    """L05, L06, L21."""
    account = simulate(tickets=300, audit_logs=350)
    streams = ("ticket_audits", "audit_logs")
    target = pipeline(tmp_path)
    account.fault("status", status=400, body="{}", route="ticket_audits", nth=5, times=None)
    account.fault("status", status=400, body="{}", route="audit_logs", nth=3, times=None)
    report = sync(target, source(account).with_resources(*streams))
    assert {stream.stream for stream in report.failed} == set(streams)
    held = len(table(target, "ticket_audits"))
    assert held == 400
    account.clear_faults()
    account.mutate("update_tickets", count=5)
    account.reset_requests()
    load(target, account, *streams)
    assert_whole(target, account, *streams)
    pages = -(-len(truth(account, "ticket_audits")) // 100)
    assert asked(account)["ticket_audits"] <= pages - held // 100 + 2
    assert written(load(target, account, *streams)) == {}


def test_an_append_of_a_feed_that_was_stopped_has_no_row_twice(tmp_path: Path, simulate: Simulate) -> None:
    """L03."""
    account = simulate(tickets=200, audit_logs=350)
    streams = ("ticket_audits", "audit_logs", "ticket_activities")
    target = pipeline(tmp_path)
    account.fault("status", status=400, body="{}", route="ticket_audits", nth=4, times=None)
    account.fault("status", status=400, body="{}", route="audit_logs", nth=3, times=None)
    sync(target, source(account, sync_mode="incremental_append").with_resources(*streams))
    account.clear_faults()
    for _ in range(2):
        load(target, account, *streams, sync_mode="incremental_append")
    with target.sql_client() as client:
        for name in streams:
            rows = client.execute_sql(f"SELECT count(*), count(DISTINCT id) FROM {name}")
            assert rows is not None
            assert list(rows[0]) == [len(truth(account, name))] * 2, name


def test_streams_that_end_at_different_checkpoints_report_once(tmp_path: Path, paged: Simulator) -> None:
    target = pipeline(tmp_path)
    load(target, paged, *STREAMS, checkpoint_minutes=EVERY_PAGE)
    with target.sql_client() as client:
        rows = client.execute_sql('SELECT stream, "rows" FROM sync_report')
    assert rows is not None
    assert dict(rows) == {name: len(truth(paged, name)) for name in STREAMS}
    assert len(rows) == len(STREAMS)
    assert set(STREAMS) < set(CATALOGUE)


def test_no_reader_outlives_a_sync_that_was_stopped(tmp_path: Path, simulate: Simulate) -> None:
    """A thread that the interpreter ends within pyarrow aborts the process."""
    account = simulate(tickets=300, users=3000)
    report = sync(pipeline(tmp_path), source(account), max_minutes=0.005)
    assert report.stopped
    assert [thread for thread in threading.enumerate() if thread.name == "zendesk-reader"] == []
