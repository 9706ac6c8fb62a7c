"""Positions come from the data, move when the rows are safe, and lose nothing at their edges."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from support import assert_whole, load, pipeline, plain, source, table, written

from zendesk_support import sync
from zendesk_support.simulator import Simulator
from zendesk_support.streams import CATALOGUE

Simulate = Callable[..., Simulator]
LATE = {
    "tickets": {"tickets", "ticket_metrics"},
    "users": {"users"},
    "organizations": {"organizations"},
    "ticket_events": {"ticket_events", "ticket_comments"},
}


@pytest.mark.parametrize("stream", LATE)
def test_a_row_that_enters_the_second_of_the_cursor_late_arrives(
    tmp_path: Path, simulate: Simulate, stream: str
) -> None:
    """L09."""
    account = simulate(tickets=30)
    target = pipeline(tmp_path)
    load(target, account, *LATE[stream])
    account.mutate("late_row", stream=stream)
    assert set(written(load(target, account, *LATE[stream]))) == LATE[stream]
    assert_whole(target, account, *LATE[stream])
    assert written(load(target, account, *LATE[stream])) == {}


def test_a_late_row_of_a_second_longer_than_a_page_arrives(tmp_path: Path, simulate: Simulate) -> None:
    """L02, L09."""
    account = simulate(tickets=1, organizations=1200)
    target = pipeline(tmp_path)
    account.mutate("update_organizations", count=1100)
    load(target, account, "organizations")
    account.mutate("late_row", stream="organizations")
    assert written(load(target, account, "organizations")) == {"organizations": 1}
    assert_whole(target, account, "organizations")


def test_rows_changed_on_a_page_already_read_arrive_with_the_next_sync(tmp_path: Path, simulate: Simulate) -> None:
    """L05, L09."""
    account = simulate(tickets=1, satisfaction_ratings=320)
    target = pipeline(tmp_path)
    account.on_request(4, "update_rows", stream="satisfaction_ratings", count=150)
    load(target, account, "satisfaction_ratings")
    load(target, account, "satisfaction_ratings")
    assert_whole(target, account, "satisfaction_ratings")
    assert written(load(target, account, "satisfaction_ratings")) == {}


@pytest.mark.parametrize(
    ("stream", "kind", "sizes"),
    [
        ("tickets", "update_tickets", {"tickets": 1200}),
        ("users", "update_users", {"tickets": 1, "users": 1500}),
        ("organizations", "update_organizations", {"tickets": 1, "organizations": 1500}),
    ],
)
def test_rows_changed_while_an_export_is_read_arrive(
    tmp_path: Path, simulate: Simulate, stream: str, kind: str, sizes: dict[str, int]
) -> None:
    """L05."""
    account = simulate(**sizes)
    target = pipeline(tmp_path)
    account.on_request(3, kind, count=40)
    load(target, account, stream)
    load(target, account, stream)
    assert_whole(target, account, stream)
    assert written(load(target, account, stream)) == {}


def test_a_failure_within_an_unordered_list_leaves_its_position(tmp_path: Path, simulate: Simulate) -> None:
    """L06."""
    account = simulate(tickets=1, satisfaction_ratings=320)
    target = pipeline(tmp_path)
    account.fault("status", route="satisfaction_ratings", nth=3, times=None, status=400)
    report = sync(target, source(account).with_resources("satisfaction_ratings"))
    assert [stream.stream for stream in report.failed] == ["satisfaction_ratings"]
    assert report.streams["satisfaction_ratings"].cursor == "2015-01-01T00:00:00+00:00"
    account.clear_faults()
    load(target, account, "satisfaction_ratings")
    assert_whole(target, account, "satisfaction_ratings")


@pytest.mark.parametrize("kind", ["truncated_json", "empty", "html"])
def test_a_body_that_cannot_be_read_moves_no_position(tmp_path: Path, simulate: Simulate, kind: str) -> None:
    """L38."""
    account = simulate(tickets=1, organizations=1500)
    target = pipeline(tmp_path)
    account.fault(kind, route="incremental_organizations", nth=2, times=None)
    report = sync(target, source(account, retry_deadline=5).with_resources("organizations"))
    assert [stream.stream for stream in report.failed] == ["organizations"]
    assert len(table(target, "organizations")) == 1000
    account.clear_faults()
    assert written(load(target, account, "organizations")) == {"organizations": 500}
    assert_whole(target, account, "organizations")


def test_an_export_that_failed_goes_on_at_its_last_page(tmp_path: Path, simulate: Simulate) -> None:
    """L21."""
    account = simulate(tickets=1, users=2500)
    target = pipeline(tmp_path)
    account.fault("status", route="incremental_users_cursor", nth=3, times=None, status=400)
    sync(target, source(account).with_resources("users"))
    account.clear_faults()
    assert written(load(target, account, "users")) == {"users": 500}
    assert_whole(target, account, "users")


def test_a_position_is_the_time_of_the_newest_row(tmp_path: Path, simulate: Simulate) -> None:
    """L05."""
    target = pipeline(tmp_path)
    streams = ("tickets", "users", "organizations", "ticket_events", "satisfaction_ratings")
    report = load(target, simulate(tickets=30), *streams)
    newest = {name: max(row[CATALOGUE[name].cursor or ""] for row in table(target, name).values()) for name in streams}
    reached = {name: datetime.fromisoformat(report.streams[name].cursor or "") for name in streams}
    assert {
        name: int(at.timestamp())
        if CATALOGUE[name].columns[CATALOGUE[name].cursor or ""] == "bigint"
        else plain(at, None)
        for name, at in reached.items()
    } == newest
