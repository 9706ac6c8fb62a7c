"""Custom objects: their lists, the export of their records, and what it tells of deleted ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from simulator_client import Client

from zendesk_support.simulator import Simulator
from zendesk_support.simulator.clock import iso, unix

Account = tuple[Simulator, Client]
Make = Callable[..., Account]
Row = dict[str, Any]
OBJECTS = "/api/v2/custom_objects"
DELETED = "[DELETED]"
DAY = 86_400


def export(key: str, start: float = 0, query: str = "") -> str:
    """The path of an object's export."""
    return f"/api/v2/incremental/custom_objects/{key}/cursor?start_time={int(start)}{query}"


def exported(client: Client, key: str, start: float = 0, query: str = "") -> list[Row]:
    """Read an object's export."""
    return [row for page in client.export(export(key, start, query)) for row in page["custom_object_records"]]


def keys(sim: Simulator) -> list[str]:
    """The keys of all objects."""
    return [row["key"] for row in sim.truth("custom_objects")]


def test_objects_come_in_one_answer_by_their_keys(account: Account) -> None:
    sim, client = account
    assert client.get(OBJECTS).json == {"custom_objects": sim.truth("custom_objects")}
    assert keys(sim) == ["apartment", "service_contract", "parking_space"]
    assert not [row for row in sim.truth("custom_objects") if "id" in row]


def test_fields_of_all_objects_together_equal_truth(account: Account) -> None:
    sim, client = account
    rows = [
        {**row, "custom_object_key": key}
        for key in keys(sim)
        for page in client.pages(f"{OBJECTS}/{key}/fields")
        for row in page["custom_object_fields"]
    ]
    assert rows == sim.truth("custom_object_fields")
    kinds = "text textarea integer decimal date checkbox dropdown multiselect regexp currency lookup".split()
    assert [row["type"] for row in rows if row["custom_object_key"] == "apartment"] == kinds
    lookups = [row for row in rows if row["custom_object_key"] == "service_contract" and row["type"] == "lookup"]
    assert [row["relationship_target_type"] for row in lookups] == [
        "zen:custom_object:apartment",
        "zen:organization",
        "zen:ticket",
    ]


def test_fields_of_every_object_come_if_they_are_asked_for(account: Account) -> None:
    _, client = account
    page = client.get(f"{OBJECTS}/apartment/fields?include_standard_fields=true").json
    assert [row["key"] for row in page["custom_object_fields"]][:3] == [
        "standard::name",
        "standard::external_id",
        "floor_plan",
    ]
    assert "standard::name" not in client.get(f"{OBJECTS}/apartment/fields").raw.decode()


def test_the_last_page_of_an_export_has_no_cursor(make: Make) -> None:
    _, client = make(custom_object_records=200)
    pages = list(client.export(export("apartment", query="&per_page=30")))
    assert len(pages) > 3
    assert set(pages[0]) == {
        *("custom_object_records", "after_cursor", "after_url", "before_cursor", "before_url", "filter", "meta")
    }
    assert [page["meta"]["has_more"] for page in pages] == [True] * (len(pages) - 1) + [False]
    assert [bool(page["after_cursor"]) for page in pages] == [bool(page["after_url"]) for page in pages]
    assert [bool(page["after_url"]) for page in pages] == [True] * (len(pages) - 1) + [False]
    rows = [row for page in pages for row in page["custom_object_records"]]
    order = [(row["updated_at"], row["id"]) for row in rows]
    assert len({row["updated_at"] for row in rows}) < len(rows), "some were changed in one second"
    assert order == sorted(order)
    assert not [row for row in rows if "photo" in row]


def test_records_of_all_objects_together_equal_truth(account: Account) -> None:
    sim, client = account
    rows = [row for key in keys(sim) for row in exported(client, key)]
    kept = [row for row in rows if row["name"] != DELETED]
    assert sorted(kept, key=lambda row: row["id"]) == sim.truth("custom_object_records")
    assert exported(client, "parking_space") == []
    graves = [row for row in rows if row["name"] == DELETED]
    assert graves
    assert {row["external_id"] for row in graves} == {DELETED}
    assert {value for row in graves for value in row["custom_object_fields"].values()} == {DELETED}
    without = [row for key in keys(sim) for row in exported(client, key, query="&filter[exclude_deleted]=true")]
    assert without == kept
    assert client.get(export("apartment", query="&filter[exclude_deleted]=true")).json["filter"] == {
        "exclude_deleted": True
    }


def test_records_name_rows_that_exist(account: Account) -> None:
    sim, _ = account
    records = {row["id"]: row for row in sim.truth("custom_object_records")}
    seen: set[str] = set()
    for row in records.values():
        values = row["custom_object_fields"]
        for column, stream in (("tenant", "users"), ("provider", "organizations"), ("reported_in", "tickets")):
            if values.get(column):
                seen.add(column)
                assert int(values[column]) in {each["id"] for each in sim.truth(stream, ["id"])}
        if values.get("apartment"):
            seen.add("apartment")
            assert records[values["apartment"]]["custom_object_key"] == "apartment"
    assert seen == {"tenant", "provider", "reported_in", "apartment"}
    apartments = [row["custom_object_fields"] for row in records.values() if row["custom_object_key"] == "apartment"]
    types = {type(value) for values in apartments for value in values.values()}
    assert types == {str, int, float, bool, list, type(None)}


