"""`nested="tables"`: dlt spreads nested values over child tables; all else is as in JSON mode."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dlt.pipeline.exceptions import PipelineStepFailed
from dlt.pipeline.pipeline import Pipeline
from support import MakePipeline, load, pipeline, source, table, truth, written

from zendesk_support import ConfigurationError, sync
from zendesk_support.simulator import Simulator

Simulate = Callable[..., Simulator]
STREAMS = ("tickets", "groups", "group_memberships", "articles")


def count(target: Pipeline, query: str) -> int:
    with target.sql_client() as client, client.execute_query(query) as cursor:
        return int(cursor.fetchall()[0][0])


def tags(target: Pipeline) -> dict[int, list[str]]:
    """Tags by ticket, from the child table."""
    query = """
        SELECT t.id, g.value FROM tickets t JOIN tickets__tags g ON g._dlt_parent_id = t._dlt_id
        ORDER BY g._dlt_list_idx
    """
    found: dict[int, list[str]] = {}
    with target.sql_client() as client, client.execute_query(query) as cursor:
        for id, value in cursor.fetchall():
            found.setdefault(id, []).append(value)
    return found


def tags_of(account: Simulator) -> dict[int, list[str]]:
    return {row["id"]: row["tags"] for row in account.truth("tickets") if row["tags"]}


def flat(target: Pipeline, account: Simulator, name: str) -> None:
    """Compare the scalar columns of a whole table with the truth."""
    expected, found = truth(account, name), table(target, name)
    assert set(found) == set(expected)
    for key, row in expected.items():
        wanted = {column: value for column, value in row.items() if not isinstance(value, list | dict)}
        assert {column: found[key].get(column) for column in wanted} == wanted, (name, key)


def positions(target: Pipeline) -> dict[str, Any]:
    resources = target.state["sources"]["zendesk_support"]["resources"]
    return {name: state for name, state in resources.items() if state}


def test_tables_and_json_hold_the_same_rows_and_the_same_state(tmp_path: Path, simulate: Simulate) -> None:
    """L13, L40."""
    account = simulate(tickets=20)
    spread, whole = pipeline(tmp_path, "spread"), pipeline(tmp_path, "whole")
    load(spread, account, *STREAMS, nested="tables")
    load(whole, account, *STREAMS)
    for name in STREAMS:
        assert set(table(spread, name)) == set(table(whole, name)), name
        flat(spread, account, name)
    assert positions(spread) == positions(whole)
    assert {"tickets__tags", "tickets__custom_fields"} <= set(spread.default_schema.tables)
    assert tags(spread) == tags_of(account)
    assert written(load(spread, account, *STREAMS, nested="tables")) == {}


def test_an_update_that_removes_tags_leaves_none_behind(make_pipeline: MakePipeline, simulate: Simulate) -> None:
    account = simulate(tickets=30)
    target = make_pipeline()
    load(target, account, "tickets", nested="tables")
    changed = account.mutate("system_update_tickets", count=10)["ids"]
    for id in changed:
        account.account.tables["tickets"].get(id)["tags"] = ["left"]
    account.account.changed()
    load(target, account, "tickets", nested="tables")
    assert tags(target) == tags_of(account)
    orphans = "SELECT count(*) FROM tickets__tags WHERE _dlt_parent_id NOT IN (SELECT _dlt_id FROM tickets)"
    assert count(target, orphans) == 0


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
    flat(target, account, name)
    for child in (child for child in target.default_schema.tables if child.startswith(f"{name}__")):
        assert (
            count(target, f"SELECT count(*) FROM {child} WHERE _dlt_parent_id NOT IN (SELECT _dlt_id FROM {name})") == 0
        )
    assert written(load(target, account, name, nested="tables")) == {}


def test_a_dimension_that_changed_is_written_alone(tmp_path: Path, simulate: Simulate) -> None:
    """L40."""
    account = simulate(tickets=5)
    target = pipeline(tmp_path)
    load(target, account, "ticket_fields", nested="tables")
    account.mutate("update_rows", stream="ticket_fields", count=1)
    assert written(load(target, account, "ticket_fields", nested="tables")) == {"ticket_fields": 1}
    flat(target, account, "ticket_fields")


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
    flat(target, account, "tickets")
    sync(target, source(account, nested=then).with_resources("groups", "tickets"), full_refresh=True)
    flat(target, account, "tickets")
