"""Whole tables equal what the account holds, after every kind of change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support import MakePipeline, assert_whole, load, pipeline, truth, written

from zendesk_support.simulator import Simulator
from zendesk_support.streams import CATALOGUE

TICKETS = ("tickets", "ticket_metrics", "ticket_events", "ticket_comments", "ticket_audits", "ticket_skips")

TICKET_CHANGES: dict[str, dict[str, Any]] = {
    "update_tickets": {"count": 5},
    "system_update_tickets": {"count": 4},
    "create_tickets": {"count": 4},
    "delete_tickets": {"count": 3},
    "scrub_tickets": {"count": 2},
    "redact_comments": {"count": 3},
    "make_comments_private": {"count": 2},
    "bulk_update": {"count": 2500},
    "archive_tickets": {"count": 2},
}

CHANGES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("update_tickets", {"count": 3}),
    ("update_users", {"count": 4}),
    ("create_users", {"count": 2}),
    ("deactivate_users", {"count": 2}),
    ("permanently_delete_users", {}),
    ("update_organizations", {"count": 2}),
    ("delete_organizations", {}),
    ("delete_groups", {}),
    ("vote_articles", {"count": 2}),
    ("unvote_articles", {"brand": 1}),
    ("vote_posts", {"count": 2}),
    ("archive_articles", {"brand": 1}),
    ("log_audits", {}),
    ("late_row", {"stream": "organizations"}),
)

LISTED = tuple(name for name, stream in CATALOGUE.items() if stream.snapshot and not stream.keeps)


def test_a_first_sync_loads_every_table_whole_and_a_second_writes_nothing(tmp_path: Path, account: Simulator) -> None:
    """L31, L40."""
    target = pipeline(tmp_path)
    load(target, account)
    assert_whole(target, account)
    assert written(load(target, account)) == {}


@pytest.mark.parametrize("kind", TICKET_CHANGES)
def test_a_change_of_tickets_arrives_with_the_next_sync(tmp_path: Path, account: Simulator, kind: str) -> None:
    """L01, L09, L10, L11, L15."""
    target = pipeline(tmp_path)
    load(target, account, *TICKETS)
    account.mutate(kind, **TICKET_CHANGES[kind])
    load(target, account, *TICKETS)
    assert_whole(target, account, *TICKETS)
    assert written(load(target, account, *TICKETS)) == {}


def test_all_changes_together_arrive_with_the_next_sync(make_pipeline: MakePipeline, account: Simulator) -> None:
    """L13, L15, L18."""
    target = make_pipeline()
    load(target, account)
    for kind, parameters in (*CHANGES, *TICKET_CHANGES.items()):
        account.mutate(kind, **parameters)
    load(target, account)
    assert_whole(target, account)
    assert written(load(target, account)) == {}


def test_rows_created_updated_and_removed_in_any_list_arrive_with_the_next_sync(
    tmp_path: Path, account: Simulator
) -> None:
    """L15: nothing but the rows that changed is written."""
    target = pipeline(tmp_path)
    load(target, account, *LISTED)
    before = {name: truth(account, name) for name in LISTED}
    for name in LISTED:
        for kind in ("create_rows", "update_rows", "remove_rows"):
            account.mutate(kind, stream=name)
    changed = {name for name in LISTED if truth(account, name) != before[name]}
    report = load(target, account, *LISTED)
    assert_whole(target, account, *LISTED)
    assert set(written(report)) == changed
    assert written(load(target, account, *LISTED)) == {}
