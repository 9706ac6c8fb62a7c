"""Changes of tickets: one row for each field that an event has set, taken from the events at no request more."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support import assert_whole, load, pipeline, source, table, written

import zendesk_support
from zendesk_support import verify
from zendesk_support.simulator import Simulator
from zendesk_support.streams.transforms import changes, fields_of

SQL = re.compile(r"```sql\n(.*?)```", re.DOTALL)
README = Path(zendesk_support.__file__).parent.parent / "README.md"
Simulate = Callable[..., Simulator]


def undecoded(row: dict[str, Any]) -> dict[str, msgspec.Raw]:
    """A row of JSON texts."""
    return {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in row.items()}


def fields(**child: Any) -> list[tuple[Any, ...]]:
    """What a child event has set, decoded."""
    return [(name, *map(msgspec.json.decode, values)) for name, *values in fields_of(undecoded(child))]


ABOUT = {
    "id": 1,
    "via": "Web form",
    "via_reference_id": None,
    "event_type": "Change",
    "created_at": "2026-01-01T00:00:00Z",
}


@pytest.mark.parametrize(
    ("child", "expected"),
    [
        ({"status": "open", "previous_value": "new"}, [("status", "open", "new")]),
        ({"type": "incident", "previous_value": "0"}, [("type", "incident", "0")]),
        ({"priority": None}, [("priority", None, None)]),
        ({"tags": ["a", "b"], "added_tags": ["b"], "removed_tags": ["c"]}, [("tags", ["a", "b"], ["a", "c"])]),
        ({"tags": ["a"], "previous_value": ["c"]}, [("tags", ["a"], ["c"])]),
        ({"tags": None, "added_tags": None, "removed_tags": []}, [("tags", None, None)]),
        ({"custom_ticket_fields": {"9": "x"}, "previous_value": "y"}, [("9", "x", "y")]),
        ({"custom_ticket_fields": {"9": "x", "8": 1}, "previous_value": {"8": 2}}, [("9", "x", None), ("8", 1, 2)]),
        ({"custom_ticket_fields": {"9": "x", "8": 1}, "previous_value": "y"}, [("9", "x", None), ("8", 1, None)]),
        ({"custom_ticket_fields": None}, []),
        ({}, []),
    ],
)
def test_a_child_event_names_its_fields(child: dict[str, Any], expected: list[tuple[Any, ...]]) -> None:
    assert fields(**ABOUT, **child) == expected


def test_only_parts_that_set_fields_are_changes_and_count_from_0() -> None:
    children = [
        {"id": 1, "event_type": "Comment", "body": "hello", "type": "Comment"},
        {"id": 2, "event_type": "Create", "status": "new", "via": "Web form"},
        {"id": 3, "event_type": "Notification", "subject": "s"},
        {"id": 4, "event_type": "Change", "priority": "low", "previous_value": "high"},
    ]
    event = {"id": 7, "ticket_id": 5, "timestamp": 100, "created_at": "2026-01-01T00:00:00Z", "child_events": children}
    context: Any = None
    found = [msgspec.json.decode(msgspec.json.encode(row)) for row in changes([undecoded(event)], context)]
    assert [(row["id"], row["position"], row["event_id"], row["field"]) for row in found] == [
        (2, 0, 7, "status"),
        (4, 1, 7, "priority"),
    ]


@pytest.mark.parametrize("nested", ["json", "tables"])
def test_changes_come_whole_beside_events_and_go_with_a_scrubbed_ticket(
    tmp_path: Path, simulate: Simulate, nested: str
) -> None:
    account, target = simulate(tickets=60), pipeline(tmp_path)
    streams = ("ticket_events", "ticket_changes")
    load(target, account, *streams, nested=nested)
    assert_whole(target, account, *streams)
    assert [request["route"] for request in account.requests()].count("incremental_ticket_events") == 1
    account.mutate("update_tickets", count=3)
    load(target, account, *streams, nested=nested)
    assert_whole(target, account, *streams)
    assert written(load(target, account, *streams, nested=nested)) == {}
    gone = set(account.mutate("delete_tickets", count=2)["ids"])
    load(target, account, *streams, nested=nested)
    assert {row["ticket_id"] for row in table(target, "ticket_changes").values()} & gone == gone
    account.mutate("scrub_tickets", ids=sorted(gone))
    load(target, account, *streams, nested=nested)
    assert {row["ticket_id"] for row in table(target, "ticket_changes").values()} & gone == set()
    assert_whole(target, account, *streams)


def test_a_lost_change_is_named_by_its_event_and_field(tmp_path: Path, simulate: Simulate) -> None:
    account, target = simulate(tickets=20), pipeline(tmp_path)
    load(target, account, "ticket_changes")
    [result] = verify(target, source(account).with_resources("ticket_changes"), keys=True)
    assert (result.verdict, result.missing, result.surplus) == ("ok", (), ())
    id, field = next(iter(table(target, "ticket_changes")))
    with target.sql_client() as client:
        client.execute_sql(f"DELETE FROM ticket_changes WHERE id = {id} AND field = '{field}'")
    [result] = verify(target, source(account).with_resources("ticket_changes"), keys=True)
    assert (result.verdict, result.missing) == ("missing", (f"{id}/{field}",))


def test_time_in_status_is_a_window_over_one_table(tmp_path: Path, simulate: Simulate) -> None:
    account, target = simulate(tickets=30), pipeline(tmp_path)
    load(target, account, "tickets", "ticket_changes")
    [query] = [block for block in SQL.findall(README.read_text()) if "ticket_changes" in block]
    query = query.replace("zendesk_support.ticket_changes", "ticket_changes")
    with target.sql_client() as client, client.execute_query(query) as cursor:
        spans = cursor.fetchall()
    assert {status for _, status, _, _ in spans} >= {"new", "open"}
    assert all(until is None or since <= until for _, _, since, until in spans)
