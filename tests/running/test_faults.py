"""Loads that meet trouble: nothing is lost, nothing counts that was not loaded, and the report says what happened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from dlt.pipeline.exceptions import PipelineStepFailed
from dlt.pipeline.pipeline import Pipeline
from documented import says
from support import assert_whole, load, pipeline, source, table, truth, written

from zendesk_support.errors import ConfigurationError, ContractError
from zendesk_support.running.probe import check_streams
from zendesk_support.running.runner import sync
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


def test_a_page_size_grows_back_after_some_good_pages(tmp_path: Path, simulate: Callable[..., Simulator]) -> None:
    """L25."""
    account = simulate(tickets=1, users=2400)
    account.fault("heavy_page", route="incremental_users_cursor", per_page=130, times=3)
    target = pipeline(tmp_path)
    load(target, account, "users")
    sizes = [
        int(request["query"].partition("per_page=")[2].split("&")[0])
        for request in answers(account, "incremental_users_cursor")
    ]
    assert sizes == [1000, 500, 250, *[125] * 8, *[250] * 6]
    assert_whole(target, account, "users")


def test_metric_events_of_a_bounded_period_are_not_read_to_the_end_of_the_export(
    tmp_path: Path, simulate: Callable[..., Simulator]
) -> None:
    """L16."""
    account = simulate(tickets=600)
    end = datetime.fromtimestamp(account.now() - 300 * 86400, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    target = pipeline(tmp_path)
    load(target, account, "ticket_metric_events", end_date=end)
    asked = len(answers(account, "incremental_ticket_metric_events"))
    expected = {key for key, row in truth(account, "ticket_metric_events").items() if row["time"] < end}
    assert set(table(target, "ticket_metric_events")) == expected
    load(pipeline(tmp_path, "whole"), account, "ticket_metric_events")
    assert asked < len(answers(account, "incremental_ticket_metric_events")) - asked


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


MANY = ("groups", "user_fields", "ticket_fields", "macros", "triggers", "tags", "brands", "automations")


def test_a_storm_of_429_is_waited_out_once_by_all_streams(tmp_path: Path, account: Simulator) -> None:
    """L29."""
    account.fault("status_429", route="/api/v2/*", retry_after="30", times=4)
    target = pipeline(tmp_path)
    load(target, account, *MANY)
    assert_whole(target, account, *MANY)
    statuses = [request["status"] for request in account.requests() if request["route"] != "oauth_tokens"]
    assert (statuses.count(429), statuses.count(200)) == (4, len(MANY))


@pytest.mark.parametrize(
    ("kind", "parameters", "last"),
    [
        ("status_429", {"retry_after": "86400"}, "429: Number of allowed API requests per minute exceeded"),
        ("status_429", {"retry_after": "300"}, "429: Number of allowed API requests per minute exceeded"),
        ("slow", {"delay": 600}, "no whole answer of http://"),
    ],
    ids=["429 for a day", "429 for minutes", "no answers"],
)
def test_an_account_that_stays_away_is_given_up_by_all_streams_together(
    tmp_path: Path, account: Simulator, kind: str, parameters: dict[str, Any], last: str
) -> None:
    """L22, L24, L29. One request tries at a time, so that each stream alone would wait for its own deadline in turn."""
    account.fault(kind, route="/api/v2/*", times=None, **parameters)
    token = {"email": account.credentials["email"], "api_token": account.credentials["api_token"]}
    made = source(account, credentials=token, request_timeout=0.2)
    report = sync(pipeline(tmp_path), made.with_resources(*MANY))
    assert {stream.stream for stream in report.failed} == set(MANY)
    for stream in report.failed:
        expected = f'{stream.stream}: no usable answer within retry_deadline = 900 s; the last was "{last}'
        assert str(stream.message).startswith(expected)
    assert 1 <= len(account.requests()) <= 12


def test_an_absurd_retry_after_of_one_stream_does_not_cost_the_others(tmp_path: Path, account: Simulator) -> None:
    """L20, L22."""
    account.fault("status_429", route="groups", retry_after="86400", times=None)
    target = pipeline(tmp_path)
    report = sync(target, source(account).with_resources(*MANY))
    assert [stream.stream for stream in report.failed] == ["groups"]
    assert_whole(target, account, *MANY[1:])
    account.clear_faults()
    load(target, account, *MANY)
    assert_whole(target, account, "groups")


@pytest.mark.parametrize(
    "headers",
    [
        {"Date": None, "ratelimit-reset": "1790000000", "ratelimit-remaining": "0", "x-rate-limit-remaining": "0"},
        {"Date": "Mon, 01 Jan 2001 00:00:00 GMT", "ratelimit-reset": "-5", "ratelimit-limit": "0"},
        {"Date": "Fri, 01 Jan 2100 00:00:00 GMT", "ratelimit-reset": "soon"},
    ],
    ids=["no date, a reset in decades", "a date long past, a reset past", "a date far ahead, a reset in words"],
)
def test_headers_that_lie_neither_hang_a_sync_nor_hide_changes(
    tmp_path: Path, account: Simulator, headers: dict[str, str | None]
) -> None:
    """L05, L22, L29."""
    account.fault("headers", headers=headers, times=None)
    streams = ("satisfaction_ratings", "articles", "article_comments", "user_identities", "deleted_tickets", "groups")
    target = pipeline(tmp_path)
    load(target, account, *streams, help_center_children="changed")
    account.mutate("update_rows", stream="satisfaction_ratings", count=2)
    account.mutate("create_rows", stream="article_comments", count=2)
    account.mutate("update_articles", count=account.account.sizes["articles"])
    account.mutate("delete_tickets", count=2)
    load(target, account, *streams, help_center_children="changed")
    assert_whole(target, account, *streams)


def test_a_clock_that_goes_back_neither_hangs_a_sync_nor_moves_a_position_back(
    tmp_path: Path, account: Simulator
) -> None:
    """L05, L26. Until the account's time is past the position again, its exports have nothing new."""
    streams = ("tickets", "ticket_events", "users", "organizations", "satisfaction_ratings", "groups")
    target = pipeline(tmp_path)
    load(target, account, *streams)
    account.advance(-7200)
    account.mutate("update_groups", count=2)
    assert set(written(load(target, account, *streams))) == {"groups"}
    account.advance(7200)
    account.mutate("update_tickets", count=3)
    account.mutate("update_organizations", count=2)
    account.mutate("update_rows", stream="satisfaction_ratings", count=2)
    load(target, account, *streams)
    assert_whole(target, account, *streams)


