"""Changes show in the truth and in the endpoints, with the timestamps they should move."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from simulator_client import Client

from zendesk_support.simulator import Simulator
from zendesk_support.simulator.clock import iso
from zendesk_support.simulator.families import FAMILIES

Account = tuple[Simulator, Client]
Make = Callable[..., Account]
APART = {"chat_account", "chats", "tickets", "trigger_revisions"}
"""Streams whose rows are changed in ways of their own."""
LIST_STREAMS = [
    kind.name
    for family in FAMILIES
    for kind in family.kinds
    if (kind.row or kind.content) and not kind.grows_only and kind.name not in APART
]


def ticket(sim: Simulator, rid: int) -> dict[str, Any]:
    """Return a ticket from the truth."""
    return next(row for row in sim.truth("tickets") if row["id"] == rid)


def events_of(sim: Simulator, rid: int) -> list[dict[str, Any]]:
    """Return a ticket's events from the truth."""
    return [row for row in sim.truth("ticket_events") if row["ticket_id"] == rid]


def exported(client: Client, start: float) -> list[dict[str, Any]]:
    """Return the tickets exported since a time."""
    path = f"/api/v2/incremental/tickets/cursor?start_time={int(start)}&support_type_scope=all"
    return [row for page in client.export(path) for row in page["tickets"]]


def test_the_clock_moves_before_and_after(account: Account) -> None:
    sim, _ = account
    before = sim.now()
    sim.mutate("update_users")
    assert 240 <= sim.now() - before < 260
    sim.mutate("update_users", settle=False)
    assert 360 <= sim.now() - before < 390


def test_update_tickets(account: Account) -> None:
    sim, client = account
    start = sim.now()
    metrics = {row["ticket_id"]: row for row in sim.truth("ticket_metrics")}
    made = sim.mutate("update_tickets", count=3)
    rows = exported(client, start)
    assert {row["id"] for row in rows} == set(made["ids"])
    for row in rows:
        assert row == ticket(sim, row["id"])
        assert row["updated_at"] == iso(row["generated_timestamp"]) > iso(start)
        event = events_of(sim, row["id"])[-1]
        assert {child["event_type"] for child in event["child_events"]} == {"Comment", "Change"}
        metric = next(each for each in sim.truth("ticket_metrics") if each["ticket_id"] == row["id"])
        assert metric["replies"] == metrics[row["id"]]["replies"] + 1
    assert set(made["comment_ids"]) < {row["id"] for row in sim.truth("ticket_comments")}


def test_a_system_update_leaves_updated_at_alone(account: Account) -> None:
    sim, client = account
    start = sim.now()
    (rid,) = sim.mutate("system_update_tickets")["ids"]
    (row,) = exported(client, start)
    assert row["id"] == rid
    assert row["updated_at"] < iso(start) < iso(row["generated_timestamp"])


def test_delete_scrub_and_restore(account: Account) -> None:
    sim, client = account
    first, second = sim.mutate("delete_tickets", count=2)["ids"]
    assert ticket(sim, first)["status"] == "deleted"
    assert first in {row["id"] for row in sim.truth("deleted_tickets")}
    assert first not in {row["ticket_id"] for row in sim.truth("ticket_metrics")}
    assert client.get(f"/api/v2/tickets/{first}/comments").status == 404
    assert events_of(sim, first)
    updated = ticket(sim, first)["updated_at"]
    start = sim.now()
    sim.mutate("scrub_tickets", ids=[first])
    (row,) = exported(client, start)
    assert (row["subject"], row["description"], row["tags"], row["custom_fields"]) == (
        "SCRUBBED",
        "X",
        [],
        [],
    )
    assert row["updated_at"] == updated
    assert events_of(sim, first) == []
    assert first not in {row["ticket_id"] for row in sim.truth("ticket_comments")}
    sim.mutate("restore_tickets", ids=[second])
    assert ticket(sim, second)["status"] == "open"
    assert second in {row["ticket_id"] for row in sim.truth("ticket_metrics")}


