"""What tickets list as rows of their own, and what hangs on them by a request each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import assert_whole, load, pipeline, rows, standing, table, truth, written

from zendesk_support.reading import below
from zendesk_support.simulator import Simulator

Simulate = Callable[..., Simulator]
LISTED = ("ticket_tags", "ticket_collaborators")
BELOW = {
    "side_conversations": ("reply_side_conversations", "side_conversations"),
    "conversation_log_events": ("write_messages", "conversation_log"),
}


def test_a_tag_that_is_taken_off_while_a_sync_reads_goes_with_the_next(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=1200)
    target = pipeline(tmp_path)
    account.on_request(3, "update_tickets", count=200)
    load(target, account, *LISTED)
    load(target, account, *LISTED)
    assert_whole(target, account, *LISTED)
    assert written(load(target, account, *LISTED)) == {}


def test_of_two_versions_in_one_load_the_newer_one_counts(tmp_path: Path, simulate: Simulate) -> None:
    """Where both stay in the table, none of the newer one's tags is taken for one of the older."""
    account = simulate(tickets=1200)
    target, name = pipeline(tmp_path), "ticket_tags"
    account.on_request(3, "system_update_tickets", count=400)
    load(target, account, name, sync_mode="incremental_append")
    assert written(load(target, account, name, sync_mode="incremental_append")) == {}


@pytest.mark.parametrize("mode", ["incremental", "overwrite", "append", "incremental_append", "history"])
def test_what_tickets_list_in_every_mode(tmp_path: Path, simulate: Simulate, mode: str) -> None:
    account = simulate(tickets=30)
    target = pipeline(tmp_path)
    load(target, account, *LISTED, sync_mode=mode)
    first = {name: len(truth(account, name)) for name in LISTED}
    account.mutate("update_tickets", count=12)
    account.mutate("delete_tickets", count=3)
    load(target, account, *LISTED, sync_mode=mode)
    for name in LISTED:
        found, expected = rows(target, name), truth(account, name)
        if mode == "append":
            assert len(found) == first[name] + len(expected)
            continue
        if mode == "history":
            found = [row for row in found if "_dlt_valid_to" not in row]
        assert len(standing(name, found)) == len(expected), name
        if mode in ("incremental", "overwrite"):
            assert_whole(target, account, name)


@pytest.mark.parametrize("streams", [("ticket_fields", "ticket_field_options"), ("ticket_field_options",)])
def test_options_of_ticket_fields_cost_no_request_beside_the_fields(
    tmp_path: Path, simulate: Simulate, streams: tuple[str, ...]
) -> None:
    account = simulate(tickets=5)
    load(pipeline(tmp_path), account, *streams)
    lists = [request for request in account.requests() if request["path"] == "/api/v2/ticket_fields"]
    assert len(lists) == 1


@pytest.mark.parametrize("name", BELOW)
def test_a_ticket_that_is_refused_costs_no_other_and_only_one_that_is_there_is_asked_again(
    tmp_path: Path, simulate: Simulate, name: str
) -> None:
    account = simulate(tickets=80)
    target = pipeline(tmp_path)
    path = BELOW[name][1]
    expected = truth(account, name)
    refused, gone, *_ = sorted({row["ticket_id"] for row in expected.values()})
    shut: dict[str, Any] = {"body": "", "content_type": "text/html"}
    account.fault("status", route=f"/api/v2/tickets/{refused}/{path}", times=None, status=403, **shut)
    account.fault("status", route=f"/api/v2/tickets/{gone}/{path}", times=None, status=404)
    report = load(target, account, name)
    assert f"{refused}" in (report.streams[name].message or "")
    assert set(table(target, name)) == {key for key, row in expected.items() if row["ticket_id"] not in (refused, gone)}
    account.clear_faults()
    account.reset_requests()
    load(target, account, name)
    asked = {request["path"] for request in account.requests()}
    assert not asked & {f"/api/v2/tickets/{ticket}/{path}" for ticket in (refused, gone)}
    account.advance(86_400)
    load(target, account, name)
    asked = {request["path"] for request in account.requests()}
    assert f"/api/v2/tickets/{refused}/{path}" in asked
    assert f"/api/v2/tickets/{gone}/{path}" not in asked
    assert set(table(target, name)) == {key for key, row in expected.items() if row["ticket_id"] != gone}


@pytest.mark.parametrize("name", BELOW)
def test_only_what_differs_below_a_ticket_is_written(tmp_path: Path, simulate: Simulate, name: str) -> None:
    account = simulate(tickets=80)
    target = pipeline(tmp_path)
    load(target, account, name)
    before = truth(account, name)
    account.mutate(BELOW[name][0], count=2)
    after = truth(account, name)
    differing = [key for key, row in after.items() if before.get(key) != row]
    assert written(load(target, account, name)) == {name: len(differing)}
    assert_whole(target, account, name)
    assert written(load(target, account, name)) == {}


@pytest.mark.parametrize("name", BELOW)
def test_what_is_refused_for_every_ticket_is_unavailable_and_comes_once_it_is_allowed(
    tmp_path: Path, simulate: Simulate, name: str
) -> None:
    account = simulate(tickets=400)
    target = pipeline(tmp_path)
    account.fault("status", route=f"/api/v2/tickets/*/{BELOW[name][1]}", times=None, status=403)
    assert load(target, account, name).streams[name].status == "unavailable"
    account.clear_faults()
    load(target, account, name)
    assert_whole(target, account, name)


def test_many_refused_tickets_wedge_nothing_and_none_is_lost(
    tmp_path: Path, simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(below, "MOST_REFUSED", 2)
    monkeypatch.setattr(below, "SEVERAL", 1000)
    account = simulate(tickets=80)
    target = pipeline(tmp_path)
    account.fault("status", route="/api/v2/tickets/*/conversation_log", times=None, status=403)
    report = load(target, account, "conversation_log_events")
    assert "asks again" in (report.streams["conversation_log_events"].message or "")
    account.mutate("write_messages", count=2)
    account.clear_faults()
    account.advance(86_400)
    load(target, account, "conversation_log_events")
    assert_whole(target, account, "conversation_log_events")
