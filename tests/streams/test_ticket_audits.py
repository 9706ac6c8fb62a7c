"""Audits, by the feed and ticket by ticket."""

from __future__ import annotations

from pathlib import Path

from support import load, pipeline, table, written

from zendesk_support.simulator import Simulator


def by_id(rows: list[dict]) -> dict[int, dict]:
    return {row["id"]: row for row in rows}


def found(target, name: str = "ticket_audits") -> dict[int, dict]:
    return {key[0]: row for key, row in table(target, name).items()}


def without_nulls(row: dict) -> dict:
    return {column: value for column, value in row.items() if value is not None}


def test_the_feed_has_audits_of_all_tickets_that_are_not_archived(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    load(target, account, "ticket_audits")
    assert found(target) == {id: without_nulls(row) for id, row in by_id(account.truth("ticket_audits")).items()}
    assert len(account.truth("ticket_audits")) < len(account.truth("ticket_audits_all"))


def test_a_sync_of_the_feed_goes_on_from_where_it_was(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    load(target, account, "ticket_audits")
    account.advance(86_400)
    account.mutate("update_tickets", count=3)
    account.reset_requests()
    assert written(load(target, account, "ticket_audits")) == {"ticket_audits": 3}
    feed = [request for request in account.requests() if request["route"] == "ticket_audits"]
    assert len(feed) == 1
    assert written(load(target, account, "ticket_audits")) == {}


def test_ticket_by_ticket_every_audit_is_read_and_only_of_changed_tickets_again(
    tmp_path: Path, account: Simulator
) -> None:
    target = pipeline(tmp_path)
    load(target, account, "ticket_audits", ticket_audits="per_ticket")
    deleted = {row["id"] for row in account.truth("tickets") if row["status"] == "deleted"}
    expected = [row for row in account.truth("ticket_audits_all") if row["ticket_id"] not in deleted]
    assert found(target) == {id: without_nulls(row) for id, row in by_id(expected).items()}
    account.reset_requests()
    assert written(load(target, account, "ticket_audits", ticket_audits="per_ticket")) == {}
    assert [request for request in account.requests() if "/audits" in request["path"]] == []
    account.mutate("update_tickets", count=2)
    account.reset_requests()
    load(target, account, "ticket_audits", ticket_audits="per_ticket")
    assert len([request for request in account.requests() if "/audits" in request["path"]]) == 2
