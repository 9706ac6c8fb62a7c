"""The endpoints that count rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from simulator_client import Client

from zendesk_support.simulator import Simulator
from zendesk_support.simulator.clock import unix

Account = tuple[Simulator, Client]

COUNTED: dict[str, tuple[str, Callable[[dict[str, Any]], bool]]] = {
    "users": ("users", lambda row: row["active"]),
    "deleted_users": ("users", lambda row: not row["active"]),
    "organizations": ("organizations", lambda row: row["deleted_at"] is None),
    "groups": ("groups", lambda row: not row["deleted"]),
    "tags": ("tags", lambda row: True),
    "ticket_fields": ("ticket_fields", lambda row: True),
    "satisfaction_ratings": ("satisfaction_ratings", lambda row: True),
    "activities": ("ticket_activities", lambda row: True),
}


@pytest.mark.parametrize("path", COUNTED)
def test_a_count_is_of_the_rows_that_the_list_shows(account: Account, path: str) -> None:
    sim, client = account
    for mutation in ("deactivate_users", "permanently_delete_users", "delete_organizations", "delete_groups"):
        sim.mutate(mutation)
    stream, fits = COUNTED[path]
    answer = client.get(f"/api/v2/{path}/count").json
    assert list(answer) == ["count"]
    assert answer["count"]["value"] == sum(fits(row) for row in sim.truth(stream))
    assert abs(unix(answer["count"]["refreshed_at"]) - sim.now()) < 10


def test_a_count_of_more_than_100_000_is_made_in_the_background_and_holds_for_a_day(
    make: Callable[..., Account],
) -> None:
    sim, client = make(tickets=1, satisfaction_ratings=100_001)
    path = "/api/v2/satisfaction_ratings/count"
    assert client.get(path).json == {"count": {"value": 100_000, "refreshed_at": None}}
    first = client.get(path).json["count"]
    assert first["value"] == 100_001
    sim.mutate("create_rows", stream="satisfaction_ratings", count=2)
    assert client.get(f"{path}.json").json["count"] == first
    sim.advance(86_400)
    assert client.get(path).json["count"] == {"value": 100_000, "refreshed_at": None}
    second = client.get(path).json["count"]
    assert second["value"] == 100_003
    assert unix(second["refreshed_at"]) > unix(first["refreshed_at"])
