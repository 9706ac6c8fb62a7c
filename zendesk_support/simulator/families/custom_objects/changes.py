"""Changes of custom objects, their fields and their records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zendesk_support.simulator.clock import iso
from zendesk_support.simulator.data.change import Change
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.families.custom_objects.book import is_deleted, key_of, keys
from zendesk_support.simulator.families.custom_objects.rows import (
    FIELDS,
    STANDARD,
    bury,
    fields_of,
    make_field,
    make_object,
    make_record,
    value_of,
)


def create_custom_objects(change: Change, count: int = 1) -> dict[str, Any]:
    """Define objects with two fields each, and no records."""
    world, table, made = change.store.world, change.store.tables["custom_objects"], []
    for _ in range(count):
        rid = table.new_rid()
        number = world.number("custom_objects", rid)
        key = f"new_object_{number}"
        names = (key, f"New object {number}", f"New objects {number}", "")
        table.add(make_object(world, names, change.now, change.now), change.now, rid)
        for place, field in enumerate(fields_of(key)):
            _add_field(change, key, place, field)
        made.append(key)
    return {"ids": made}


def change_custom_objects(change: Change, count: int = 1) -> dict[str, Any]:
    """Give objects other titles."""
    table = change.store.tables["custom_objects"]
    chosen = change.sample(table.rids, count)
    for rid in chosen:
        row = change.touch("custom_objects", rid)
        change.alter_text(row)
        row["raw_title"] = row["title"]
    return {"ids": [table.get(rid)["key"] for rid in chosen]}


def delete_custom_objects(change: Change, count: int = 1, key: str = "") -> dict[str, Any]:
    """Delete objects, or the one of a key, with their fields and records."""
    tables, known = change.store.tables, keys(change.store)
    gone = [key] if key else change.dice.sample(sorted(known), min(count, len(known)))
    for each in gone:
        tables["custom_objects"].remove(known[each])
        for name in ("custom_object_fields", "custom_object_records"):
            for rid in [rid for rid in tables[name].rids if key_of(change.store, name, rid) == each]:
                tables[name].remove(rid)
    return {"ids": gone}


# Fields


def _add_field(change: Change, key: str, place: int, names: tuple[str, str, str, str]) -> int:
    table = change.store.tables["custom_object_fields"]
    rid = table.new_rid()
    return table.add(make_field(change.store.world, rid, key, place, names, change.now), change.now, rid)


def create_custom_object_fields(change: Change, count: int = 1, key: str = "") -> dict[str, Any]:
    """Add fields to objects, or to the one of a key."""
    known = sorted(keys(change.store))
    made = []
    for number in range(count):
        names = (f"new_field_{change.number}_{number}", f"New field {change.number}", "text", "")
        made.append(_add_field(change, key or change.dice.choice(known), FIELDS + number, names))
    return {"ids": made}


def change_custom_object_fields(change: Change, count: int = 1) -> dict[str, Any]:
    """Give fields other titles."""
    chosen = _own_fields(change, count)
    for rid in chosen:
        row = change.touch("custom_object_fields", rid)
        change.alter_text(row)
        row["raw_title"] = row["title"]
    return {"ids": chosen}


def delete_custom_object_fields(change: Change, count: int = 1) -> dict[str, Any]:
    """Delete fields; records keep their values."""
    chosen = _own_fields(change, count)
    for rid in chosen:
        change.store.tables["custom_object_fields"].remove(rid)
    return {"ids": chosen}


def _own_fields(change: Change, count: int) -> list[int]:
    table = change.store.tables["custom_object_fields"]
    return change.sample(table.rids, count, lambda rid: not table.get(rid)["key"].startswith(STANDARD))


# Records


def create_custom_object_records(change: Change, count: int = 1, key: str = "") -> dict[str, Any]:
    """Create records of an object that has some, or of the one of a key."""
    store, table, made = change.store, change.store.tables["custom_object_records"], []
    for _ in range(count):
        present = sorted({key_of(store, table.name, rid) for rid in table.rids}) or sorted(keys(store))
        of, rid = key or change.dice.choice(present), table.new_rid()
        number = store.world.number(table.name, rid)
        row = make_record(store.world, rid, (of, f"New {of} {number}"), None, _values(change, of, number), change.now)
        table.add(row, change.now, rid)
        made.append(row["id"])
    return {"ids": made}


def _values(change: Change, key: str, number: int) -> Row:
    """Return values for the fields that an object has now, but for those that name other rows."""
    fields = [row for row in change.store.tables["custom_object_fields"] if row["custom_object_key"] == key]
    return {
        row["key"]: None
        if row["type"] == "lookup"
        else value_of(change.store.world, number, row["key"], row["title"], row["type"], "")
        for row in fields
        if not row["key"].startswith(STANDARD)
    }


def change_custom_object_records(change: Change, count: int = 1) -> dict[str, Any]:
    """Give records other names, and some fields other values."""
    table = change.store.tables["custom_object_records"]
    chosen = _present(change, count)
    for rid in chosen:
        row = change.touch(table.name, rid)
        change.alter_text(row)
        row["custom_object_fields"] |= _values(change, row["custom_object_key"], change.number)
        row["updated_by_user_id"] = str(change.store.world.rid("users", 0))
    return {"ids": [table.get(rid)["id"] for rid in chosen]}


def delete_custom_object_records(change: Change, count: int = 1) -> dict[str, Any]:
    """Delete records, which the export tells of for 30 days."""
    table = change.store.tables["custom_object_records"]
    chosen = _present(change, count)
    for rid in chosen:
        row = table.change(rid, change.now)
        bury(row)
        row["updated_at"] = iso(change.now)
    return {"ids": [table.get(rid)["id"] for rid in chosen]}


def _present(change: Change, count: int) -> list[int]:
    rids = change.store.tables["custom_object_records"].rids
    return change.sample(rids, count, lambda rid: not is_deleted(change.store, rid))


MUTATIONS: dict[str, Callable[..., dict[str, Any]]] = {
    "create_custom_objects": create_custom_objects,
    "delete_custom_objects": delete_custom_objects,
    "create_custom_object_fields": create_custom_object_fields,
    "delete_custom_object_fields": delete_custom_object_fields,
    "create_custom_object_records": create_custom_object_records,
    "update_custom_object_records": change_custom_object_records,
    "delete_custom_object_records": delete_custom_object_records,
}
