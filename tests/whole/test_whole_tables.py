"""Whole tables equal what the account holds, after every kind of change."""

from __future__ import annotations

from pathlib import Path

from changes import LISTED, TICKET_CHANGES, TICKETS, change_all, change_lists
from support import MakePipeline, assert_whole, load, pipeline, told, truth, written

from zendesk_support.simulator import Simulator
from zendesk_support.streams import CATALOGUE

FLAGGED = {"brands", "groups"}
"""Streams whose rows are marked as deleted in Zendesk before it lists them no longer."""
ONE_ROW = {"account_settings", "chat_account"}
"""Streams of one row, which never goes."""


def test_changes_of_tickets_arrive_with_the_next_sync(tmp_path: Path, account: Simulator) -> None:
    """L01, L09, L10, L11, L15: each kind of change alone, one after the other."""
    target = pipeline(tmp_path)
    load(target, account, *TICKETS)
    for kind, parameters in TICKET_CHANGES.items():
        account.mutate(kind, **parameters)
        load(target, account, *TICKETS)
        with told(kind):
            assert_whole(target, account, *TICKETS)
            assert written(load(target, account, *TICKETS)) == {}


def test_a_first_sync_and_all_changes_together_are_loaded_whole_and_once(
    make_pipeline: MakePipeline, account: Simulator
) -> None:
    """L13, L15, L18, L31, L40."""
    target = make_pipeline()
    load(target, account)
    assert_whole(target, account)
    assert written(load(target, account)) == {}
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
    removed = [name for name in reversed(LISTED) if name not in FLAGGED | ONE_ROW]
    for name in removed:
        account.mutate("remove_rows", stream=name, count=2)
    report = load(target, account, *LISTED)
    assert {name: written(report).get(name, 0) >= 2 for name in removed} == dict.fromkeys(removed, True)
    assert_whole(target, account, *LISTED)
    assert written(load(target, account, *LISTED)) == {}
