"""The options of ticket fields: the rows that a load makes of them, and how they change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from zendesk_support.simulator.data.change import Change
from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.world import STEP


def rows(store: Store) -> Iterator[Row]:
    """Yield the options of ticket fields, each with its place in the list."""
    for field in store.tables["ticket_fields"]:
        for place, option in enumerate(field.get("custom_field_options", ())):
            yield {"ticket_field_id": field["id"], "position": place, **option}


def add(change: Change, count: int = 1) -> dict[str, Any]:
    """Add options to ticket fields."""
    name = f"Added {change.number}"
    value = name.lower().replace(" ", "_")

    def append(options: list[Row]) -> None:
        rid = max(option["id"] for option in options) + STEP
        options.append({"id": rid, "name": name, "raw_name": name, "value": value, "default": False})

    return _alter(change, count, append)


def rename(change: Change, count: int = 1) -> dict[str, Any]:
    """Alter the labels of the first options of ticket fields."""
    return _alter(change, count, lambda options: options[0].update(name=f"Renamed {change.number}"))


def remove(change: Change, count: int = 1) -> dict[str, Any]:
    """Take the first options of ticket fields out."""
    return _alter(change, count, lambda options: options.__delitem__(0))


def _alter(change: Change, count: int, alter: Callable[[list[Row]], None]) -> dict[str, Any]:
    fields = change.store.tables["ticket_fields"]
    chosen = change.sample(fields.rids, count, lambda rid: len(fields.get(rid).get("custom_field_options", ())) > 1)
    for rid in chosen:
        alter(change.touch("ticket_fields", rid)["custom_field_options"])
    return {"ids": chosen}