def test_the_list_shows_what_the_export_has_and_photos(account: Account) -> None:
    sim, client = account
    for key in keys(sim):
        rows = [row for page in client.pages(f"{OBJECTS}/{key}/records") for row in page["custom_object_records"]]
        truth = [row for row in sim.truth("custom_object_records") if row["custom_object_key"] == key]
        assert [{name: value for name, value in row.items() if name != "photo"} for row in rows] == truth
        assert all("photo" in row for row in rows)
        assert client.get(f"{OBJECTS}/{key}/records/count").json["count"]["value"] == len(truth)
    query = f"{OBJECTS}/apartment/records?sort=-updated_at"
    times = [row["updated_at"] for page in client.pages(query) for row in page["custom_object_records"]]
    assert times == sorted(times, reverse=True)


def test_a_deleted_record_is_told_of_for_30_days(account: Account) -> None:
    sim, client = account
    start = sim.now()
    (gone,) = sim.mutate("delete_custom_object_records")["ids"]
    assert gone not in {row["id"] for row in sim.truth("custom_object_records")}
    (grave,) = [row for key in keys(sim) for row in exported(client, key, start)]
    assert (grave["id"], grave["name"]) == (gone, DELETED)
    assert start < unix(grave["updated_at"]) < sim.now()
    key = grave["custom_object_key"]
    sim.advance(29 * DAY)
    assert [row["id"] for row in exported(client, key, start)] == [gone]
    sim.advance(2 * DAY)
    assert exported(client, key, start) == []
    assert not [row for row in exported(client, key) if row["name"] == DELETED]


def test_records_are_exported_anew_when_they_change(account: Account) -> None:
    sim, client = account
    start = sim.now()
    made = sim.mutate("create_custom_object_records", key="parking_space", count=2)["ids"]
    changed = sim.mutate("update_custom_object_records")["ids"]
    rows = [row for key in keys(sim) for row in exported(client, key, start)]
    assert {row["id"] for row in rows} == {*made, *changed}
    assert all(row["updated_at"] > iso(start) for row in rows)
    truth = {row["id"]: row for row in sim.truth("custom_object_records")}
    assert all(row == truth[row["id"]] for row in rows)
    recent = client.get(export("apartment", sim.now() - 30))
    assert (recent.status, recent.json["errors"][0]["code"]) == (400, "StartTimeTooRecent")
    assert client.get("/api/v2/incremental/custom_objects/apartment/cursor").status == 400
    lost = client.get("/api/v2/incremental/custom_objects/apartment/cursor?cursor=nonsense")
    assert (lost.status, lost.json["errors"][0]["code"]) == (400, "InvalidCursor")


def test_objects_and_fields_come_and_go(account: Account) -> None:
    sim, client = account
    (new,) = sim.mutate("create_custom_objects")["ids"]
    assert client.get(OBJECTS).json["custom_objects"][-1]["key"] == new
    assert len(client.get(f"{OBJECTS}/{new}/fields").json["custom_object_fields"]) == 2
    (field,) = sim.mutate("create_custom_object_fields", key=new)["ids"]
    assert client.get(f"{OBJECTS}/{new}/fields").json["custom_object_fields"][-1]["id"] == field
    (dropped,) = sim.mutate("delete_custom_object_fields")["ids"]
    assert dropped not in {row["id"] for row in sim.truth("custom_object_fields")}
    sim.mutate("delete_custom_objects", key="apartment")
    assert "apartment" not in {row["custom_object_key"] for row in sim.truth("custom_object_records")}
    assert "apartment" not in {row["custom_object_key"] for row in sim.truth("custom_object_fields")}


def test_an_object_can_go_between_two_pages(make: Make) -> None:
    sim, client = make(custom_object_records=200)
    first = client.get(export("apartment", query="&per_page=20")).json
    sim.on_request(1, "delete_custom_objects", key="apartment")
    for path in (first["after_url"], f"{OBJECTS}/apartment/fields", f"{OBJECTS}/apartment/records"):
        answer = client.get(path)
        assert (answer.status, answer.json["errors"][0]["code"]) == (404, "CustomObjectNotFound")


@pytest.mark.parametrize(
    ("options", "path", "status", "code"),
    [
        ({"role": "agent"}, OBJECTS, 200, ""),
        ({"role": "agent"}, export("apartment"), 403, "Forbidden"),
        ({"plan": "team"}, export("apartment"), 200, ""),
        ({"gates": {"custom_objects": 404}}, OBJECTS, 404, "CustomObjectNotFound"),
        ({"gates": {"custom_object_records": 403}}, export("apartment"), 403, "Forbidden"),
        ({}, f"{OBJECTS}/nothing/records/count", 404, "CustomObjectNotFound"),
    ],
)
def test_refusals_by_role_gate_and_key(make: Make, options: Row, path: str, status: int, code: str) -> None:
    _, client = make(**options)
    answer = client.get(path)
    assert answer.status == status
    assert not code or answer.json["errors"][0]["code"] == code


def test_the_export_counts_against_what_all_exports_share(account: Account) -> None:
    sim, client = account
    sim.reset_requests()
    answer = client.get(export("apartment"))
    client.get(f"{OBJECTS}/apartment/records")
    assert [request["buckets"] for request in sim.requests()] == [["account", "incremental_exports"], ["account"]]
    assert "zendesk-ratelimit-incremental-exports" in answer.headers


@pytest.mark.parametrize("how", ["small", "unmarked", "endless"])
def test_answers_can_break_promises_here_too(account: Account, how: str) -> None:
    _, client = account
    client.sim.fault("contrary", route="custom_object_records", how=how, times=None, size=5)
    page = client.get(export("apartment")).json
    assert len(page["custom_object_records"]) == 5
    assert page["after_url"]
    assert page.get("meta") == (None if how == "unmarked" else {"has_more": True})
    if how == "small":
        assert len(exported(client, "apartment")) > 20
