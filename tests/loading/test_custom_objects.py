"""Records of custom objects: a position for each object, and what becomes of those that go."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dlt.pipeline.pipeline import Pipeline
from scripted import Script, chunks
from support import assert_whole, load, pipeline, rows, source, standing, table, truth, written

from zendesk_support import sync
from zendesk_support.errors import ContractError
from zendesk_support.simulator import Simulator
from zendesk_support.simulator.clock import iso
from zendesk_support.streams.custom_objects import EACH_OBJECT

Simulate = Callable[..., Simulator]
NAME = "custom_object_records"
DAY = 86_400


def positions(target: Pipeline) -> dict[str, dict[str, Any]]:
    """The position of each object."""
    (of_source,) = target.state["sources"].values()
    found: dict[str, dict[str, Any]] = of_source["resources"][NAME]["positions"]["rows"]
    return found


def records(target: Pipeline, key: str) -> set[tuple[Any, ...]]:
    """The records of an object that its table holds."""
    return {found for found in table(target, NAME) if found[0] == key}


def route(key: str) -> str:
    """The export of an object."""
    return f"/api/v2/incremental/custom_objects/{key}/cursor"


def test_each_object_has_a_position_and_a_new_one_is_read_from_its_beginning(
    tmp_path: Path, simulate: Simulate
) -> None:
    account = simulate(tickets=20)
    target = pipeline(tmp_path)
    load(target, account, NAME)
    assert set(positions(target)) == {"apartment", "service_contract", "parking_space"}
    (key,) = account.mutate("create_custom_objects")["ids"]
    account.mutate("create_custom_object_records", key=key, count=3)
    account.mutate("update_custom_object_records", count=2)
    account.mutate("delete_custom_object_records", count=2)
    load(target, account, NAME)
    assert len(records(target, key)) >= 1
    assert key in positions(target)
    assert_whole(target, account, NAME)
    assert written(load(target, account, NAME)) == {}


def test_an_object_that_is_gone_takes_its_records_and_its_position_along(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=20)
    target = pipeline(tmp_path)
    load(target, account, NAME)
    account.mutate("delete_custom_objects", key="apartment")
    load(target, account, NAME)
    assert_whole(target, account, NAME)
    assert "apartment" not in positions(target)
    account.reset_requests()
    load(target, account, NAME)
    assert not [request for request in account.requests() if request["path"] == route("apartment")]


@pytest.mark.parametrize("others", [True, False])
def test_an_object_that_goes_once_it_was_listed_is_removed_by_the_next_sync_at_the_latest(
    tmp_path: Path, simulate: Simulate, others: bool
) -> None:
    account = simulate(tickets=20)
    for key in () if others else ("service_contract", "parking_space"):
        account.mutate("delete_custom_objects", key=key)
    target = pipeline(tmp_path)
    load(target, account, NAME)
    account.reset_requests()
    account.fault("status", route=route("apartment"), times=None, status=404)
    report = load(target, account, NAME)
    assert report.streams[NAME].status == ("loaded" if others else "unavailable")
    assert "apartment" in (report.streams[NAME].message or "")
    assert_whole(target, account, NAME)
    account.clear_faults()
    account.mutate("delete_custom_objects", key="apartment")
    load(target, account, NAME)
    assert_whole(target, account, NAME)


def test_an_object_that_is_refused_keeps_its_rows_and_costs_no_other(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=20)
    target = pipeline(tmp_path)
    load(target, account, NAME)
    before, position = records(target, "apartment"), positions(target)["apartment"]
    account.mutate("update_custom_object_records", count=20)
    account.fault("status", route=route("apartment"), times=None, status=403)
    report = load(target, account, NAME)
    assert "custom_objects/apartment/cursor: refused, its rows stay" in (report.streams[NAME].message or "")
    expected = truth(account, NAME)
    assert {key: row for key, row in table(target, NAME).items() if key[0] == "service_contract"} == {
        key: row for key, row in expected.items() if key[0] == "service_contract"
    }
    assert (records(target, "apartment"), positions(target)["apartment"]) == (before, position)
    account.mutate("delete_custom_objects", key="apartment")
    load(target, account, NAME)
    assert records(target, "apartment") == before, "hidden, and not known to be gone"
    account.clear_faults()
    load(target, account, NAME)
    assert_whole(target, account, NAME)


def test_objects_that_are_all_refused_are_unavailable(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=20)
    target = pipeline(tmp_path)
    load(target, account, NAME)
    account.fault("status", route=NAME, times=None, status=403)
    report = sync(target, source(account).with_resources(NAME))
    assert report.streams[NAME].status == "unavailable"
    assert_whole(target, account, NAME)


def test_an_object_that_is_made_anew_under_its_key_loses_its_old_records(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=20)
    target = pipeline(tmp_path)
    load(target, account, NAME)
    objects = account.account.tables["custom_objects"]
    old = next(row for row in objects if row["key"] == "apartment")
    account.mutate("delete_custom_objects", key="apartment")
    objects.add({**old, "created_at": iso(int(account.now()))}, int(account.now()), objects.new_rid())
    account.account.changed()
    account.mutate("create_custom_object_records", key="apartment", count=3)
    later = iso(int(account.now()) - DAY)
    load(target, account, NAME, start_date=later)
    assert len(records(target, "apartment")) == 3
    assert_whole(target, account, NAME)
    assert written(load(target, account, NAME, start_date=later)) == {}


def test_deletions_that_zendesk_tells_of_no_longer_are_found(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=20)
    target = pipeline(tmp_path)
    load(target, account, NAME)
    account.mutate("delete_custom_object_records", count=4)
    account.advance(31 * DAY)
    load(target, account, NAME)
    assert_whole(target, account, NAME)
    assert written(load(target, account, NAME)) == {}


def test_rows_from_before_a_later_start_date_stay_when_an_object_is_read_anew(
    tmp_path: Path, simulate: Simulate
) -> None:
    account = simulate(tickets=20)
    target = pipeline(tmp_path)
    load(target, account, NAME)
    account.advance(31 * DAY)
    later = iso(int(account.now()) - 40 * DAY)
    load(target, account, NAME, start_date=later)
    assert min(row["updated_at"] for row in truth(account, NAME).values()) < later
    assert_whole(target, account, NAME)


def test_a_pass_read_anew_that_is_cut_short_moves_no_position_and_removes_nothing(
    tmp_path: Path, simulate: Simulate
) -> None:
    account = simulate(tickets=1, custom_object_records=2600)
    target = pipeline(tmp_path)
    load(target, account, NAME)
    before, held = positions(target), len(table(target, NAME))
    account.mutate("delete_custom_object_records", count=30)
    account.advance(31 * DAY)
    account.fault("status", route=route("apartment"), nth=2, times=None, status=400)
    assert sync(target, source(account).with_resources(NAME)).streams[NAME].status == "failed"
    assert positions(target) == before
    assert len(table(target, NAME)) == held
    account.clear_faults()
    load(target, account, NAME)
    assert_whole(target, account, NAME)


def test_an_export_that_was_cut_short_goes_on_and_what_was_deleted_meanwhile_goes(
    tmp_path: Path, simulate: Simulate
) -> None:
    account = simulate(tickets=1, custom_object_records=2600)
    target = pipeline(tmp_path)
    account.fault("status", route=route("apartment"), nth=2, times=None, status=400)
    sync(target, source(account).with_resources(NAME))
    assert len(table(target, NAME)) == len(records(target, "apartment")) <= 1000
    assert set(positions(target)) == {"apartment"}
    account.clear_faults()
    account.on_request(4, "delete_custom_object_records", count=60)
    load(target, account, NAME)
    load(target, account, NAME)
    assert_whole(target, account, NAME)
    assert written(load(target, account, NAME)) == {}


@pytest.mark.parametrize("mode", ["overwrite", "append", "incremental_append", "history", "mark"])
def test_removed_records_in_every_mode(tmp_path: Path, simulate: Simulate, mode: str) -> None:
    account = simulate(tickets=20)
    target = pipeline(tmp_path)
    chosen: dict[str, Any] = {"deletes": mode} if mode == "mark" else {"sync_mode": mode}
    load(target, account, NAME, **chosen)
    first = len(truth(account, NAME))
    gone = set(account.mutate("delete_custom_object_records", count=2)["ids"])
    account.mutate("update_custom_object_records", count=2)
    account.mutate("delete_custom_objects", key="service_contract")
    report = load(target, account, NAME, **chosen)
    expected, found = truth(account, NAME), rows(target, NAME)
    assert gone.isdisjoint(key[1] for key in expected)
    if mode == "append":
        assert len(found) == first + len(expected)
        return
    if mode == "history":
        found = [row for row in found if "_dlt_valid_to" not in row]
    assert {(row["custom_object_key"], row["id"]) for row in standing(NAME, found)} == set(expected)
    assert report.streams[NAME].rows == (len(expected) if mode == "overwrite" else report.streams[NAME].rows)
    if mode not in ("overwrite", "append"):
        assert written(load(target, account, NAME, **chosen)) == {}


@pytest.mark.parametrize("answer", [{}, {"meta": {}}, {"meta": {"has_more": True}}])
def test_a_page_of_records_that_does_not_say_what_follows_fails(answer: dict[str, Any]) -> None:
    def answers(path: str, params: dict[str, str]) -> dict[str, Any]:
        if path == "custom_objects":
            return {"custom_objects": [{"key": "car", "created_at": "2026-01-01T00:00:00Z"}]}
        return {"custom_object_records": [{"id": "01A", "updated_at": "2026-01-01T00:00:00Z"}], **answer}

    with pytest.raises(ContractError):
        chunks(EACH_OBJECT, Script(answers, 1_800_000_000))
