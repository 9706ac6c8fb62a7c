"""What may happen while a first load reads back through older time: the tables are whole in the end."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from backfills import NEWEST, answer_again, in_short_pages
from dlt.pipeline.pipeline import Pipeline
from support import (
    MakePipeline,
    assert_rows,
    assert_whole,
    facts,
    load,
    pipeline,
    rows,
    rows_of,
    source,
    standing,
    written,
)

from zendesk_support import sync, sync_every
from zendesk_support.reading import shown_pass
from zendesk_support.reading.windows import OLDER
from zendesk_support.simulator import Simulator

STREAMS = ("tickets", "ticket_metrics", "ticket_comments")


@pytest.fixture
def account(simulate: Callable[..., Simulator]) -> Simulator:
    """An account of a year and a half, in pages of 50 rows."""
    return in_short_pages(simulate(tickets=200))


def begin(target: Pipeline, account: Simulator, *streams: str, nth: int = 12, **settings: Any) -> None:
    """A sync in which Zendesk answers neither of two exports from the nth request of each on."""
    for route in ("incremental_tickets_cursor", "incremental_ticket_events"):
        account.fault("status", route=route, status=500, nth=nth, times=None)
    sync(target, source(account, **{**NEWEST, "retry_deadline": 300, **settings}).with_resources(*streams))
    answer_again(account)
    assert is_under_way(target, streams[0])


def is_under_way(target: Pipeline, name: str) -> bool:
    return OLDER in target.state["sources"]["zendesk_support"]["resources"][name]["positions"]["rows"]


def oldest(account: Simulator, count: int) -> list[int]:
    """Tickets of windows that are read last."""
    by_age = sorted(account.truth("tickets"), key=lambda row: row["generated_timestamp"])
    return [row["id"] for row in by_age if row["status"] not in ("deleted", "closed")][:count]


def test_changes_between_windows_reach_every_kind_of_database(make_pipeline: MakePipeline, account: Simulator) -> None:
    """In DuckDB with child tables."""
    target = make_pipeline()
    kind = str(target.destination.destination_name)
    settings = {**NEWEST, "nested": "tables"} if kind == "duckdb" else NEWEST
    begin(target, account, *STREAMS, **settings)
    moved, deleted, scrubbed = (oldest(account, 6)[start : start + 2] for start in (0, 2, 4))
    account.mutate("update_tickets", ids=moved)
    account.mutate("delete_tickets", ids=[*deleted, *scrubbed])
    account.mutate("scrub_tickets", ids=scrubbed)
    account.mutate("redact_comments", count=2)
    for _ in range(2):
        load(target, account, *STREAMS, **settings)
    assert not is_under_way(target, "tickets")
    assert_whole(target, account, *STREAMS)


def test_a_process_that_keeps_syncing_reads_back_and_what_is_new(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    built = source(account, **NEWEST, streams={name: {"every": "1s"} for name in STREAMS})
    for number in range(12, 40, 5):
        account.on_request(number, "update_tickets", count=3)
    with closing(sync_every(target, built.with_resources(*STREAMS), "10m")) as passes:
        for report in passes:
            assert report.failed == []
            if not any(told.rows for told in report.streams.values()) and len(report.streams) == len(STREAMS):
                break
        assert not is_under_way(target, "tickets")
        assert_whole(target, account, *STREAMS)
        account.mutate("update_tickets", count=2)
        account.advance(120)
        for _ in range(3):
            next(passes)
    assert_whole(target, account, *STREAMS)


def test_a_ticket_that_moves_to_the_front_twice_comes_at_its_last_version(tmp_path: Path, account: Simulator) -> None:
    target, ids = pipeline(tmp_path), oldest(account, 2)
    begin(target, account, "tickets", sync_mode="incremental_append")
    account.mutate("update_tickets", ids=ids)
    begin(target, account, "tickets", nth=8, sync_mode="incremental_append")
    account.mutate("update_tickets", ids=ids)
    load(target, account, "tickets", sync_mode="incremental_append", **NEWEST)
    listed = rows(target, "tickets")
    assert_rows(target, account, {"tickets": standing("tickets", listed)})
    versions = [(row["id"], row["generated_timestamp"]) for row in listed]
    assert len(versions) == len(set(versions))
    assert all(sum(id == each for each, _ in versions) == 2 for id in ids)


def test_a_bounded_run_in_between_leaves_the_backfill_alone(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    begin(target, account, "tickets")
    load(target, account, "tickets", end_date="2026-09-01", **NEWEST)
    assert is_under_way(target, "tickets")
    load(target, account, "tickets", **NEWEST)
    assert_whole(target, account, "tickets")


@pytest.mark.parametrize("later", ["2015-01-01", "2026-10-01"])
def test_another_start_goes_for_what_is_begun_later(tmp_path: Path, account: Simulator, later: str) -> None:
    """As with dlt's incremental: the start of the first load is kept."""
    target, start = pipeline(tmp_path), datetime(2026, 1, 1, tzinfo=timezone.utc)
    begin(target, account, "tickets", nth=9, start_date="2026-01-01")
    load(target, account, "tickets", start_date=later, **NEWEST)
    assert {(row["id"],) for row in rows(target, "tickets")} == facts(account, "tickets", int(start.timestamp()))


def test_a_load_that_began_with_the_oldest_goes_on_as_it_began(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    account.fault("status", route="incremental_*", status=500, nth=9, times=None)
    sync(target, source(account, retry_deadline=300).with_resources("tickets"))
    account.clear_faults()
    load(target, account, "tickets", **NEWEST)
    assert not is_under_way(target, "tickets")
    assert_whole(target, account, "tickets")


def test_a_full_refresh_begins_anew(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    begin(target, account, *STREAMS)
    sync(target, source(account, **NEWEST).with_resources(*STREAMS), full_refresh=True)
    assert not is_under_way(target, "tickets")
    assert_whole(target, account, *STREAMS)


def test_streams_of_one_export_that_began_at_different_times(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    begin(target, account, "tickets")
    account.mutate("update_tickets", count=5)
    begin(target, account, "ticket_metrics", newest_days=45)
    account.mutate("update_tickets", ids=oldest(account, 4))
    load(target, account, *STREAMS, "ticket_tags", **NEWEST)
    load(target, account, *STREAMS, "ticket_tags", **NEWEST)
    assert_whole(target, account, *STREAMS, "ticket_tags")


def test_what_is_too_far_behind_an_export_reads_its_windows_by_itself(
    tmp_path: Path, account: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shown_pass, "MOST_WAITING", 0)
    target, streams = pipeline(tmp_path), ("tickets", "ticket_audits", "conversation_log_events")
    settings = {**NEWEST, "ticket_audits": "per_ticket"}
    load(target, account, *streams, **settings)
    assert_whole(target, account, *streams)
    assert written(load(target, account, *streams, **settings)) == {}


def test_deleted_tickets_are_marked_whichever_window_they_were_of(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    begin(target, account, *STREAMS, deletes="mark")
    ids = oldest(account, 4)
    account.mutate("delete_tickets", ids=ids)
    account.mutate("scrub_tickets", ids=ids[:2])
    for _ in range(2):
        load(target, account, *STREAMS, deletes="mark", **NEWEST)
    assert_rows(target, account, {name: standing(name, found) for name, found in rows_of(target, *STREAMS).items()})
