"""Rows that Zendesk deletes leave the tables, and no others."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support import assert_whole, load, pipeline, source, table, written

from zendesk_support import sync
from zendesk_support.simulator import Simulator

Simulate = Callable[..., Simulator]


def test_a_row_that_is_listed_again_comes_back(tmp_path: Path, simulate: Simulate) -> None:
    """L15."""
    account = simulate(tickets=10)
    target = pipeline(tmp_path)
    load(target, account, "groups")
    memberships = account.account.tables["group_memberships"]
    kept = {rid: memberships.get(rid) for rid in memberships.rids}
    load(target, account, "group_memberships")
    account.mutate("remove_rows", stream="group_memberships", count=3)
    load(target, account, "group_memberships")
    for rid, row in kept.items():
        if rid not in memberships:
            memberships.add(row, int(account.now()), rid)
    account.account.changed()
    assert written(load(target, account, "group_memberships")) == {"group_memberships": 3}
    assert_whole(target, account, "group_memberships")


@pytest.mark.parametrize("name", ["tags", "organization_memberships", "articles"])
def test_a_list_that_breaks_off_removes_nothing(tmp_path: Path, simulate: Simulate, name: str) -> None:
    """L15."""
    account = simulate(tickets=1, tags=250, organization_memberships=250, articles=250)
    target = pipeline(tmp_path)
    load(target, account, name)
    before = set(table(target, name))
    account.mutate("remove_rows", stream=name, count=5)
    account.fault("status", route=name, nth=2, times=None, status=400)
    report = sync(target, source(account).with_resources(name))
    assert [stream.stream for stream in report.failed] == [name]
    assert set(table(target, name)) == before
    account.clear_faults()
    assert written(load(target, account, name)) == {name: 5}
    assert_whole(target, account, name)


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("name", ["group_memberships", "articles", "article_comments"])
def test_a_list_that_zendesk_refuses_removes_nothing(
    tmp_path: Path, simulate: Simulate, name: str, status: int
) -> None:
    """L15, L20."""
    account = simulate(tickets=1)
    target = pipeline(tmp_path)
    load(target, account, name)
    account.fault("status", route=name, times=None, status=status)
    report = sync(target, source(account).with_resources(name))
    assert [stream.stream for stream in report.unavailable] == [name]
    assert_whole(target, account, name)


@pytest.mark.parametrize(
    ("stream", "column", "value"),
    [("groups", "deleted", True), ("users", "active", False)],
)
def test_rows_that_zendesk_marks_as_deleted_stay_and_say_so(
    tmp_path: Path, simulate: Simulate, stream: str, column: str, value: bool
) -> None:
    """L15."""
    account = simulate(tickets=10)
    target = pipeline(tmp_path)
    load(target, account, stream)
    gone = account.mutate("remove_rows", stream=stream, count=2)["ids"]
    load(target, account, stream)
    assert [table(target, stream)[(id,)][column] for id in gone] == [value] * 2
    assert_whole(target, account, stream)


def test_a_deleted_organization_stays_and_says_so(tmp_path: Path, simulate: Simulate) -> None:
    """L15."""
    account = simulate(tickets=1)
    target = pipeline(tmp_path)
    load(target, account, "organizations")
    gone = account.mutate("delete_organizations", count=1)["ids"]
    load(target, account, "organizations")
    assert [bool(table(target, "organizations")[(id,)].get("deleted_at")) for id in gone] == [True]


def test_what_hangs_on_a_deleted_and_then_scrubbed_ticket_goes(tmp_path: Path, simulate: Simulate) -> None:
    """L01, L15."""
    account = simulate(tickets=20)
    streams = ("tickets", "ticket_metrics", "ticket_events", "ticket_comments")
    target = pipeline(tmp_path)
    load(target, account, *streams)
    gone = set(account.mutate("delete_tickets", count=2)["ids"])
    load(target, account, *streams)
    assert {row["ticket_id"] for row in table(target, "ticket_metrics").values()} & gone == set()
    assert {row["ticket_id"] for row in table(target, "ticket_comments").values()} & gone == gone
    account.mutate("scrub_tickets", ids=sorted(gone))
    load(target, account, *streams)
    assert {row["ticket_id"] for row in table(target, "ticket_comments").values()} & gone == set()
    assert_whole(target, account, *streams)


def test_a_restored_ticket_has_its_metrics_again(tmp_path: Path, simulate: Simulate) -> None:
    """L15."""
    account = simulate(tickets=20)
    target = pipeline(tmp_path)
    load(target, account, "tickets", "ticket_metrics")
    gone = account.mutate("delete_tickets", count=2)["ids"]
    load(target, account, "tickets", "ticket_metrics")
    account.mutate("restore_tickets", ids=gone)
    load(target, account, "tickets", "ticket_metrics")
    assert_whole(target, account, "tickets", "ticket_metrics")


def test_activities_lose_the_text_of_a_redacted_comment_and_go_with_a_scrubbed_ticket(
    tmp_path: Path, simulate: Simulate
) -> None:
    """L11, L15."""
    account = simulate(tickets=10, ticket_activities=60, now=time.time() - 40 * 86_400)
    target = pipeline(tmp_path)
    load(target, account, "ticket_activities")
    account.mutate("redact_comments", count=4)
    changed = written(load(target, account, "ticket_activities"))["ticket_activities"]
    assert 0 < changed < 60
    assert_whole(target, account, "ticket_activities")
    assert written(load(target, account, "ticket_activities")) == {}
    (ticket,) = account.mutate("delete_tickets")["ids"]
    account.mutate("scrub_tickets", ids=[ticket])
    load(target, account, "ticket_activities")
    assert_whole(target, account, "ticket_activities")
    assert ticket not in {row["ticket_id"] for row in table(target, "ticket_activities").values()}


def test_an_activity_that_zendesk_no_longer_shows_loses_a_redacted_comment_too(
    tmp_path: Path, simulate: Simulate
) -> None:
    """L11, L15."""
    account = simulate(tickets=10, ticket_activities=60, now=time.time() - 40 * 86_400)
    target = pipeline(tmp_path)
    load(target, account, "ticket_activities")
    before = table(target, "ticket_activities")
    account.advance(31 * 86_400)
    redacted = set(account.mutate("redact_comments", count=4)["ids"])
    load(target, account, "ticket_activities")
    after = table(target, "ticket_activities")
    assert before.keys() == after.keys()
    changed = {key for key in after if after[key] != before[key]}
    assert changed == {key for key, row in before.items() if row["ticket_id"] in redacted}
    assert [row for key, row in after.items() if key in changed and "object" in row] == []


def test_a_redaction_that_no_request_can_follow_is_told(tmp_path: Path, simulate: Simulate) -> None:
    """Zendesk answers 404 for the comments of a deleted ticket."""
    account = simulate(tickets=20)
    target = pipeline(tmp_path)
    load(target, account, "ticket_comments", "ticket_events")
    [ticket] = account.mutate("redact_comments", count=1)["ids"]
    account.mutate("delete_tickets", ids=[ticket])
    report = load(target, account, "ticket_comments", "ticket_events")
    for stream in ("ticket_comments", "ticket_events"):
        assert f"ticket {ticket} is gone: a comment of it that was redacted" in (report.streams[stream].message or "")


def test_tickets_deleted_before_a_sync_began_are_not_remembered_in_its_state(
    tmp_path: Path, simulate: Simulate
) -> None:
    account = simulate(tickets=20, now=time.time() - 86_400)
    target = pipeline(tmp_path)
    account.mutate("delete_tickets", count=5)
    account.advance(3600)
    load(target, account, "ticket_metrics")
    position = target.state["sources"]["zendesk_support"]["resources"]["ticket_metrics"]["positions"]["rows"]["all"]
    assert "amended" not in position
    assert_whole(target, account, "ticket_metrics")


@pytest.mark.parametrize("name", ["custom_roles", "ticket_forms", "sla_policies", "schedules", "account_attributes"])
def test_a_list_declared_whole_is_followed_where_it_pages(tmp_path: Path, simulate: Simulate, name: str) -> None:
    account = simulate(tickets=1)
    target = pipeline(tmp_path)
    load(target, account, name)
    before = table(target, name)
    assert len(before) > 1
    account.fault("paged", route=name, times=None, size=1)
    assert written(load(target, account, name)) == {}
    assert table(target, name) == before