@pytest.mark.parametrize(
    ("kind", "event_type"),
    [
        ("redact_comments", "CommentRedactionEvent"),
        ("make_comments_private", "CommentPrivacyChange"),
    ],
)
def test_comments_change_without_updated_at(account: Account, kind: str, event_type: str) -> None:
    sim, client = account
    start = sim.now()
    made = sim.mutate(kind)
    (rid,), (comment_id,) = made["ids"], made["comment_ids"]
    (row,) = exported(client, start)
    assert row["id"] == rid
    assert row["updated_at"] < iso(start)
    (child,) = events_of(sim, rid)[-1]["child_events"]
    assert (child["event_type"], child["comment_id"]) == (event_type, comment_id)
    comment = next(row for row in sim.truth("ticket_comments") if row["id"] == comment_id)
    listed = client.get(f"/api/v2/tickets/{rid}/comments").json["comments"]
    assert next(row for row in listed if row["id"] == comment_id)["body"] == comment["body"]
    assert "▇" in comment["body"] if kind == "redact_comments" else comment["public"] is False


def test_archived_tickets_leave_the_lists(account: Account) -> None:
    sim, client = account
    (rid,) = sim.mutate("archive_tickets")["ids"]
    assert rid not in {row["id"] for page in client.pages("/api/v2/tickets") for row in page["tickets"]}
    assert client.get(f"/api/v2/tickets/{rid}").status == 200
    assert client.get(f"/api/v2/tickets/{rid}/comments").json["comments"]
    assert rid in {row["ticket_id"] for row in sim.truth("ticket_metrics")}


@pytest.mark.parametrize("stream", ["tickets", "users"])
def test_a_late_row_has_the_last_second_and_a_lower_id(account: Account, stream: str) -> None:
    sim, client = account
    path = f"/api/v2/incremental/{stream}/cursor?start_time=0&support_type_scope=all"
    last = list(client.export(path))[-1]
    newest = last[stream][-1]
    made = sim.mutate("late_row", stream=stream)
    (rid,) = made["ids"]
    assert rid < newest["id"]
    row = next(row for row in sim.truth(stream) if row["id"] == rid)
    if stream == "tickets":
        assert row["generated_timestamp"] == newest["generated_timestamp"] == made["timestamp"]
    else:
        assert row["updated_at"] == newest["updated_at"]
    assert client.get(last["after_url"]).json[stream] == [], "a cursor alone does not see it"


@pytest.mark.parametrize("stream", ["organizations", "ticket_events"])
def test_a_late_row_of_a_time_export_comes_with_its_second(account: Account, stream: str) -> None:
    sim, client = account
    path = f"/api/v2/incremental/{stream}?start_time=0&include=comment_events&support_type_scope=all"
    last = list(client.export(path))[-1]
    made = sim.mutate("late_row", stream=stream)
    assert made["timestamp"] == last["end_time"]
    assert set(made["ids"]) <= {row["id"] for row in client.get(last["next_page"]).json[stream]}


def test_bulk_update_puts_many_tickets_into_one_second(make: Make) -> None:
    sim, client = make(tickets=3000)
    start = sim.now()
    sim.mutate("bulk_update")
    pages = list(client.export(f"/api/v2/incremental/ticket_events?start_time={int(start)}&support_type_scope=all"))
    assert max(page["count"] for page in pages) == 2500
    rows = exported(client, start)
    assert len(rows) == 2500
    assert len({row["generated_timestamp"] for row in rows}) == 1


def test_people(account: Account) -> None:
    sim, client = account
    start = int(sim.now())
    (gone,) = sim.mutate("permanently_delete_users")["ids"]
    (idle,) = sim.mutate("deactivate_users")["ids"]
    (new,) = sim.mutate("create_users")["ids"]
    found = client.get(f"/api/v2/incremental/users/cursor?start_time={start}&include=identities").json
    rows = {row["id"]: row for row in found["users"]}
    assert rows[gone]["name"] == "Permanently Deleted User"
    assert rows[gone]["email"] is None
    assert rows[idle]["active"] is False
    assert rows[new]["active"] is True
    assert {row["user_id"] for row in found["identities"]} == {idle, new}
    (tomb,) = sim.mutate("delete_organizations")["ids"]
    row = client.get(f"/api/v2/incremental/organizations?start_time={start}").json["organizations"][-1]
    assert row["id"] == tomb
    assert row["deleted_at"] == row["updated_at"]
    assert tomb not in {row["id"] for row in client.get("/api/v2/organizations").json["organizations"]}