INACTIVE = {"error": "SupportProductInactive", "description": "Support product is not active"}


def test_an_account_without_support_is_a_matter_of_settings(tmp_path: Path, account: Simulator) -> None:
    """L34. Only `/users/me` answers there."""
    for route in ("groups", "incremental_*", "brands", "articles"):
        account.fault("status", status=403, body=INACTIVE, route=route, times=None)
    account.fault("status", status=403, route="custom_roles", times=None)
    streams = ("groups", "tickets", "articles", "custom_roles")
    made = source(account).with_resources(*streams)
    with pytest.raises(ConfigurationError) as caught:
        sync(pipeline(tmp_path), made)
    assert says("the account has no active Support product", str(caught.value))
    with pytest.raises(ConfigurationError) as caught:
        check_streams(source(account).account, streams)
    assert says("the account has no active Support product", str(caught.value))


def test_a_stream_that_needs_support_is_unavailable_where_others_answer(tmp_path: Path, account: Simulator) -> None:
    account.fault("status", status=403, body=INACTIVE, route="custom_roles", times=None)
    report = sync(pipeline(tmp_path), source(account).with_resources("groups", "custom_roles"))
    assert {name: stream.status for name, stream in report.streams.items()} == {
        "groups": "loaded",
        "custom_roles": "unavailable",
    }
    assert says("the account has no active Support product", report.streams["custom_roles"].message)
    _, found = check_streams(source(account).account, ["groups", "custom_roles"])
    assert [type(error).__name__ for error in found.values()] == ["NoneType", "ProductInactiveError"]


def test_a_proxy_that_answers_every_request_with_a_page_is_named(tmp_path: Path, account: Simulator) -> None:
    """L24."""
    account.fault("html", times=None)
    token = {"email": account.credentials["email"], "api_token": account.credentials["api_token"]}
    for credentials in ({}, {"credentials": token}):
        report = sync(pipeline(tmp_path), source(account, **credentials).with_resources("groups", "tickets"))
        assert len(report.failed) == 2
        for stream in report.failed:
            assert says("a proxy or login page answers", stream.message)


def refused_below(account: Simulator, *streams: str) -> dict[str, str]:
    """What a trial says of streams, and what it has asked of each."""
    account.reset_requests()
    _, found = check_streams(source(account).account, list(streams))
    return {name: type(error).__name__ for name, error in found.items()}


@pytest.mark.parametrize(
    ("stream", "path"),
    [
        ("trigger_revisions", "/revisions"),
        ("webhook_invocations", "/invocations"),
        ("organization_merges", "/merges"),
        ("content_subscriptions", "/subscriptions"),
        ("article_comments", "/comments"),
    ],
)
def test_a_trial_asks_below_one_parent_as_well(account: Simulator, stream: str, path: str) -> None:
    handle = account.api.handle

    def refusing(request: Any) -> Any:
        reply = handle(request)
        if request.path.removesuffix(".json").endswith(path):
            reply.status = 403
        return reply

    account.api.handle = refusing  # type: ignore[method-assign]
    assert refused_below(account, stream) == {stream: "UnavailableError"}
    asked = [request["path"] for request in account.requests() if request["path"] != "/api/v2/users/me"]
    own = [found for found in asked if "/brands" not in found and "/oauth/" not in found]
    lists = 2 if stream == "content_subscriptions" else 1
    assert len(own) <= 2 * lists, own
    account.api.handle = handle  # type: ignore[method-assign]
    assert refused_below(account, stream) == {stream: "NoneType"}


def test_a_trial_is_content_with_one_of_several_lists_for_a_table(account: Simulator) -> None:
    handle = account.api.handle

    def refusing(request: Any) -> Any:
        reply = handle(request)
        if "/topics/" in request.path:
            reply.status = 403
        return reply

    account.api.handle = refusing  # type: ignore[method-assign]
    assert refused_below(account, "content_subscriptions") == {"content_subscriptions": "NoneType"}


def test_a_trial_says_nothing_of_what_hangs_below_a_list_without_rows(simulate: Callable[..., Simulator]) -> None:
    account = simulate(tickets=1, webhooks=0)
    account.fault("status", status=403, route="*invocations*", times=None)
    assert refused_below(account, "webhook_invocations") == {"webhook_invocations": "NoneType"}
