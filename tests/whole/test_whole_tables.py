"""Whole tables equal what the account holds, after every kind of change."""

from __future__ import annotations

from pathlib import Path

import pytest
from changes import LISTED, TICKET_CHANGES, TICKETS, change_all, change_lists
from support import MakePipeline, assert_whole, load, pipeline, truth, written

from zendesk_support.simulator import Simulator
from zendesk_support.streams import CATALOGUE


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
    change_all(account)
    load(target, account)
    assert_whole(target, account)
    assert written(load(target, account)) == {}


def test_the_changes_of_these_tests_touch_every_stream(account: Simulator) -> None:
    before = {name: truth(account, name) for name in CATALOGUE}
    change_all(account)
    change_lists(account)
    assert [name for name in CATALOGUE if truth(account, name) == before[name]] == []


def test_rows_created_updated_and_removed_in_any_list_arrive_with_the_next_sync(
    tmp_path: Path, account: Simulator
) -> None:
    """L15: nothing but the rows that changed is written."""
    target = pipeline(tmp_path)
    load(target, account, *LISTED)
    before = {name: truth(account, name) for name in LISTED}
    change_lists(account)
    changed = {name for name in LISTED if truth(account, name) != before[name]}
    report = load(target, account, *LISTED)
    assert_whole(target, account, *LISTED)
    assert set(written(report)) == changed
    assert written(load(target, account, *LISTED)) == {}
