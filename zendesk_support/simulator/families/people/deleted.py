"""Deleted users: what their list says of them, and how it changes."""

from __future__ import annotations

from typing import Any

from zendesk_support.simulator.data.change import Change
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.world import HOST

ERASED = "Permanently Deleted User"
"""What a user is called whose data are gone."""
_COLUMNS = (
    "id",
    "url",
    "name",
    "email",
    "created_at",
    "updated_at",
    "time_zone",
    "phone",
    "shared_phone_number",
    "photo",
    "locale_id",
    "locale",
    "organization_id",
    "role",
    "active",
)


def shown(row: Row) -> Row:
    """Return what the list of deleted users says of a user."""
    columns = {column: row[column] for column in _COLUMNS}
    return {**columns, "url": f"{HOST}/api/v2/deleted_users/{row['id']}.json"}


def rename(change: Change, count: int = 1) -> dict[str, Any]:
    """Alter the names of deleted users."""
    chosen = _some(change, count)
    for row in chosen:
        change.alter_text(row)
    return {"ids": [row["id"] for row in chosen]}


def restore(change: Change, count: int = 1) -> dict[str, Any]:
    """Have deleted users come back."""
    chosen = _some(change, count)
    for row in chosen:
        row["active"] = True
    return {"ids": [row["id"] for row in chosen]}


def _some(change: Change, count: int) -> list[Row]:
    """Return rows that may be altered, of deleted users who are not erased."""
    users = change.store.tables["users"]

    def fits(rid: int) -> bool:
        row = users.get(rid)
        return not row["active"] and row["name"] != ERASED

    return [change.touch("users", rid) for rid in change.sample(users.rids, count, fits)]
