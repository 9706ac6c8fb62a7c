"""Loads that meet trouble: nothing is lost, nothing counts that was not loaded, and the report says what happened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from dlt.pipeline.exceptions import PipelineStepFailed
from dlt.pipeline.pipeline import Pipeline
from support import assert_whole, load, pipeline, source, table, truth, written

from zendesk_support.errors import ContractError
from zendesk_support.runner import sync
from zendesk_support.simulator import Simulator

EXPORT = "incremental_tickets_cursor"
AFTERWARDS = ("truncated_json", "truncate", "bad_gzip", "cut_chunk")
DAMAGE = ("empty", "html", "truncated_json", "truncate", "bad_gzip", "cut_chunk", "reset")


@pytest.fixture
def paged(simulate: Callable[..., Simulator]) -> Simulator:
    """An account whose exports come in pages of 125 rows at most, and whose fields take three pages."""
    account = simulate(tickets=300, ticket_fields=240)
    account.fault("heavy_page", route="incremental_*", per_page=130, times=None)
    return account


def reports(target: Pipeline) -> list[dict[str, Any]]:
    """The `sync_report` table, oldest first."""
    query = "SELECT * FROM sync_report ORDER BY started_at, stream"
    with target.sql_client() as client, client.execute_query(query) as cursor:
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row)) for row in cursor.fetchall()]


def answers(account: Simulator, route: str) -> list[dict[str, Any]]:
    """The requests of one route."""
    return [request for request in account.requests() if request["route"] == route]


def test_damaged_answers_in_the_middle_of_a_load_cost_no_row(tmp_path: Path, paged: Simulator) -> None:
    """L24, L38."""
    for number, damage in enumerate(DAMAGE, 1):
        paged.fault(damage, route=EXPORT, nth=number if damage in AFTERWARDS else 3 + number)
        paged.fault(damage, route="ticket_fields", nth=1 + number)
    for status in (408, 500, 503):
        paged.fault("status", status=status, route="groups")
    target = pipeline(tmp_path)
    load(target, paged, "tickets", "ticket_fields", "groups")
    assert_whole(target, paged, "tickets", "ticket_fields", "groups")
    assert len(answers(paged, EXPORT)) > 3 + 3 + 3
    assert len(answers(paged, "ticket_fields")) > 3


@pytest.mark.parametrize("damage", ["empty", "truncated_json", "cut_chunk"])
def test_a_stream_that_fails_keeps_its_pages_and_goes_on_from_there(
    tmp_path: Path, paged: Simulator, damage: str
) -> None:
    """L20, L21, L38."""
    paged.fault(damage, route=EXPORT, nth=3 if damage in AFTERWARDS else 6, times=None)
    target = pipeline(tmp_path)
    selected = source(paged, retry_deadline=60).with_resources("tickets", "groups")
    report = sync(target, selected)
    assert {stream.stream: stream.status for stream in report.streams.values()} == {
        "tickets": "failed",
        "groups": "loaded",
    }
    assert_whole(target, paged, "groups")
    kept = table(target, "tickets")
    assert 0 < len(kept) < 300
    newest = max(row["generated_timestamp"] for row in kept.values())
    assert set(kept) >= {key for key, row in truth(paged, "tickets").items() if row["generated_timestamp"] < newest}
    paged.clear_faults()
    load(target, paged, "tickets", "groups")
    assert_whole(target, paged, "tickets")


def test_a_failing_stream_raises_from_a_plain_run(tmp_path: Path, account: Simulator) -> None:
    account.fault("status", status=418, route="groups", times=None)
    with pytest.raises(PipelineStepFailed) as caught:
        pipeline(tmp_path).run(source(account).with_resources("groups", "user_fields"))
    errors = [caught.value, caught.value.exception, getattr(caught.value.exception, "__cause__", None)]
    assert any(isinstance(error, ContractError) for error in errors)


def test_a_page_that_times_out_is_halved_and_the_good_size_kept(tmp_path: Path, paged: Simulator) -> None:
    """L25."""
    load(pipeline(tmp_path), paged, "tickets")
    sizes = [int(request["query"].partition("per_page=")[2].split("&")[0]) for request in answers(paged, EXPORT)]
    assert sizes == [1000, 500, 250, *[125] * (len(sizes) - 3)]
    assert len(sizes) == 3 + 3


@pytest.mark.parametrize("status", [400, 422])
def test_a_start_that_is_too_recent_means_nothing_new(tmp_path: Path, account: Simulator, status: int) -> None:
    """L26."""
    target = pipeline(tmp_path)
    load(target, account, "tickets", "ticket_events")
    account.mutate("update_tickets", count=3)
    account.fault("start_time_too_recent", route="incremental_*", status=status, times=2)
    assert written(load(target, account, "tickets", "ticket_events")) == {}
    assert set(written(load(target, account, "tickets", "ticket_events"))) == {"tickets", "ticket_events"}
    assert_whole(target, account, "tickets", "ticket_events")


def test_a_cursor_zendesk_no_longer_knows_is_made_anew(tmp_path: Path, paged: Simulator) -> None:
    """L27."""
    paged.fault("invalid_cursor", route=EXPORT, nth=5)
    target = pipeline(tmp_path)
    load(target, paged, "tickets")
    assert_whole(target, paged, "tickets")
    assert any(request["status"] == 400 for request in answers(paged, EXPORT))


@pytest.mark.parametrize("window", ["fixed", "sliding"])
def test_a_lone_client_meets_no_429_in_a_load_of_many_streams(
    tmp_path: Path, simulate: Callable[..., Simulator], window: str
) -> None:
    """L29, L30."""
    account = simulate(
        window=window, limits={"account": 40, "help_center": 30, "incremental_exports": 4}, ticket_fields=900
    )
    streams = ("tickets", "ticket_events", "organizations", "ticket_fields", "articles", "article_comments", "groups")
    target = pipeline(tmp_path)
    load(target, account, *streams)
    assert [request["path"] for request in account.requests() if request["status"] == 429] == []
    assert_whole(target, account, *streams)


def test_the_report_tells_rows_requests_and_position_of_each_stream(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    load(target, account, "tickets", "groups")
    groups, tickets = sorted(reports(target), key=lambda report: str(report["stream"]))
    assert (groups["rows"], tickets["rows"]) == (len(truth(account, "groups")), len(truth(account, "tickets")))
    assert (groups["requests"], tickets["requests"]) == (1, len(answers(account, EXPORT)))
    assert (groups["status"], groups["message"], groups["cursor"]) == ("loaded", None, None)
    newest = max(row["generated_timestamp"] for row in truth(account, "tickets").values())
    assert str(tickets["cursor"]).startswith(f"{datetime.fromtimestamp(newest, timezone.utc).isoformat()}")
    for report in (groups, tickets):
        assert report["started_at"] <= report["finished_at"]
    load(target, account, "tickets", "groups")
    assert [report["rows"] for report in reports(target)[2:]] == [0, 0]


def test_the_report_tells_why_a_stream_is_missing_and_how_long_it_waited(
    tmp_path: Path, simulate: Callable[..., Simulator]
) -> None:
    account = simulate(gates={"ticket_forms": 403})
    account.fault("status", status=418, body="no coffee", route="user_fields", times=None)
    account.fault("status_429", retry_after="40", route="groups")
    target = pipeline(tmp_path)
    sync(target, source(account).with_resources("groups", "ticket_forms", "user_fields"))
    found = {report["stream"]: report for report in reports(target)}
    assert {name: report["status"] for name, report in found.items()} == {
        "groups": "loaded",
        "ticket_forms": "unavailable",
        "user_fields": "failed",
    }
    assert found["user_fields"]["message"] == 'user_fields: Zendesk answered 418: "no coffee".'
    assert found["ticket_forms"]["message"].startswith("Zendesk refused `ticket_forms` (403: ")
    assert 39 <= found["groups"]["seconds_waited"] < 400
    assert found["groups"]["requests"] == 2
