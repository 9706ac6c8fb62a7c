"""First loads that begin with what is new, and read back through older time."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from backfills import NEWEST, answer_again, in_short_pages
from chaos import MUTATIONS
from dlt.pipeline.pipeline import Pipeline
from scripted import BASE, Script
from support import (
    assert_rows,
    assert_whole,
    facts,
    load,
    pipeline,
    rows,
    rows_of,
    source,
    standing,
    truth,
    written,
)

from zendesk_support import ConfigurationError, sync, verify
from zendesk_support.api.request import Usage
from zendesk_support.reading.base import Job, Position
from zendesk_support.reading.shared import Shared
from zendesk_support.reading.windows import OLDER, Window
from zendesk_support.report import Report
from zendesk_support.settings import Settings
from zendesk_support.simulator import Simulator

OF_TICKETS = ("tickets", "ticket_metrics", "ticket_tags")
OF_EVENTS = ("ticket_events", "ticket_comments", "ticket_changes")
BELOW = ("side_conversations", "conversation_log_events")
STREAMS = (*OF_TICKETS, *OF_EVENTS, "ticket_metric_events", "side_conversation_events", "calls", *BELOW)
DAY = 86400
CHANGING = ("tickets", "ticket_metrics", "ticket_comments")


@pytest.fixture
def account(simulate: Callable[..., Simulator]) -> Simulator:
    """An account of a year and a half, in pages of 50 rows."""
    return in_short_pages(simulate(tickets=200))


def cut_short(target: Pipeline, account: Simulator, nth: int, *streams: str, **settings: Any) -> Report:
    """A sync in which Zendesk answers no export from the nth request on."""
    account.fault("status", route="incremental_*", status=500, nth=nth, times=None)
    given = {**NEWEST, "retry_deadline": 1, **settings}
    report = sync(target, source(account, **given).with_resources(*streams))
    answer_again(account)
    return report


def keys(target: Pipeline, name: str) -> set[tuple[Any, ...]]:
    return {(row["id"],) for row in rows(target, name)}


def reported(target: Pipeline) -> list[datetime | None]:
    """Since when the table was complete after each sync, as the reports say."""
    with target.sql_client() as client:
        found = client.execute_sql("SELECT complete_since FROM sync_report ORDER BY started_at")
    return [value and value.astimezone(timezone.utc) for (value,) in found or ()]


def starts(account: Simulator) -> list[int]:
    """The times that exports were asked for from."""
    asked = (parse_qs(request["query"]) for request in account.requests())
    return [int(query["start_time"][0]) for query in asked if "start_time" in query]


def positions(target: Pipeline, name: str) -> Any:
    return target.state["sources"]["zendesk_support"]["resources"][name]["positions"]["rows"]


def layout(target: Pipeline, name: str) -> int:
    return int(target.state["sources"]["zendesk_support"]["resources"][name]["layout"])


def test_tables_are_whole_and_the_next_sync_writes_nothing(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    load(target, account, *STREAMS, **NEWEST)
    assert_whole(target, account, *STREAMS)
    assert {tuple(positions(target, name)) for name in STREAMS} == {("all",)}
    assert written(load(target, account, *STREAMS, **NEWEST)) == {}


def test_the_last_days_come_first_and_reports_say_how_far_back_the_data_goes(
    tmp_path: Path, account: Simulator
) -> None:
    target, name = pipeline(tmp_path), "tickets"
    since = int(datetime.now(timezone.utc).timestamp()) - 60 * DAY
    recent = facts(account, name, since)
    pages = 1 + len(recent) // 50
    report = cut_short(target, account, 5 + pages + 1, name, newest_days=60).streams[name]  # 5 to shrink pages to 50
    assert recent <= keys(target, name) < {(row["id"],) for row in account.truth(name)}
    assert report.complete_since is not None
    assert abs(report.complete_since.timestamp() - since) < 60
    assert reported(target) == [report.complete_since]
    load(target, account, name, **NEWEST)
    assert_whole(target, account, name)
    assert reported(target) == [report.complete_since, None]


def test_a_backfill_that_was_cut_short_goes_on_after_what_is_new(tmp_path: Path, account: Simulator) -> None:
    target, name = pipeline(tmp_path), "tickets"
    cut_short(target, account, 12, name)
    at, window = positions(target, name)["all"]["at"], positions(target, name)[OLDER]["window"]
    assert "cursor" in positions(target, name)[OLDER]
    assert layout(target, name) == 3
    account.mutate("create_tickets", count=3)
    account.reset_requests()
    load(target, account, name, order="oldest")
    assert layout(target, name) == 2
    first, *later = starts(account)
    assert first == at - 600
    assert min(later) < window[0]
    assert_whole(target, account, name)


@pytest.mark.parametrize("mode", ["incremental", "incremental_append", "history"])
@pytest.mark.parametrize("part", range(2))
def test_changes_and_failures_meanwhile_lose_no_row_in_any_mode(
    tmp_path: Path, account: Simulator, mode: str, part: int
) -> None:
    target, chance = pipeline(tmp_path), random.Random(f"{mode} {part}")
    # What hangs below a ticket that is deleted before it was asked for cannot be had, in any order.
    asked = [name for name in STREAMS if name not in BELOW]
    streams = [name for name in asked if mode != "history" or name in CHANGING]
    # An event whose comment is redacted within the lookback is written as rewritten and as read again, in any order.
    rewriting = ("redact_comments", "make_comments_private") if mode == "incremental_append" else ()
    kinds = [(kind, parameters) for kind, parameters in MUTATIONS[:7] if kind not in rewriting]
    for _ in range(5):
        for number in range(1, 40, 8):
            kind, parameters = chance.choice(kinds)
            account.on_request(number, kind, **parameters)
        cut_short(target, account, chance.randrange(8, 25), *streams, sync_mode=mode)
    while written(load(target, account, *streams, sync_mode=mode, **NEWEST)):
        pass  # changes that are planned for requests to come
    listed = rows_of(target, *streams)
    assert_rows(target, account, {name: standing(name, found) for name, found in listed.items()})
    if mode == "incremental_append":
        assert len(listed["ticket_metric_events"]) == len(truth(account, "ticket_metric_events"))
        for name, version in (("tickets", "generated_timestamp"), ("ticket_events", "child_events")):
            versions = Counter((row["id"], str(row[version])) for row in listed[name])
            assert {key for key, count in versions.items() if count > 1} == set(), name


@pytest.mark.parametrize("order", ["oldest", "newest"])
@pytest.mark.parametrize(("name", "version"), [("tickets", "generated_timestamp"), ("ticket_metric_events", "id")])
def test_a_pass_cut_short_amid_the_lookback_writes_no_row_twice(
    tmp_path: Path, account: Simulator, order: str, name: str, version: str
) -> None:
    """What was loaded beyond the cut is still known."""
    target = pipeline(tmp_path)
    settings = {"sync_mode": "incremental_append", "order": order, "lookback_minutes": 1440}
    account.mutate("update_tickets", count=150)
    load(target, account, name, **settings)
    for nth in (7, 8):  # 5 to shrink pages to 50, one or two within the lookback
        report = cut_short(target, account, nth, name, **settings)
        assert [stream.stream for stream in report.failed] == [name]
    load(target, account, name, **settings)
    versions = Counter((row["id"], row[version]) for row in rows(target, name))
    assert max(versions.values()) == 1


def test_a_ticket_that_changes_before_its_window_is_read_comes_once(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    before = min(account.truth("tickets"), key=lambda row: row["generated_timestamp"])
    cut_short(target, account, 12, "tickets", sync_mode="incremental_append")
    account.mutate("update_tickets", ids=[before["id"]])
    load(target, account, "tickets", sync_mode="incremental_append", **NEWEST)
    [found] = [row for row in rows(target, "tickets") if row["id"] == before["id"]]
    assert found["generated_timestamp"] > before["generated_timestamp"]


def test_what_was_deleted_meanwhile_does_not_come_back(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    streams = (*OF_TICKETS, *OF_EVENTS)
    cut_short(target, account, 25, *streams)
    by_age = sorted(account.truth("tickets"), key=lambda row: row["generated_timestamp"])
    old = [row["id"] for row in by_age if row["status"] != "deleted"][:4]
    account.mutate("delete_tickets", ids=old)
    account.mutate("scrub_tickets", ids=old[:2])
    for _ in range(2):
        load(target, account, *streams, **NEWEST)
    assert_whole(target, account, *streams)


def test_comments_that_were_read_anew_are_not_replaced_by_older_events(tmp_path: Path, account: Simulator) -> None:
    """The last word on a redacted comment is that of its ticket, and it comes once."""
    told = account.mutate("redact_comments", count=3)
    now = int(account.now())
    target = pipeline(tmp_path)
    cut_short(target, account, 12, "ticket_comments", sync_mode="incremental_append")
    assert {id for id, _ in positions(target, "ticket_comments")[OLDER]["told"]} == set(told["ids"])
    load(target, account, "ticket_comments", sync_mode="incremental_append", **NEWEST)
    listed = rows(target, "ticket_comments")
    assert len(listed) == len(truth(account, "ticket_comments"))
    assert all(row["event_timestamp"] > now - DAY for row in listed if row["ticket_id"] in told["ids"])


@pytest.mark.parametrize("tickets", [40, 1200])
def test_events_without_a_place_in_their_export_come_once(
    tmp_path: Path, simulate: Callable[..., Simulator], tickets: int
) -> None:
    """With fewer rows in all than a page has, and with more."""
    account, target, name = simulate(tickets=tickets), pipeline(tmp_path), "ticket_metric_events"
    load(target, account, name, sync_mode="incremental_append", **NEWEST)
    listed = [row["id"] for row in rows(target, name)]
    assert len(listed) == len(set(listed)) == len(truth(account, name))


def exports_asked(account: Simulator) -> Counter[str]:
    """Answers of the exports that something is asked for below."""
    answered = (request["route"] for request in account.requests() if request["status"] == 200)
    return Counter(route for route in answered if route in ("incremental_tickets_cursor", "side_conversation_events"))


def test_what_hangs_below_an_export_follows_its_windows(tmp_path: Path, account: Simulator) -> None:
    streams = ("tickets", "side_conversation_events", "ticket_audits")
    settings = {**NEWEST, "ticket_audits": "per_ticket"}
    load(pipeline(tmp_path, "without"), account, *streams[:2], **NEWEST)
    expected = exports_asked(account)
    account.reset_requests()
    target = pipeline(tmp_path)
    load(target, account, *streams, *BELOW, **settings)
    assert exports_asked(account) == expected
    asked = Counter(path for request in account.requests() if "/audits" in (path := request["path"]))
    assert set(asked.values()) == {1}
    assert_whole(target, account, *streams, *BELOW)
    assert written(load(target, account, *streams, *BELOW, **settings)) == {}


def test_streams_that_share_a_pass_share_the_windows(tmp_path: Path, account: Simulator) -> None:
    alone, together = pipeline(tmp_path, "alone"), pipeline(tmp_path, "together")
    one = load(alone, account, "tickets", **NEWEST).streams["tickets"].requests
    report = load(together, account, *OF_TICKETS, **NEWEST)
    assert sum(report.streams[name].requests for name in OF_TICKETS) == one


def test_a_stream_that_joins_later_catches_up(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    cut_short(target, account, 14, "tickets")
    load(target, account, *OF_TICKETS, **NEWEST)
    assert_whole(target, account, *OF_TICKETS)
    assert written(load(target, account, *OF_TICKETS)) == {}


@pytest.mark.parametrize("mode", ["overwrite", "append"])
def test_modes_that_load_a_stream_only_once_it_is_whole_are_refused(
    tmp_path: Path, account: Simulator, mode: str
) -> None:
    with pytest.raises(ConfigurationError, match=f'order = "newest" is not for sync_mode = "{mode}" of tickets'):
        load(pipeline(tmp_path), account, "tickets", sync_mode=mode, **NEWEST)
    load(pipeline(tmp_path, "lists"), account, "macros", sync_mode=mode, **NEWEST)


def test_a_bounded_run_reads_its_period_as_ever(tmp_path: Path, account: Simulator) -> None:
    target, end = pipeline(tmp_path), "2026-09-01"
    load(target, account, "tickets", end_date=end, **NEWEST)
    until = int(datetime.fromisoformat(end).replace(tzinfo=timezone.utc).timestamp())
    assert keys(target, "tickets") == facts(account, "tickets", 0, until)
    assert set(starts(account)) == {1420070400}


def test_a_start_within_the_last_days_needs_no_window(tmp_path: Path, account: Simulator) -> None:
    target, start = pipeline(tmp_path), int(account.now()) - 20 * DAY
    load(target, account, "tickets", start_date=datetime.fromtimestamp(start, timezone.utc), **NEWEST)
    assert keys(target, "tickets") == facts(account, "tickets", start)


def test_an_empty_past_costs_few_requests(tmp_path: Path, account: Simulator) -> None:
    """Almost forty years without a ticket are asked for twice, where doubling windows would ask for them five times."""
    asked = []
    for order in ("oldest", "newest"):
        target = pipeline(tmp_path, order)
        load(target, account, "tickets", "ticket_events", order=order, start_date="1986-01-01")
        assert_whole(target, account, "tickets", "ticket_events")
        asked.append(len(starts(account)))
        account.reset_requests()
    assert asked[1] - asked[0] <= 26, asked


def test_what_is_new_goes_before_what_is_older_where_both_wait_for_a_limit() -> None:
    transport: Any = Script(lambda path, params: None)
    new = Job(transport, Settings(base_url=BASE, start=0), Usage(), Shared(), Position(0))
    assert new.export_priority < replace(new, until=1).export_priority


@pytest.mark.parametrize(
    ("days", "windows"),
    [
        (30, []),
        (31, [(0, 1)]),
        (100, [(0, 70)]),
        (730, [(640, 700), (520, 640), (280, 520), (0, 280)]),
        (1000, [(910, 970), (790, 910), (550, 790), (0, 550)]),
    ],
)
def test_windows_double_and_leave_no_small_rest(days: int, windows: list[tuple[int, int]]) -> None:
    found, window = [], Window.before(days - 30, 60, 0)
    while window is not None:
        found.append((window.since, window.until))
        window = window.following()
    assert found == windows


def test_a_verification_compares_what_is_complete(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    report = cut_short(target, account, 12, "tickets").streams["tickets"]
    [found] = verify(target, source(account, **NEWEST).with_resources("tickets"))
    assert found.verdict == "ok" or found.verdict == "explained", found
    assert report.complete_since is not None
    assert f"compared from {report.complete_since:%Y-%m-%d} on, where the table begins" in (found.why or "")
