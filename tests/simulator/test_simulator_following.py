"""A reader that follows the exports' cursors through many changes ends with the truth."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from simulator_client import Client

from zendesk_support.simulator import Simulator

Account = tuple[Simulator, Client]
CHANGES = (
    "create_tickets",
    "update_tickets",
    "system_update_tickets",
    "delete_tickets",
    "scrub_tickets",
    "restore_tickets",
    "redact_comments",
    "make_comments_private",
    "archive_tickets",
    "create_users",
    "update_users",
    "deactivate_users",
    "permanently_delete_users",
    "create_organizations",
    "update_organizations",
    "delete_organizations",
)


def follow(client: Client, url: str, key: str) -> Iterator[dict[str, Any]]:
    """Read an export to its present end; the last thing given is where to go on."""
    while True:
        page = client.get(url).json
        yield from page[key]
        url = page.get("after_url") or page["next_page"]
        if page["end_of_stream"]:
            break
    yield {"next": url}


@pytest.mark.parametrize(
    ("stream", "path"),
    [
        ("tickets", "tickets/cursor?start_time=0&per_page=17&support_type_scope=all"),
        ("tickets", "tickets?start_time=0&per_page=17&support_type_scope=all"),
        ("users", "users/cursor?start_time=0&per_page=8"),
        ("users", "users?start_time=0&per_page=8"),
        ("organizations", "organizations?start_time=0&per_page=2"),
    ],
)
def test_following_the_export(account: Account, stream: str, path: str) -> None:
    sim, client = account
    rng = random.Random(path)
    url = f"/api/v2/incremental/{path}"
    have: dict[int, Any] = {}
    for _ in range(25):
        *rows, end = follow(client, url, stream)
        have |= {row["id"]: row for row in rows}
        url = end["next"]
        assert have == {row["id"]: row for row in sim.truth(stream)}
        sim.mutate(rng.choice(CHANGES), count=rng.randint(1, 4))
        sim.advance(1)


def test_following_the_events(account: Account) -> None:
    sim, client = account
    rng = random.Random(7)
    url = "/api/v2/incremental/ticket_events?start_time=0&include=comment_events&support_type_scope=all"
    have: set[int] = set()
    for _ in range(25):
        *rows, end = follow(client, url, "ticket_events")
        have |= {row["id"] for row in rows}
        url = end["next"]
        assert have >= {row["id"] for row in sim.truth("ticket_events")}
        sim.mutate(rng.choice(CHANGES[:9]), count=rng.randint(1, 4))


def test_lists_follow_every_change(make: Callable[..., Account]) -> None:
    sim, client = make()
    rng = random.Random(3)
    lists = {
        "macros": "macros",
        "groups": "groups?exclude_deleted=false",
        "group_memberships": "group_memberships",
    }
    for _ in range(20):
        stream = rng.choice(sorted(lists))
        sim.mutate(rng.choice(["create_rows", "update_rows", "remove_rows"]), stream=stream, count=2)
        pages = client.pages(f"/api/v2/{lists[stream]}")
        rows = [row for page in pages for row in page[stream]]
        assert sorted(rows, key=lambda row: row["id"]) == sim.truth(stream)
