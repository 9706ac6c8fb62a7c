"""Children of any list: how they are asked for, whose they are, and what a refusal means."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from scripted import Script, chunks, ids

from zendesk_support.api.request import Usage
from zendesk_support.errors import ContractError, UnavailableError
from zendesk_support.reading.base import Chunk, Endpoint, Job, Position
from zendesk_support.reading.below import Below
from zendesk_support.reading.envelopes import ONE_ANSWER, SeveralLists
from zendesk_support.reading.exports import CursorExport
from zendesk_support.reading.lists import Listing
from zendesk_support.reading.log import LogListing
from zendesk_support.reading.parents import Parent
from zendesk_support.reading.shared import Shared
from zendesk_support.reading.since import FilteredListing
from zendesk_support.reading.time_export import TimeExport
from zendesk_support.records.json_rows import page_decoder
from zendesk_support.settings import Settings
from zendesk_support.warehouse.snapshot import SnapshotDiff

SCHEDULES = Listing("schedules", "schedules", ONE_ANSWER, names=("id",))
HOLIDAYS = Below(SCHEDULES, Listing("schedules/{id}/holidays", "holidays", ONE_ANSWER), {"schedule_id": "id"})
OBJECTS = Listing("custom_objects", "custom_objects", ONE_ANSWER, names=("key",))
FIELDS = Below(
    OBJECTS,
    Listing("custom_objects/{key}/fields", "fields", ONE_ANSWER, names=("id",)),
    {"custom_object_key": "key"},
)
OPTIONS = Below(
    FIELDS,
    Listing("custom_objects/{custom_object_key}/fields/{id}/options", "options", ONE_ANSWER),
    {"custom_object_key": "custom_object_key", "field_id": "id"},
)
EVENTS = CursorExport("incremental/events", "events", time="at", names=("ticket_id",))
CONVERSATIONS = Below(
    EVENTS, Listing("tickets/{ticket_id}/conversations", "conversations", ONE_ANSWER), {"ticket_id": "ticket_id"}
)


LOADED = pa.table(
    {
        "custom_object_key": ["car", "test-drive_2"],
        "field_id": [5, 5],
        "id": [99, 98],
        "_dlt_id": ["x" * 12, "y" * 12],
    }
)
LAST = {"meta": {"has_more": False}}


def columns(found: list[Chunk], *names: str) -> list[tuple[Any, ...]]:
    """Columns of all rows."""
    return [tuple(msgspec.json.decode(row[name]) for name in names) for page in found for row in page.rows]


def account(path: str, params: dict[str, str]) -> Any:
    """Two schedules with holidays; two objects with a field each, whose options have ids of their own."""
    answers: dict[str, Any] = {
        "schedules": {"schedules": [{"id": 1, "updated_at": "1990-01-01T00:00:00Z"}, {"id": 2}]},
        "schedules/1/holidays": {"holidays": [{"id": 11}, {"id": 12}]},
        "schedules/2/holidays": {"holidays": []},
        "custom_objects": {"custom_objects": [{"key": "car"}, {"key": "test-drive_2"}]},
        "custom_objects/car/fields": {"fields": [{"id": 5, "custom_object_key": "sent by Zendesk"}]},
        "custom_objects/test-drive_2/fields": {"fields": [{"id": 5}]},
        "custom_objects/car/fields/5/options": {"options": [{"id": 51}]},
        "custom_objects/test-drive_2/fields/5/options": {"options": [{"id": 52}]},
    }
    return answers[path]


def test_children_of_a_list_carry_the_id_of_their_parent() -> None:
    script = Script(account)
    found = chunks(HOLIDAYS, script, at=10**9)
    assert columns(found, "schedule_id", "id") == [(1, 11), (1, 12)]
    assert [path for path, _ in script.asked] == ["schedules", "schedules/1/holidays", "schedules/2/holidays"]
    assert (found[-1].complete, found[-1].at) == (True, None)


def test_a_parent_may_be_named_by_a_text() -> None:
    assert columns(chunks(FIELDS, Script(account)), "custom_object_key", "id") == [
        ("sent by Zendesk", 5),
        ("test-drive_2", 5),
    ]


@pytest.mark.parametrize("key", ["../users/me", "a/b", "{id}", "", "..", None, 1.5, "ä"])
def test_a_key_that_no_path_may_hold_is_refused(key: Any) -> None:
    script = Script(lambda *_: {"custom_objects": [{"key": key}]})
    with pytest.raises(ContractError, match=r"^custom_objects: key of a row is .*, no id; nothing of its page"):
        chunks(FIELDS, script)
    assert len(script.asked) == 1


def test_what_hangs_below_a_child_is_asked_for_by_the_names_of_both() -> None:
    found = columns(chunks(OPTIONS, Script(account)), "custom_object_key", "field_id", "id")
    assert found == [("car", 5, 51), ("test-drive_2", 5, 52)]


def test_children_that_are_read_beside_their_parents_cost_the_list_once() -> None:
    script = Script(account)
    transport: Any = script
    job = Job(transport, Settings(base_url="http://127.0.0.1:1", start=0), Usage(), Shared(), Position(0))
    for endpoint in (OBJECTS, FIELDS, OPTIONS):
        endpoint.promise(job.shared)
    read = [list(endpoint.read(job)) for endpoint in (OBJECTS, FIELDS, OPTIONS)]
    assert [len(ids(found)) for found in read] == [2, 2, 2]
    assert [path for path, _ in script.asked].count("custom_objects") == 1
    assert [path for path, _ in script.asked].count("custom_objects/car/fields") == 1


def test_children_below_an_export_are_those_of_its_rows_and_stand_at_its_position() -> None:
    def answer(path: str, params: dict[str, str]) -> Any:
        if path == "incremental/events":
            events = [{"id": 1, "ticket_id": 7, "at": 5}, {"id": 2, "ticket_id": 7, "at": 6}]
            return {"events": [*events, {"id": 3, "ticket_id": 8, "at": 9}], "end_of_stream": True}
        return {"conversations": [{"id": f"of {path}"}]}

    script = Script(answer, server_time=100)
    found = chunks(CONVERSATIONS, script)
    assert [ticket for (ticket,) in columns(found, "ticket_id")] == [7, 8]
    assert len(script.asked) == 3
    assert (found[-1].at, found[-1].complete) == (9, True)


@pytest.mark.parametrize("refused", ["schedules/1/holidays", "schedules/2/holidays"])
def test_a_parent_that_is_refused_alone_costs_no_other(refused: str) -> None:
    script = Script(lambda path, params: UnavailableError("403") if path == refused else account(path, params))
    assert set(ids(chunks(HOLIDAYS, script))) == ({11, 12} if "2" in refused else set())
    assert [path for path, _ in script.asked].count(refused) == 2


def test_children_that_every_parent_refuses_are_unavailable() -> None:
    script = Script(lambda path, params: UnavailableError("403") if "/" in path else account(path, params))
    with pytest.raises(UnavailableError):
        chunks(HOLIDAYS, script)


def test_a_path_that_no_parent_can_fill_is_refused_where_it_is_declared() -> None:
    with pytest.raises(TypeError, match=r"schedules/\{key\}: key is none of what schedules hands down"):
        Below(SCHEDULES, Listing("schedules/{key}", "rows"), {"schedule_id": "id"})
    with pytest.raises(TypeError, match="hands down"):
        Below(Listing("macros", "macros"), Listing("macros/{id}/x", "rows"), {"macro_id": "id"})


@pytest.mark.parametrize("secrets", [("token", "auth.data", "headers.value"), ()], ids=["named", "not named"])
def test_a_secret_is_gone_from_a_row_before_anything_is_made_of_it(secrets: tuple[str, ...]) -> None:
    row = {
        "id": 1,
        "token": "hush",
        "auth": {"type": "basic", "data": "hush"},
        "headers": [{"name": "a", "value": "hush"}],
    }
    bare = {"id": 1, "auth": {"type": "basic"}, "headers": [{"name": "a"}]}
    found = chunks(
        Listing("webhooks", "webhooks", secrets=secrets), Script(lambda *_: {**LAST, "webhooks": [row, {"id": 2}]})
    )
    rows = [msgspec.json.decode(msgspec.json.encode(row)) for page in found for row in page.rows]
    assert rows == [bare if secrets else row, {"id": 2}]


@pytest.mark.parametrize(
    "endpoint",
    [
        Listing("rows", "rows", secrets=("token",)),
        FilteredListing("rows", "rows", time="at", secrets=("token",)),
        LogListing("rows", "rows", time="at", secrets=("token",)),
        CursorExport("rows", "rows", time="at", side="more", secrets=("token",)),
        TimeExport("rows", "rows", time="at", secrets=("token",)),
    ],
    ids=lambda endpoint: type(endpoint).__name__,
)
def test_every_kind_of_endpoint_can_have_secrets_side_loads_too(endpoint: Endpoint) -> None:
    row = {"id": 1, "at": 5, "token": "hush"}
    body = {**LAST, "rows": [row], "more": [row], "end_of_stream": True, "end_time": 5}
    found = chunks(endpoint, Script(lambda *_: body, server_time=100))
    assert ids(found) == [1]
    assert [row for page in found for row in (*page.rows, *page.side) if "token" in row] == []


def test_a_member_whose_name_has_a_dot_is_named_as_it_is() -> None:
    found = chunks(
        Listing("rows", "rows", secrets=("a.b",)), Script(lambda *_: {**LAST, "rows": [{"id": 1, "a.b": "hush"}]})
    )
    assert [[*row] for page in found for row in page.rows] == [["id"]]


def test_a_parent_keeps_no_answer_in_memory() -> None:
    body = msgspec.json.encode({"rows": [{"id": 1, "body": "x" * 1_000_000}]})
    decode = page_decoder("rows")
    tracemalloc.start()
    try:
        kept = [Parent.of(decode(bytes(bytearray(body))).rows[0], ("id",)) for _ in range(20)]
        assert tracemalloc.get_traced_memory()[0] < 1_000_000
    finally:
        tracemalloc.stop()
    assert len(kept) == 20


def test_two_refused_parents_of_one_name_are_two() -> None:
    """Ids repeat from one object to another."""
    options = replace(OPTIONS, is_long=True)
    refused = "custom_objects/test-drive_2/fields/5/options"
    diff = SnapshotDiff(LOADED, ("custom_object_key", "field_id", "id"))
    script = Script(lambda path, params: UnavailableError("403") if path == refused else account(path, params))
    found = chunks(options, script, diff=diff)
    assert columns(found, "custom_object_key", "id") == [("car", 51)]
    both = Script(lambda path, params: UnavailableError("403") if "options" in path else account(path, params))
    again = SnapshotDiff(LOADED, ("custom_object_key", "field_id", "id"))
    with pytest.raises(UnavailableError):
        chunks(options, both, diff=again)
    assert diff.gone().num_rows == 1  # the row of the other object, which is listed no more


def test_a_refused_parent_is_read_by_the_next_pass_though_it_did_not_change() -> None:
    """Where only parents that changed are read, a refused one would have to wait for its next change."""
    stamp = "2026-01-01T00:00:00Z"

    def answer(path: str, params: dict[str, str]) -> Any:
        if path == "schedules":
            return {"schedules": [{"id": 1, "updated_at": stamp}, {"id": 2, "updated_at": stamp}]}
        return {"holidays": [{"id": 10}]}

    dated = replace(HOLIDAYS, is_dated=True)
    refused = Script(lambda path, params: UnavailableError("401") if "/1/" in path else answer(path, params), 1.8e9)
    first = chunks(dated, refused, help_center_children="changed")[-1]
    assert first.saved["again"] == [1]
    script = Script(answer, 1.8e9)
    position = Position.of(first.saved, 0)
    assert ids(chunks(dated, script, position=position, help_center_children="changed")) == [10]
    assert [path for path, _ in script.asked] == ["schedules", "schedules/1/holidays"]


def test_rows_of_several_lists_in_one_answer_are_told_apart_by_a_column() -> None:
    both = SeveralLists({"conditions_all": "all", "conditions_any": "any"}, column="condition")
    body = {"definitions": {"conditions_all": [{"id": 1}], "conditions_any": [{"id": 1}, {"id": 2}]}}
    found = chunks(Listing("definitions", "definitions", both), Script(lambda *_: body))
    assert columns(found, "condition", "id") == [("all", 1), ("any", 1), ("any", 2)]
