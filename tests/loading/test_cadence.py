"""A stream with a cadence is read when its time has come, and costs nothing before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support import SCALE, assert_whole, load, pipeline, source, written

from zendesk_support import sync
from zendesk_support.loading import cadence
from zendesk_support.loading.cadence import with_defaults
from zendesk_support.report import now
from zendesk_support.settings import duration, spelled
from zendesk_support.simulator import Simulator
from zendesk_support.streams import CATALOGUE
from zendesk_support.streams.selection import default_streams

Later = Callable[..., None]


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """Lets time of the account's clock pass for what decides whether a stream is due."""

    def pass_by(**by: float) -> None:
        passed = timedelta(**by) / SCALE
        monkeypatch.setattr(cadence, "now", lambda: now() + passed)

    return pass_by


def every(**by_stream: str) -> Any:
    return {name: {"every": text} for name, text in by_stream.items()}


def statuses(report: Any) -> dict[str, str]:
    return {name: told.status for name, told in report.streams.items()}


def asked(account: Simulator) -> Counter[str]:
    return Counter(request["route"] for request in account.requests() if request["route"] != "oauth_tokens")


def test_a_stream_that_is_not_due_costs_no_request(tmp_path: Path, account: Simulator, later: Later) -> None:
    target = pipeline(tmp_path)
    settings = {"streams": every(macros="100d")}
    assert statuses(load(target, account, "macros", "groups", **settings)) == {"macros": "loaded", "groups": "loaded"}
    account.reset_requests()
    again = load(target, account, "macros", "groups", **settings)
    assert statuses(again) == {"macros": "not due", "groups": "loaded"}
    assert again.streams["macros"].message == "read every 100d"
    assert asked(account) == {"groups": 1}
    later(days=99)
    assert statuses(load(target, account, "macros", "groups", **settings)) == {"macros": "loaded", "groups": "loaded"}


def test_where_no_stream_is_due_nothing_is_asked_or_loaded(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    settings = {"streams": every(macros="100d")}
    load(target, account, "macros", **settings)
    account.reset_requests()
    before = target.list_completed_load_packages(), target.state["_state_version"]
    assert statuses(load(target, account, "macros", **settings)) == {"macros": "not due"}
    assert (target.list_completed_load_packages(), target.state["_state_version"]) == before
    assert account.requests() == []


def test_a_job_that_begins_early_finds_its_stream_due(tmp_path: Path, account: Simulator, later: Later) -> None:
    target = pipeline(tmp_path)
    settings = {"streams": every(macros="100d")}
    load(target, account, "macros", **settings)
    later(days=90)
    assert statuses(load(target, account, "macros", **settings)) == {"macros": "not due"}
    later(days=95.5)
    assert statuses(load(target, account, "macros", **settings)) == {"macros": "loaded"}


def test_a_stream_that_is_asked_for_is_due(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    built = source(account, streams=every(macros="100d", groups="100d")).with_resources("macros", "groups")
    for _ in range(2):
        report = sync(target, built, due=["macros"])
    assert statuses(report) == {"macros": "loaded", "groups": "not due"}
    assert statuses(sync(target, built, full_refresh=True)) == {"macros": "loaded", "groups": "loaded"}
    bounded = source(account, streams=every(macros="100d"), end_date="2026-01-01").with_resources("macros")
    assert statuses(sync(target, bounded)) == {"macros": "loaded"}


def test_a_stream_that_failed_is_due_at_once(tmp_path: Path, account: Simulator, later: Later) -> None:
    target = pipeline(tmp_path)
    built = source(account, streams=every(macros="100d")).with_resources("macros", "groups")
    sync(target, built)
    later(days=100)
    account.fault("status", status=400, body="{}", route="macros", times=1)
    assert statuses(sync(target, built)) == {"macros": "failed", "groups": "loaded"}
    assert statuses(sync(target, built)) == {"macros": "loaded", "groups": "loaded"}


def test_a_stream_whose_table_was_dropped_is_due(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    built = source(account, streams=every(groups="100d")).with_resources("groups")
    sync(target, built)
    with target.sql_client() as client:
        client.execute_sql("DROP TABLE groups")
    assert statuses(sync(target, built)) == {"groups": "loaded"}
    assert_whole(target, account, "groups")


@pytest.mark.parametrize("mode", ["overwrite", "history", "incremental_append"])
def test_a_cadence_holds_in_every_mode(tmp_path: Path, account: Simulator, mode: str) -> None:
    target = pipeline(tmp_path)
    settings = {"streams": every(tickets="100d"), "sync_mode": mode}
    load(target, account, "tickets", "groups", **settings)
    again = load(target, account, "tickets", "groups", **settings)
    assert statuses(again) == {"tickets": "not due", "groups": "loaded"}


@pytest.mark.parametrize(
    "rare",
    [
        (*("articles", "posts", "sections", "categories", "topics"), *("tickets", "ticket_events")),
        (
            *("article_comments", "article_comment_votes", "post_comments"),
            *("schedules", "ticket_forms", "ticket_fields", "brands", "users"),
        ),
    ],
    ids=lambda names: names[0],
)
def test_what_hangs_below_or_beside_a_stream_that_is_not_due_is_read_all_the_same(
    tmp_path: Path, account: Simulator, rare: tuple[str, ...]
) -> None:
    """Parents, lists that hold others, and exports that feed several streams."""
    target = pipeline(tmp_path)
    settings = {"streams": every(**dict.fromkeys(rare, "100d"))}
    load(target, account, **settings)
    account.mutate("update_tickets", count=3)
    for name in ("article_comments", "article_votes", "schedule_holidays", "ticket_field_options"):
        account.mutate("update_rows", stream=name, count=2)
    again = load(target, account, **settings)
    assert {name for name, status in statuses(again).items() if status == "not due"} == set(rare)
    assert_whole(target, account, *(name for name in CATALOGUE if name not in rare))
    load(target, account)
    assert_whole(target, account)


def test_a_stream_whose_time_comes_has_missed_nothing(tmp_path: Path, account: Simulator, later: Later) -> None:
    target = pipeline(tmp_path)
    streams = ("tickets", "ticket_metrics", "ticket_comments", "ticket_events")
    settings = {"streams": every(ticket_metrics="100d", ticket_comments="100d")}
    load(target, account, *streams, **settings)
    account.mutate("update_tickets", count=5)
    assert set(written(load(target, account, *streams, **settings))) == {"tickets", "ticket_events"}
    later(days=101)
    load(target, account, *streams, **settings)
    assert_whole(target, account, *streams)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("15m", 900), ("1h30m", 5400), ("1d", 86400), (" 1D12h ", 129600), ("0.5h", 1800)],
)
def test_a_duration_is_read_and_spelled(text: str, seconds: float) -> None:
    assert duration("every", text) == seconds
    assert duration("every", spelled(seconds)) == seconds


def test_what_costs_most_is_read_rarely_by_default() -> None:
    """A pass every minute sends an export's requests; lists come every quarter of an hour, fan-outs once a day."""
    seconds = with_defaults({"macros": 60.0})
    assert seconds["macros"] == 60
    assert (seconds["groups"], seconds["organization_memberships"], seconds["article_comments"]) == (900, 3600, 86400)
    assert seconds["organizations"] == 300  # an export: they leave half of its limit to others
    always = {name for name in default_streams() if name not in seconds}
    assert {"tickets", "ticket_metrics", "ticket_comments", "users", "audit_logs"} <= always
    assert not any(CATALOGUE[name].feeds[0].endpoint.snapshot for name in always)
