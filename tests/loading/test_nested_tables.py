"""`nested="tables"`: dlt spreads nested values over child tables; all else is as in JSON mode."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from changes import LISTED, TICKET_CHANGES, TICKETS, change_all, change_lists
from dlt.pipeline.exceptions import PipelineStepFailed
from dlt.pipeline.pipeline import Pipeline
from kinds import REPRESENTATIVES
from support import (
    MakePipeline,
    assert_rows,
    assert_whole,
    by_key,
    load,
    pipeline,
    rows_of,
    source,
    standing,
    table,
    truth,
    written,
)

from zendesk_support import ConfigurationError, sync
from zendesk_support.loading.sync_modes import FULL
from zendesk_support.simulator import Simulator
from zendesk_support.streams import CATALOGUE

Simulate = Callable[..., Simulator]
STREAMS = ("tickets", "groups", "group_memberships", "articles")
NESTED = tuple(name for name, stream in CATALOGUE.items() if "json" in stream.columns.values())
TICKET_ROUNDS = (
    ("update_tickets", "system_update_tickets", "create_tickets"),
    ("delete_tickets", "redact_comments", "make_comments_private"),
    ("scrub_tickets", "bulk_update", "archive_tickets"),
)
STANDING = tuple(name for name in NESTED if name in {*REPRESENTATIVES, "macros", "triggers", "users"})
"""Nested streams of each kind, and lists with lists of objects, in which other lists are."""
REMOVING = tuple(name for name in NESTED if name in {*LISTED, "ticket_metrics"} - {"account_settings", "chat_account"})
"""Nested streams whose rows go one by one; settings, and the account of Chat, are one row that stays."""


def positions(target: Pipeline) -> dict[str, Any]:
    resources = target.state["sources"]["zendesk_support"]["resources"]
    return {name: state for name, state in resources.items() if state}


def test_tables_and_json_hold_the_same_rows_and_the_same_state(tmp_path: Path, simulate: Simulate) -> None:
    """L13, L40."""
    account = simulate(tickets=20)
    spread, whole = pipeline(tmp_path, "spread"), pipeline(tmp_path, "whole")
    load(spread, account, *STREAMS, nested="tables")
    load(whole, account, *STREAMS)
    assert_whole(spread, account, *STREAMS)
    assert_whole(whole, account, *STREAMS)
    assert positions(spread) == positions(whole)
    assert {"tickets__tags", "tickets__custom_fields"} <= set(spread.default_schema.tables)
    assert written(load(spread, account, *STREAMS, nested="tables")) == {}


def test_every_table_is_whole_after_the_first_sync_and_after_changes(tmp_path: Path, simulate: Simulate) -> None:
    """L13, L15, L18, L40."""
    account = simulate(tickets=20)
    target = pipeline(tmp_path)
    load(target, account, nested="tables")
    assert_whole(target, account)
    for change in (change_all, change_lists):  # apart, lest a vote comes as another goes
        change(account)
        load(target, account, nested="tables")
        assert_whole(target, account)
    assert written(load(target, account, nested="tables")) == {}


def test_changes_of_tickets_reach_their_child_tables(tmp_path: Path, simulate: Simulate) -> None:
    """L01, L09, L10, L11, L15, L41."""
    account = simulate(tickets=20)
    target = pipeline(tmp_path)
    load(target, account, *TICKETS, nested="tables")
    for kinds in TICKET_ROUNDS:
        for kind in kinds:
            account.mutate(kind, **TICKET_CHANGES[kind])
        load(target, account, *TICKETS, nested="tables")
        assert_whole(target, account, *TICKETS)
    assert written(load(target, account, *TICKETS, nested="tables")) == {}


def test_a_redaction_reaches_child_tables_and_is_written_once(tmp_path: Path, simulate: Simulate) -> None:
    """L11."""
    account = simulate(tickets=20)
    target = pipeline(tmp_path)
    streams = ("ticket_events", "ticket_comments", "ticket_audits")
    load(target, account, *streams, nested="tables")
    account.mutate("redact_comments", count=2)
    changed = written(load(target, account, *streams, nested="tables"))
    assert (changed["ticket_events"], changed["ticket_audits"]) == (4, 4)
    assert_whole(target, account, *streams)
    assert written(load(target, account, *streams, nested="tables")) == {}


def test_an_update_that_removes_tags_leaves_none_behind(make_pipeline: MakePipeline, simulate: Simulate) -> None:
    account = simulate(tickets=30)
    target = make_pipeline()
    load(target, account, "tickets", nested="tables")
    changed = account.mutate("system_update_tickets", count=10)["ids"]
    for id in changed:
        account.account.tables["tickets"].get(id)["tags"] = ["left"]
    account.account.changed()
    load(target, account, "tickets", nested="tables")
    assert_whole(target, account, "tickets")


@pytest.mark.parametrize("name", ["articles", "ticket_metrics"])
def test_removed_rows_leave_the_tables_with_their_children(
    make_pipeline: MakePipeline, simulate: Simulate, name: str
) -> None:
    """L15."""
    account = simulate(tickets=20)
    target = make_pipeline()
    load(target, account, name, nested="tables")
    account.mutate("remove_rows", stream="tickets" if name == "ticket_metrics" else name, count=3)
    load(target, account, name, nested="tables")
    assert_whole(target, account, name)
    assert written(load(target, account, name, nested="tables")) == {}


def test_rows_that_are_only_marked_keep_their_nested_values(tmp_path: Path, simulate: Simulate) -> None:
    """L15."""
    account = simulate(tickets=20)
    target = pipeline(tmp_path)
    load(target, account, *REMOVING, nested="tables", deletes="mark")
    before = {name: by_key(name, listed) for name, listed in rows_of(target, *REMOVING).items()}
    for name in REMOVING:
        account.mutate("remove_rows", stream="tickets" if name == "ticket_metrics" else name)
    load(target, account, *REMOVING, nested="tables", deletes="mark")
    after = rows_of(target, *REMOVING)
    for name, listed in after.items():
        gone = before[name].keys() - truth(account, name).keys()
        marked = by_key(name, [row for row in listed if "_deleted_at" in row])
        assert marked == {key: before[name][key] for key in gone} != {}, name
    assert_rows(target, account, {name: standing(name, listed) for name, listed in after.items()})
    assert written(load(target, account, *REMOVING, nested="tables", deletes="mark")) == {}


@pytest.mark.parametrize("mode", ["overwrite", "append", "incremental_append", "history"])
def test_every_mode_keeps_whole_tables(tmp_path: Path, simulate: Simulate, mode: str) -> None:
    """L03, L15, L41."""
    account = simulate(tickets=20)
    target = pipeline(tmp_path)
    streams = [name for name in STANDING if mode != "history" or not CATALOGUE[name].immutable]
    load(target, account, *streams, nested="tables", sync_mode=mode)
    before = rows_of(target, *streams)
    assert_rows(target, account, before)
    change_all(account)
    change_lists(account)
    load(target, account, *streams, nested="tables", sync_mode=mode)
    after = rows_of(target, *streams)
    first = {name: {row["_dlt_load_id"] for row in listed} for name, listed in before.items()}
    for name, listed in after.items():
        kept = by_key(name, [row for row in listed if row["_dlt_load_id"] in first[name]])
        assert kept == ({} if mode == "overwrite" else by_key(name, before[name])), name
        if mode in FULL:
            after[name] = [row for row in listed if row["_dlt_load_id"] not in first[name]]
    assert_rows(target, account, {name: standing(name, listed) for name, listed in after.items()})
    if mode in ("incremental_append", "history"):
        assert written(load(target, account, *streams, nested="tables", sync_mode=mode)) == {}


def test_a_dimension_that_changed_is_written_alone(tmp_path: Path, simulate: Simulate) -> None:
    """L40."""
    account = simulate(tickets=5)
    target = pipeline(tmp_path)
    load(target, account, "ticket_fields", nested="tables")
    account.mutate("update_rows", stream="ticket_fields", count=1)
    assert written(load(target, account, "ticket_fields", nested="tables")) == {"ticket_fields": 1}
    assert_whole(target, account, "ticket_fields")


def test_a_stream_without_rows_makes_its_table(tmp_path: Path, simulate: Simulate) -> None:
    target = pipeline(tmp_path)
    load(target, simulate(tickets=5), "satisfaction_ratings", nested="tables", end_date="2015-01-02")
    assert table(target, "satisfaction_ratings") == {}


@pytest.mark.parametrize(("first", "then"), [("json", "tables"), ("tables", "json")])
def test_a_dataset_keeps_the_mode_it_began_with(tmp_path: Path, simulate: Simulate, first: str, then: str) -> None:
    account = simulate(tickets=5)
    target = pipeline(tmp_path)
    load(target, account, "tickets", "groups", nested=first)
    account.mutate("update_tickets")
    account.reset_requests()
    with pytest.raises(PipelineStepFailed) as failure:
        target.run(source(account, nested=then).with_resources("groups", "tickets"))
    error: BaseException | None = failure.value
    while error is not None and not isinstance(error, ConfigurationError):
        error = error.__cause__
    assert error is not None
    assert f'nested = "{first}"' in str(error)
    assert "--full-refresh" in str(error)
    assert account.requests() == []
    load(target, account, "tickets", "groups", nested=first)
    assert_whole(target, account, "tickets")
    sync(target, source(account, nested=then).with_resources("groups", "tickets"), full_refresh=True)
    assert_whole(target, account, "tickets")


def test_values_of_varying_types_are_texts_whatever_comes_first(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=20)
    give_values(account, True, "2024-01-01T00:00:00Z", [1, "two"], 1.5)
    target = pipeline(tmp_path)
    load(target, account, "tickets", nested="tables")
    assert_whole(target, account, "tickets")
    columns = target.default_schema.tables["tickets__custom_fields"]["columns"]
    assert {name: column["data_type"] for name, column in columns.items() if name.startswith("value")} == {
        "value": "text"
    }


def test_a_table_made_with_values_of_another_type_goes_on(
    tmp_path: Path, simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = simulate(tickets=20)
    give_values(account, True)
    target = pipeline(tmp_path)
    with monkeypatch.context() as before:
        before.setitem(CATALOGUE, "tickets", replace(CATALOGUE["tickets"], varying=()))
        load(target, account, "tickets", nested="tables")
    give_values(account, "text", False)
    load(target, account, "tickets", nested="tables")
    found = table(target, "tickets")
    assert {row["custom_fields.0.value"] for row in found.values() if "custom_fields.0.value" in row} == {"text"}


def give_values(account: Simulator, *values: Any) -> None:
    """Give every ticket custom fields with these values."""
    account.advance(120)
    tickets, at = account.account.tables["tickets"], int(account.now()) - 100
    for rid in tickets.rids:
        fields = [{"id": id, "value": value} for id, value in enumerate(values)]
        tickets.change(rid, at).update(custom_fields=fields, generated_timestamp=at)
    account.account.changed()
