"""The view of each custom object: a column for each field of it, in every database."""

from __future__ import annotations

from typing import Any

import pytest
from dlt.pipeline.pipeline import Pipeline
from support import MakePipeline, load

from zendesk_support.simulator import Simulator
from zendesk_support.wide.definitions import OF_OBJECT
from zendesk_support.wide.definitions import WideView as View

from .test_views import expected, names_of, view

STREAMS = ("custom_objects", "custom_object_fields", "custom_object_records")


def test_each_object_has_a_view_with_its_fields_as_columns(make_pipeline: MakePipeline, account: Simulator) -> None:
    target = make_pipeline()
    load(target, account, *STREAMS, views="on")
    assert_views(target, account)


def test_fields_and_objects_that_come_and_go_change_the_views(make_pipeline: MakePipeline, account: Simulator) -> None:
    target = make_pipeline()
    load(target, account, *STREAMS, views="on")
    before = names_of(target, "custom_object_records/apartment")
    account.mutate("create_rows", stream="custom_object_fields", count=3)
    account.mutate("create_rows", stream="custom_objects", count=1)
    account.mutate("create_rows", stream="custom_object_records", count=4)
    gone = next(row["id"] for row in account.truth("custom_object_fields") if row["key"] == "rent")
    account.mutate("remove_rows", stream="custom_object_fields", ids=[gone])
    load(target, account, *STREAMS, views="on")
    assert_views(target, account)
    now = names_of(target, "custom_object_records/apartment")
    assert {id: now[id] for id in before} == before
    assert before[gone] == "custom_rent"
    assert "custom_rent" in next(iter(view(target, "custom_object_apartment_wide").values()))


def test_nobody_needs_the_fields_for_the_records(make_pipeline: MakePipeline, account: Simulator) -> None:
    target = make_pipeline()
    load(target, account, "custom_object_records", views="on")
    with target.sql_client() as client, pytest.raises(Exception, match="custom_object_apartment_wide"):
        client.execute_sql(f"SELECT 1 FROM {client.make_qualified_table_name('custom_object_apartment_wide')}")


def assert_views(target: Pipeline, account: Simulator) -> None:
    """Compare the view of each object with what Zendesk has."""
    fields: dict[str, list[dict[str, Any]]] = {}
    for row in account.truth("custom_object_fields"):
        is_of_object = str(row.get("relationship_target_type")).startswith("zen:custom_object")
        fields.setdefault(row["custom_object_key"], []).append({**row, "type": "text"} if is_of_object else row)
    records = account.truth("custom_object_records")
    assert fields
    for key, of_object in fields.items():
        rows = {row["id"]: row for row in records if row["custom_object_key"] == key}
        found = view(target, f"custom_object_{key}_wide")
        names = names_of(target, f"custom_object_records/{key}")
        assert found.keys() == rows.keys()
        for id, row in rows.items():
            wanted = expected(row, row["custom_object_fields"], of_object, names) | {"name": row["name"]}
            got = {name: found[id][name] for name in wanted}
            assert got == {name: None if value == [] else value for name, value in wanted.items()}


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("apartment", "custom_object_apartment_wide"),
        ("test-drive", "custom_object_test_drive_2529ff4e_wide"),
        ("test_drive", "custom_object_test_drive_wide"),
        ("a" * 60, f"custom_object_{'a' * 30}_1f98bd29_wide"),
    ],
)
def test_no_two_keys_have_one_name(key: str, name: str) -> None:
    made = View(OF_OBJECT.stream, custom=OF_OBJECT.custom, of=key).name("custom_object_records")
    assert made == name
    assert len(made) <= 63
