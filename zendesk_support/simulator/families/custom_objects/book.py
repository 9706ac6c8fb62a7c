"""Custom objects and records as they are now."""

from __future__ import annotations

from collections.abc import Iterator

from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.families.custom_objects.rows import (
    DAY,
    DELETED,
    FIELDS,
    STANDARD,
    is_tombstone,
    object_names,
    object_of,
)

KEPT = 30 * DAY
"""Seconds for which the export tells of a deleted record."""


def keys(store: Store) -> dict[str, int]:
    """Return the rids of all objects by their keys."""
    table = store.tables["custom_objects"]
    return {table.get(rid)["key"]: rid for rid in table.rids}


def key_of(store: Store, stream: str, rid: int) -> str:
    """Return the key of the object that a field or a record is of."""
    table = store.tables[stream]
    if table.touched(rid):
        return str(table.get(rid)["custom_object_key"])
    number = store.world.number(stream, rid)
    of_field = stream == "custom_object_fields"
    return object_names(number // FIELDS if of_field else object_of(store.world, number))[0]


def is_deleted(store: Store, rid: int) -> bool:
    """Tell whether a record is deleted."""
    table = store.tables["custom_object_records"]
    if table.touched(rid):
        return bool(table.get(rid)["name"] == DELETED)
    return is_tombstone(store.world, rid)


def records(store: Store, key: str) -> list[int]:
    """Return the records of an object that are not deleted."""
    table = store.tables["custom_object_records"]
    return store.listing(
        ("custom object records", key),
        lambda: (rid for rid in table.rids if key_of(store, table.name, rid) == key and not is_deleted(store, rid)),
    )


def all_records(store: Store) -> Iterator[Row]:
    """Yield the records that are not deleted."""
    table = store.tables["custom_object_records"]
    return (table.get(rid) for rid in table.rids if not is_deleted(store, rid))


def all_fields(store: Store) -> Iterator[Row]:
    """Yield the fields of all objects but those that all have, with the keys of their objects."""
    return (row for row in store.tables["custom_object_fields"] if not row["key"].startswith(STANDARD))