@pytest.mark.parametrize("stream", LIST_STREAMS)
def test_rows_of_every_list_can_be_made_changed_and_removed(account: Account, stream: str) -> None:
    sim, _ = account
    before = sim.truth(stream)
    sim.mutate("create_rows", stream=stream, count=2)
    created = sim.truth(stream)
    assert len(created) == len(before) + 2
    sim.mutate("update_rows", stream=stream, count=2)
    updated = sim.truth(stream)
    assert len(updated) == len(created)
    assert sum(row not in created for row in updated) >= 2
    sim.mutate("remove_rows", stream=stream, count=2)
    removed = sim.truth(stream)
    assert removed != updated
    if stream in ("groups", "organizations", "users"):
        assert len(removed) == len(updated)
    else:
        assert len(removed) < len(updated)


def test_votes_move_the_sums_of_their_parent(account: Account) -> None:
    sim, client = account
    made = sim.mutate("vote_articles", count=1)
    before = {row["id"]: row for row in sim.truth("articles") if row["brand_id"] == sim.truth("brands")[0]["id"]}
    article = made["ids"][0]
    votes = client.get(f"/api/v2/help_center/articles/{article}/votes?page[size]=100").json["votes"]
    assert before[article]["vote_count"] == len(votes)
    assert before[article]["vote_sum"] == sum(row["value"] for row in votes)
    sim.mutate("unvote_posts", count=2)
    assert sum(row["vote_count"] for row in sim.truth("posts")) == len(sim.truth("post_votes"))


def test_archived_articles_take_their_children_along(account: Account) -> None:
    sim, _ = account
    gone = set(sim.mutate("archive_articles", count=3)["ids"])
    brand = sim.truth("brands")[0]["id"]
    for stream, column in (("article_comments", "source_id"), ("article_votes", "item_id")):
        assert not gone & {row[column] for row in sim.truth(stream) if row["brand_id"] == brand}


@pytest.mark.parametrize(
    "kind",
    [
        "int_to_string",
        "new_column",
        "new_object",
        "object_to_string",
        "bad_date",
        "big_int",
        "hostile_name",
    ],
)
def test_drift(account: Account, kind: str) -> None:
    sim, client = account
    start = sim.now()
    made = sim.mutate("drift", kind=kind, count=3)["ids"]
    rows = exported(client, start)
    assert {row["id"] for row in rows} == set(made)
    assert {row["id"]: row for row in rows} == {rid: ticket(sim, rid) for rid in made}


def test_a_mutation_can_wait_for_a_request(account: Account) -> None:
    sim, client = account
    sim.on_request(2, "create_rows", stream="macros", count=1)
    counts = [client.get("/api/v2/macros").json["count"] for _ in range(3)]
    assert counts == [12, 13, 13]


def test_every_mutation_runs_with_its_defaults(account: Account) -> None:
    sim, _ = account
    for kind in sim.mutations():
        sim.mutate(kind, **({"stream": "macros"} if kind.endswith("_rows") else {}))
    assert {row["id"] for row in sim.truth("tickets")} >= set(range(1, 61))


def test_a_change_at_once_leaves_the_clock_as_it_is(simulate: Callable[..., Simulator]) -> None:
    account = simulate(clock_scale=1e-6)
    before = account.now()
    [ticket] = account.mutate("update_tickets", at_once=True)["ids"]
    assert account.now() == pytest.approx(before)
    [changed] = [row for row in account.truth("tickets") if row["id"] == ticket]
    assert changed["generated_timestamp"] == int(before)
